"""Builds the libraries of mmcore; everything else about the package is in pyproject.toml.

    csrc/core   -> mmcore/libmmcore.so     the core: standard library only
    csrc/python -> mmcore/_native.*.so     its Python binding (pybind11)
    csrc/tf     -> mmcore/_kernels.so      its TensorFlow ops (C API declared in csrc/tf; TensorFlow not needed)
    csrc/cuda   -> mmcore/_cuda.so         kernels for GPUs, where MMCORE_CUDA=1 asks for them; needs nvcc

Both edges link the one core library, found beside them at run time: its thread pool and caches exist once in
a process. Environment: MMCORE_WERROR=1 turns warnings into errors, MMCORE_SANITIZE=address,undefined builds
with sanitizers, CXX names the compiler. MMCORE_CUDA_ARCHS=80,90 lists the compute capabilities to build for
(later ones compile the last at first use), CUDA_HOME the folder of the CUDA toolkit.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).parent
CORE, NATIVE, KERNELS = "mmcore.libmmcore", "mmcore._native", "mmcore._kernels"
CUDA = "mmcore._cuda"
WARNINGS = ["-Wall", "-Wextra", "-Wconversion", "-Wshadow"]


def sources(folder: str, suffix: str = ".cc") -> list[str]:
    return sorted(str(path.relative_to(ROOT)) for path in (ROOT / "csrc" / folder).rglob(f"*{suffix}"))


def compiler() -> list[str]:
    """The C++ compiler's command: CXX, else the first of c++, g++, clang++ that is on the path."""
    if sys.platform == "win32":
        sys.exit(
            "error: mmcore does not build on Windows; use it under WSL 2 (wsl --install), where it is tested."
        )
    for candidate in filter(None, [os.environ.get("CXX"), "c++", "g++", "clang++"]):
        command = candidate.split()
        if shutil.which(command[0]):
            return command
    sys.exit(
        "error: mmcore is compiled at installation and found no C++17 compiler (tried $CXX, c++, g++, clang++)."
        "\nInstall one: 'apt-get install g++', 'dnf install gcc-c++', or 'xcode-select --install' on macOS."
    )


def cuda_compiler() -> str:
    """nvcc of CUDA_HOME, of the path, or where the toolkit puts it."""
    home = os.environ.get("CUDA_HOME")
    for candidate in [f"{home}/bin/nvcc"] if home else ["nvcc", "/usr/local/cuda/bin/nvcc"]:
        if found := shutil.which(candidate):
            return found
    sys.exit(
        "error: MMCORE_CUDA=1 asks for GPU kernels, which nvcc compiles, and there is none "
        f"{f'in CUDA_HOME={home}' if home else 'on the path or in /usr/local/cuda'}.\n"
        "Install the CUDA toolkit (12.0 or later) and set CUDA_HOME to its folder, or build without MMCORE_CUDA."
    )


def cuda_flags() -> list[str]:
    archs = os.environ.get("MMCORE_CUDA_ARCHS", "80,90").split(",")
    host = ["-fPIC", "-fvisibility=hidden", *WARNINGS]
    flags = ["-std=c++17", "-O3", "-DNDEBUG", "--expt-relaxed-constexpr", f"-Xcompiler={','.join(host)}"]
    flags += [f"-gencode=arch=compute_{arch},code=sm_{arch}" for arch in archs]
    flags.append(f"-gencode=arch=compute_{archs[-1]},code=compute_{archs[-1]}")
    if os.environ.get("MMCORE_WERROR") == "1":
        flags += ["-Werror=all-warnings", "-Xcompiler=-Werror"]
    return flags


class BuildLibraries(build_ext):
    """Compiles all objects in parallel, then links the core and its two edges."""

    def run(self) -> None:
        self.cxx = compiler()
        if any(extension.name == CUDA for extension in self.extensions):
            self.nvcc = cuda_compiler()
        super().run()

    def build_extensions(self) -> None:
        with ThreadPoolExecutor(
            max(1, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
        ) as pool:
            jobs = [
                (extension, pool.submit(self.compile, extension, source))
                for extension in self.extensions
                for source in extension.sources
            ]
            for extension, job in jobs:
                extension.extra_objects.append(job.result())
        for extension in self.extensions:
            self.link(extension)

    def flags(self) -> list[str]:
        # No contraction: a fused multiply-add that nobody wrote would round differently from processor to processor.
        flags = [
            "-std=c++17",
            "-O3",
            "-DNDEBUG",
            "-g0",
            "-fPIC",
            "-fvisibility=hidden",
            "-pthread",
            "-ffp-contract=off",
            *WARNINGS,
        ]
        if os.environ.get("MMCORE_WERROR") == "1":
            flags.append("-Werror")
        if sanitizers := os.environ.get("MMCORE_SANITIZE"):
            flags += [f"-fsanitize={sanitizers}", "-fno-omit-frame-pointer", "-g"]
        return flags

    def compile(self, extension: Extension, source: str) -> str:
        cuda = extension.name == CUDA
        command = [self.nvcc, *cuda_flags()] if cuda else [*self.cxx, *self.flags()]
        # Objects of other flags (warnings as errors, sanitizers) lie elsewhere and are not taken for these.
        kind = hashlib.sha256(" ".join(command).encode()).hexdigest()[:8]
        target = Path(self.build_temp) / kind / Path(source).with_suffix(".o")
        if up_to_date(target, source):
            return str(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        includes = [f"-I{ROOT / 'csrc'}", *(f"-isystem{path}" for path in extension.include_dirs)]
        run([*command, *includes, "-c", str(ROOT / source), "-o", str(target)])
        return str(target)

    def link(self, extension: Extension) -> None:
        target = Path(self.get_ext_fullpath(extension.name))
        target.parent.mkdir(parents=True, exist_ok=True)
        if extension.name == CUDA:  # With CUDA's runtime; the driver's library is loaded at the first call.
            run([self.nvcc, "-shared", "-Xlinker=--strip-all", *extension.extra_objects, "-o", str(target)])
            return
        macos = sys.platform == "darwin"
        command = [*self.cxx, "-shared", "-pthread", *extension.extra_objects, "-o", str(target)]
        if sanitizers := os.environ.get("MMCORE_SANITIZE"):
            command.append(f"-fsanitize={sanitizers}")
        core = Path(self.get_ext_fullpath(CORE))
        if extension.name == CORE:
            command.append(f"-Wl,-install_name,@rpath/{core.name}" if macos else f"-Wl,-soname,{core.name}")
        else:
            command += [str(core), "-Wl,-rpath,@loader_path" if macos else "-Wl,-rpath,$ORIGIN"]
        if extension.name == KERNELS and not macos:
            command += ["-Wl,--no-as-needed", self.tensorflow_stand_in()]
        # Python's and TensorFlow's own symbols are found when the library is loaded.
        command += ["-undefined", "dynamic_lookup"] if macos else ["-Wl,--strip-all", "-Wl,--as-needed"]
        run(command)

    def tensorflow_stand_in(self) -> str:
        """An empty library named as TensorFlow's, so that the ops ask for that one when they are loaded.

        TensorFlow 2.18 loads its library out of the scope in which an op library's symbols are looked up, unless
        the op library names it as needed (TensorFlow 2.21 does not mind).
        """
        target = Path(self.build_temp) / "libtensorflow_framework.so.2"
        source = target.with_name("stand_in.cc")
        source.write_text("")
        run([*self.cxx, "-shared", f"-Wl,-soname,{target.name}", str(source), "-o", str(target)])
        return str(target)

    def get_ext_filename(self, name: str) -> str:
        # These are no Python modules: no ABI suffix, and no module name that Python could import.
        if name.rpartition(".")[2] in ("libmmcore", "_kernels", "_cuda"):
            return os.path.join(*name.split(".")) + ".so"
        return super().get_ext_filename(name)


def up_to_date(target: Path, source: str) -> bool:
    """True when the object is newer than its source, every header and this script."""
    if not target.exists():
        return False
    csrc = ROOT / "csrc"
    inputs = [ROOT / source, Path(__file__), *csrc.rglob("*.h"), *csrc.rglob("*.inc")]
    return target.stat().st_mtime > max(path.stat().st_mtime for path in inputs)


def run(command: list[str]) -> None:
    if os.environ.get("MMCORE_BUILD_VERBOSE") == "1":
        print(*command, flush=True)
    if subprocess.run(command, cwd=ROOT).returncode != 0:
        sys.exit(
            f"error: compiling mmcore failed, the compiler's messages are above; the command was:\n"
            f"{' '.join(command)}"
        )


def pybind11_include() -> str:
    import pybind11

    return pybind11.get_include()


def python_include() -> str:
    import sysconfig

    return sysconfig.get_paths()["include"]


setup(
    ext_modules=[
        Extension(CORE, sources("core")),
        Extension(NATIVE, sources("python"), include_dirs=[pybind11_include(), python_include()]),
        Extension(KERNELS, sources("tf")),
        *([Extension(CUDA, sources("cuda", ".cu"))] if os.environ.get("MMCORE_CUDA") == "1" else []),
    ],
    cmdclass={"build_ext": BuildLibraries},
)

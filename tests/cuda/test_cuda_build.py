from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KERNELS = sorted((ROOT / "csrc" / "cuda").glob("*.cu"))
NVCC = shutil.which("nvcc") or shutil.which("/usr/local/cuda/bin/nvcc")
needs_nvcc = pytest.mark.skipif(
    NVCC is None, reason="needs nvcc, of the CUDA toolkit, on the path or in /usr/local/cuda"
)


def compile_for(source: Path, arch: int, target: Path) -> str:
    """ptxas's report on the kernels; warnings are errors."""
    host = "-Wall,-Wextra,-Wconversion,-Wshadow,-Werror"
    command = [
        str(NVCC),
        "-std=c++17",
        "-O3",
        "--expt-relaxed-constexpr",
        "-Werror=all-warnings",
        f"-Xcompiler={host}",
    ]
    command += [
        f"-gencode=arch=compute_{arch},code=sm_{arch}",
        "-Xptxas=-v",
        f"-I{ROOT / 'csrc'}",
        "-c",
        str(source),
    ]
    result = subprocess.run([*command, "-o", str(target)], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stderr


def spilled_bytes(report: str) -> list[int]:
    return [int(number) for number in re.findall(r"(\d+) bytes spill stores", report)]


@needs_nvcc
def test_forward_kernels_compile_without_warnings_and_spills(tmp_path):
    spilled = spilled_bytes(compile_for(ROOT / "csrc/cuda/forward_bfloat16.cu", 80, tmp_path / "kernels.o"))
    assert len(spilled) == 8 and not any(spilled)  # Four widths of a head, with and without options.


@needs_nvcc
@pytest.mark.slow
@pytest.mark.parametrize("arch", [80, 90, 100])
@pytest.mark.parametrize("source", KERNELS, ids=lambda path: path.stem)
def test_all_kernels_compile_without_warnings_and_spills(tmp_path, source, arch):
    spilled = spilled_bytes(compile_for(source, arch, tmp_path / "kernels.o"))
    assert not any(spilled)


@needs_nvcc
@pytest.mark.slow
def test_library_is_built_with_its_interface_alone_and_says_that_there_is_no_gpu(tmp_path):
    environment = {**os.environ, "MMCORE_CUDA": "1", "MMCORE_CUDA_ARCHS": "80", "MMCORE_WERROR": "1"}
    command = [
        sys.executable,
        "setup.py",
        "-q",
        "build_ext",
        f"--build-lib={tmp_path}",
        f"--build-temp={tmp_path}",
    ]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    library = tmp_path / "mmcore" / "_cuda.so"
    names = subprocess.run(
        ["nm", "-D", "--defined-only", str(library)], capture_output=True, text=True, check=True
    )
    functions = {line.split()[-1] for line in names.stdout.splitlines() if " T " in line}
    assert functions == {
        "mmcore_cuda_attention_forward",
        "mmcore_cuda_attention_backward",
        "mmcore_cuda_attention_size",
        "mmcore_cuda_xla_attention",
        "mmcore_cuda_xla_attention_grad",
        "mmcore_cuda_xla_on_failure",
    }
    if shutil.which("nvidia-smi") is None:
        from cuda_cases import Host, run
        from cuda_library import Library
        from cuda_oracle import Case, draw

        with pytest.raises(ValueError, match="driver refuses"):
            run(Library(library), Case(), draw(Case()), Host())


@pytest.mark.skipif(importlib.util.find_spec("pybind11") is None, reason="needs pybind11, to run setup.py")
def test_asking_for_kernels_without_a_compiler_says_what_to_install(tmp_path):
    environment = {**os.environ, "MMCORE_CUDA": "1", "CUDA_HOME": str(tmp_path)}
    command = [
        sys.executable,
        "setup.py",
        "-q",
        "build_ext",
        f"--build-lib={tmp_path}",
        f"--build-temp={tmp_path}",
    ]
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert result.returncode != 0
    assert "which nvcc compiles" in result.stderr and f"CUDA_HOME={tmp_path}" in result.stderr
    assert "Install the CUDA toolkit" in result.stderr

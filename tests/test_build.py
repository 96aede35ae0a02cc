from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import mmcore

ROOT = Path(__file__).parents[1]
PACKAGE = Path(mmcore.__file__).parent


@pytest.fixture(scope="module")
def tensorflow_folder() -> Path:
    spec = importlib.util.find_spec("tensorflow")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("needs TensorFlow: pip install 'mmcore[cpu]'")
    return Path(spec.submodule_search_locations[0])


def compile_against(tensorflow_folder: Path, csrc: Path) -> subprocess.CompletedProcess[str]:
    candidates = [os.environ.get("CXX"), "c++", "g++"]
    compiler = next((name for name in candidates if name and shutil.which(name)), None)
    if compiler is None:
        pytest.skip("needs a C++ compiler: $CXX, c++ or g++")
    return subprocess.run(
        [
            compiler,
            "-std=c++17",
            "-fsyntax-only",
            f"-I{csrc}",
            "-isystem",
            str(tensorflow_folder / "include"),
            str(ROOT / "tests/cpp/c_api_agrees.cc"),
        ],
        capture_output=True,
        text=True,
    )


def symbols(library: Path, *options: str) -> list[str]:
    if shutil.which("nm") is None:
        pytest.skip("needs nm, of binutils")
    listing = subprocess.run(["nm", "-D", *options, str(library)], capture_output=True, text=True, check=True)
    return [line.split()[-1].split("@")[0] for line in listing.stdout.splitlines()]


def test_c_api_prototypes_agree_with_the_installed_tensorflow(tensorflow_folder):
    result = compile_against(tensorflow_folder, ROOT / "csrc")
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    "file, right, wrong",
    [
        (
            "c_api.h",
            "TF_Dim(const TF_Tensor* tensor, int axis)",
            "TF_Dim(const TF_Tensor* tensor, int64_t axis)",
        ),
        ("c_api.h", "int64_t TF_Dim(", "int32_t TF_Dim("),
        ("c_types.h", "TF_BOOL = 10", "TF_BOOL = 11"),
    ],
)
def test_a_wrong_prototype_would_be_noticed(tensorflow_folder, tmp_path, file, right, wrong):
    shutil.copytree(ROOT / "csrc" / "tf", tmp_path / "tf")
    text = (tmp_path / "tf" / file).read_text()
    assert right in text
    (tmp_path / "tf" / file).write_text(text.replace(right, wrong))
    assert compile_against(tensorflow_folder, tmp_path).returncode != 0


def test_every_undefined_tensorflow_symbol_is_exported_by_libtensorflow_framework(tensorflow_folder):
    [framework] = tensorflow_folder.glob("libtensorflow_framework.*2*")
    undefined = symbols(PACKAGE / "_kernels.so", "--undefined-only")
    wanted = {name for name in undefined if re.match("TF_|TSL_", name)}
    assert len(wanted) > 20
    assert wanted - set(symbols(framework, "--defined-only")) == set()


@pytest.mark.parametrize("library", ["_kernels.so", "libmmcore.so"])
def test_no_mangled_tensorflow_symbol_ties_the_library_to_one_version(library):
    names = symbols(PACKAGE / library)
    assert names
    assert [name for name in names if re.match(r"_Z.*(tensorflow|absl|3tsl|3xla)", name)] == []


def test_the_core_is_one_library_that_both_edges_need():
    edges = [PACKAGE / "_kernels.so", *PACKAGE.glob("_native.*.so")]
    assert len(edges) == 2
    for edge in edges:
        assert b"libmmcore.so" in edge.read_bytes()


def test_libraries_are_small():
    assert sum(path.stat().st_size for path in PACKAGE.glob("*.so")) < 10_000_000


@pytest.mark.skipif(sys.platform != "linux", reason="the ops name TensorFlow's library on Linux only")
def test_the_ops_name_tensorflows_library_as_needed():
    assert b"libtensorflow_framework.so.2\0" in (PACKAGE / "_kernels.so").read_bytes()

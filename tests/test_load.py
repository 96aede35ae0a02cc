from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import types
from pathlib import Path

import pytest

from mmcore import _load
from mmcore.errors import EnvError

PACKAGE = Path(_load.__file__).parent
# The functions without their caches: each test meets its own environment.
load_native, load_tensorflow, load_kernels = (
    function.__wrapped__ for function in (_load.native, _load.tensorflow, _load.kernels)
)


def move_package(monkeypatch, folder: Path) -> Path:
    monkeypatch.setattr(_load, "__file__", str(folder / "_load.py"))
    return folder / "_kernels.so"


def test_missing_native_module_says_how_to_build_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "mmcore._native", None)
    with pytest.raises(EnvError, match=r"compiled core could not be loaded .*pip install"):
        load_native()


def test_missing_tensorflow_names_wanted_version_and_pip_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(EnvError, match=r"TensorFlow 2\.18 or newer.*failed.*pip install 'tensorflow-cpu"):
        load_tensorflow()


@pytest.mark.parametrize("version", ["2.17.1", "1.15.5", "2.9.0"])
def test_old_tensorflow_names_found_and_wanted_version_and_pip_line(monkeypatch, version):
    monkeypatch.setitem(sys.modules, "tensorflow", types.SimpleNamespace(__version__=version))
    with pytest.raises(EnvError, match=rf"2\.18 or newer, found {version}.*pip install 'tensorflow-cpu"):
        load_tensorflow()


@pytest.mark.parametrize("version", ["2.18.0", "2.22.0-rc1", "3.0.0"])
def test_new_enough_tensorflow_is_taken(monkeypatch, version):
    module = types.SimpleNamespace(__version__=version)
    monkeypatch.setitem(sys.modules, "tensorflow", module)
    assert load_tensorflow() is module


def test_missing_op_library_names_its_path_and_the_build(monkeypatch, tmp_path):
    path = move_package(monkeypatch, tmp_path)
    with pytest.raises(EnvError, match=rf"not found at {path}.*pip install"):
        load_kernels()


def test_damaged_op_library_names_path_tensorflow_and_reason(monkeypatch, tmp_path):
    path = move_package(monkeypatch, tmp_path)
    path.write_bytes(b"not a library")
    found = f"{path} does not load into TensorFlow {_load.tensorflow().__version__}"
    with pytest.raises(EnvError, match=rf"{found} \(.*(ELF|file).*pip install"):
        load_kernels()


def test_op_library_without_the_core_beside_it_says_what_is_missing(monkeypatch, tmp_path):
    path = move_package(monkeypatch, tmp_path)
    shutil.copy(PACKAGE / "_kernels.so", path)
    path.write_bytes(path.read_bytes().replace(b"libmmcore.so", b"libmmgone.so"))
    with pytest.raises(EnvError, match=r"libmmgone\.so"):
        load_kernels()


def test_failed_registration_is_reported(monkeypatch):
    monkeypatch.setattr(_load, "registration_error", lambda path: "Op MmcoreTokenize is registered twice")
    with pytest.raises(EnvError, match=r"does not load into TensorFlow .*registered twice.*pip install"):
        load_kernels()


def test_kernels_are_loaded_once():
    assert _load.kernels() is _load.kernels()
    assert _load.registration_error(PACKAGE / "_kernels.so") == ""


def test_command_line_reports_a_missing_core_without_traceback(tmp_path):
    shutil.copytree(PACKAGE, tmp_path / "mmcore", ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    code = "import sys; from mmcore.cli.main import main; sys.exit(main(['doctor']))"
    finished = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert finished.returncode == 2
    assert "pip install" in finished.stderr and "Traceback" not in finished.stderr


@pytest.mark.parametrize(
    "package", ["nn", "losses", "metrics", "optim", "encoders", "fusion", "models", "train", "ops"]
)
def test_every_package_that_needs_tensorflow_says_how_to_install_it(package):
    code = f"import sys; sys.modules['tensorflow'] = None; import mmcore.{package}"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert finished.returncode == 1
    assert "mmcore needs TensorFlow" in finished.stderr and "pip install 'tensorflow-cpu" in finished.stderr


@pytest.mark.parametrize(
    "verb", [["train"], ["evaluate", "--run", "x"], ["predict", "--run", "x"], ["doctor"]]
)
def test_command_line_without_tensorflow_exits_with_2_and_no_traceback(verb, tmp_path):
    code = f"import sys; sys.modules['tensorflow'] = None; from mmcore.cli.main import main; sys.exit(main({verb}))"
    finished = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert finished.returncode == 2
    assert "pip install 'tensorflow-cpu" in finished.stderr and "Traceback" not in finished.stderr
    assert not list(tmp_path.iterdir())


def test_the_ops_load_without_xla_and_say_that_it_is_missing():
    [framework] = Path(tf_folder()).glob("libtensorflow_framework.*2*")
    library = Path(_load.__file__).with_name("_kernels.so")
    code = (
        f"import ctypes; ctypes.CDLL({str(framework)!r}, ctypes.RTLD_GLOBAL); "
        f"library = ctypes.CDLL({str(library)!r}); library.MmcoreXlaError.restype = ctypes.c_char_p; "
        "print(library.MmcoreXlaError().decode())"
    )
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert finished.stdout == "libtensorflow_cc, which holds XLA, is not loaded in this process\n", (
        finished.stderr
    )


def tf_folder() -> str:
    spec = importlib.util.find_spec("tensorflow")
    assert spec is not None and spec.submodule_search_locations
    return spec.submodule_search_locations[0]


def test_instruction_set_is_the_one_that_is_forced():
    code = "from mmcore._load import native; print(native().active_isa(), native().detected_isa())"
    for forced in ("scalar", "avx2", "avx512"):
        environment = {**os.environ, "MMCORE_ISA": forced}
        finished = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, cwd=PACKAGE.parent
        )
        if finished.returncode == 0:
            assert finished.stdout.split()[0] == forced
        else:  # Older processors do not have all.
            assert f"MMCORE_ISA is {forced}, but this CPU has" in finished.stderr


@pytest.mark.parametrize("verb", [["doctor"], ["train"]])
def test_unknown_instruction_set_is_named_by_the_command_line(verb, tmp_path):
    environment = {**os.environ, "MMCORE_ISA": "avx3", "PYTHONPATH": str(PACKAGE.parent)}
    command = [sys.executable, "-m", "mmcore", *verb]
    finished = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert finished.returncode == 2 and "Traceback" not in finished.stderr
    assert "MMCORE_ISA must be scalar, avx2 or avx512, got 'avx3'" in finished.stderr
    assert "unset MMCORE_ISA" in finished.stderr


def test_both_libraries_share_one_core():
    _load.native()
    _load.kernels()
    maps = Path("/proc/self/maps")
    if not maps.exists():
        pytest.skip("needs /proc")
    assert len({line.split()[-1] for line in maps.read_text().splitlines() if "libmmcore" in line}) == 1


def test_import_of_the_package_loads_little():
    code = "import sys; before = set(sys.modules); import mmcore; print(len(set(sys.modules) - before))"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(finished.stdout) < 20  # what makes it milliseconds

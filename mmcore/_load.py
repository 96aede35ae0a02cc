"""Loads the two compiled libraries, each once, at first use, with errors that say what to install.

`_native` is the Python binding of the core; `_kernels.so` holds the TensorFlow ops over the same core. The
loader cannot be called `_kernels.py`: Python would find `_kernels.so` first and import it as a module.
"""

from __future__ import annotations

import ctypes
import functools
import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

from mmcore.errors import EnvError

MIN_TENSORFLOW = (2, 18)
_REINSTALL = "build it again, in mmcore's checkout, with: pip install --force-reinstall --no-deps ."
_INSTALL_TENSORFLOW = (
    "install it with: pip install 'tensorflow-cpu>=2.18' "
    "(with a GPU: pip install 'tensorflow[and-cuda]>=2.18')"
)


@functools.cache
def native() -> ModuleType:
    """The pybind11 module of the core.

    Raises:
        EnvError: the compiled module is missing or cannot be loaded, or MMCORE_ISA asks for what there is not.
    """
    try:
        module = importlib.import_module("mmcore._native")
    except ImportError as error:
        raise EnvError(f"mmcore's compiled core could not be loaded ({error}); {_REINSTALL}") from error
    try:
        module.active_isa()
    except ValueError as error:
        raise EnvError(f"{error} (this CPU: {module.detected_isa()}); unset MMCORE_ISA") from error
    return module


@functools.cache
def tensorflow() -> ModuleType:
    """The tensorflow module, checked for its version.

    Raises:
        EnvError: TensorFlow is not installed, does not import, or is too old.
    """
    wanted = ".".join(map(str, MIN_TENSORFLOW))
    try:
        module = importlib.import_module("tensorflow")
    except Exception as error:  # a broken installation fails in many ways, not as ImportError alone
        raise EnvError(
            f"mmcore needs TensorFlow {wanted} or newer, and importing tensorflow failed "
            f"({error}); {_INSTALL_TENSORFLOW}"
        ) from error
    found = tuple(int(part) for part in module.__version__.split(".")[:2])
    if found < MIN_TENSORFLOW:
        raise EnvError(
            f"mmcore needs TensorFlow {wanted} or newer, found {module.__version__}; {_INSTALL_TENSORFLOW}"
        )
    return module


@functools.cache
def kernels() -> Any:
    """The TensorFlow op library: a namespace with one Python function per op.

    Raises:
        EnvError: TensorFlow is missing or too old, or the library is missing or does not load.
    """
    tf = tensorflow()
    path = Path(__file__).with_name("_kernels.so")
    if not path.exists():
        raise EnvError(f"mmcore's TensorFlow op library was not found at {path}; {_REINSTALL}")
    found = f"mmcore's TensorFlow op library {path} does not load into TensorFlow {tf.__version__}"
    try:
        library = tf.load_op_library(str(path))
    except tf.errors.OpError as error:
        raise EnvError(f"{found} ({error.message}); {_REINSTALL}") from error
    if reason := registration_error(path):
        raise EnvError(f"{found} ({reason}); {_REINSTALL}")
    return library


def registration_error(path: Path) -> str:
    """Why the op library could not register its ops, or empty; TensorFlow itself says nothing of it."""
    return _text_of("MmcoreRegistrationError", path)


@functools.cache
def xla_error() -> str:
    """Why functions that XLA compiles cannot call the kernels, or empty; makes it possible when first asked.

    Raises:
        EnvError: as `kernels`.
    """
    kernels()
    return _text_of("MmcoreXlaError", Path(__file__).with_name("_kernels.so"))


@functools.cache
def cuda_error() -> str:
    """Why functions that XLA compiles for a GPU cannot call kernels, or empty; makes it possible when first asked.

    Raises:
        EnvError: as `kernels`.
    """
    library = Path(__file__).with_name("_cuda.so")
    if not library.exists():
        return "mmcore was built without GPU kernels; with nvcc, MMCORE_CUDA=1 in the environment of pip builds them"
    return xla_error() or _text_of("MmcoreCudaError", Path(__file__).with_name("_kernels.so"), bytes(library))


def _text_of(function: str, path: Path, *arguments: bytes) -> str:
    """What a function of the library that returns a text says."""
    found = getattr(ctypes.CDLL(str(path)), function)
    found.restype = ctypes.c_char_p
    return found(*arguments).decode(errors="replace")

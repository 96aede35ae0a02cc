"""`mmcore doctor`: what is installed, what loads, and what was found wrong, in one report."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from importlib import metadata
from typing import Any

from mmcore import __version__, _load
from mmcore.errors import MmcoreError

_PACKAGES = (
    "numpy",
    "pillow",
    "simplejpeg",
    "safetensors",
    "matplotlib",
    "tqdm",
    "tensorflow-cpu",
    "tensorflow",
)


def run(arguments: argparse.Namespace) -> tuple[dict[str, Any], int]:
    """Prints the report; exit code 2 where something that mmcore needs does not load."""
    report: dict[str, Any] = {
        "mmcore": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "machine": platform.machine(),
    }
    report |= {name: version for name in _PACKAGES if (version := _version(name))}
    problems: list[str] = []
    for part in (_native_report, _tensorflow_report, _ops_report):
        try:
            report |= part()
        except MmcoreError as error:
            problems.append(str(error))
    for name, value in report.items():
        print(f"{name:20} {value}", file=sys.stderr)
    for problem in problems:
        print(f"problem: {problem}", file=sys.stderr)
    return report | {"problems": problems}, 2 if problems else 0


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _native_report() -> dict[str, Any]:
    native = _load.native()
    return {
        "instruction_set": native.active_isa(),
        "instruction_set_of_cpu": native.detected_isa(),
        "MMCORE_ISA": os.environ.get("MMCORE_ISA", "(unset)"),
        "threads": native.num_threads(),
        "usable_cores": native.usable_cores(),
    }


def _tensorflow_report() -> dict[str, Any]:
    tf = _load.tensorflow()
    gpus = [device.name for device in tf.config.list_physical_devices("GPU")]
    return {
        "tensorflow_loaded": tf.__version__,
        "cxx11_abi": tf.sysconfig.CXX11_ABI_FLAG,
        "cuda_build": tf.test.is_built_with_cuda(),
        "gpus": gpus or "none",
    }


def _ops_report() -> dict[str, Any]:
    kernels = _load.kernels()
    return {
        "ops": sorted(
            name
            for name in vars(kernels)
            if name.startswith("mmcore_") and not name.endswith("_eager_fallback")
        ),
        "attention": _attention_impl(),
    }


def _attention_impl() -> dict[str, str]:
    from mmcore import ops

    return ops.attention_impl()

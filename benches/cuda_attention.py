"""Checks attention on a GPU against float64 and times it against PyTorch and the GPU's ceiling.

One command, on a machine with a GPU, nvcc and PyTorch:

    MMCORE_CUDA=1 pip install -e . && python benches/cuda_attention.py --out results.json

The file holds one object:

- "device": name, compute capability, processors, versions of PyTorch and its CUDA;
- "checks": "cases", their number, and "wrong", those that are further from float64 than allowed or not the same bits
  twice, each with its figures;
- "ceiling_tflops": of a large matrix product of PyTorch, per dtype;
- "times": a list of objects with "case", "dtype", "pass" ("forward" or "both"), "ours_ms", "sdpa_ms" (the fastest of
  PyTorch's backends that take the case; null where none does), "ratio" (sdpa_ms / ours_ms: above 1 is faster than
  PyTorch), "tflops" (two products forward and six with gradient, also where seven are computed, half of that where
  attention is causal) and "of_ceiling". Times are medians of interleaved runs, by CUDA events.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "helpers"))

from cuda_cases import Gpu, errors, problem_of, run  # noqa: E402
from cuda_library import Library  # noqa: E402
from cuda_oracle import Case, draw  # noqa: E402

# (batch, heads, kv_heads, length, head_dim, causal)
TIMED = [
    (32, 8, 8, 77, 64, False),
    (8, 12, 12, 197, 64, False),
    *((4, 16, 16, 1024, dim, causal) for dim in (64, 128) for causal in (False, True)),
    *((1, 16, 16, 4096, dim, causal) for dim in (64, 128) for causal in (False, True)),
    (1, 32, 8, 4096, 128, True),
    (1, 16, 16, 16384, 128, True),
]
RUNS = 20


def chance_case(rng: np.random.Generator) -> Case:
    def one(*values: Any) -> Any:
        return values[int(rng.integers(len(values)))]

    kv_heads = one(1, 2)
    return Case(
        batch=one(1, 2),
        queries=one(1, 3, 64, 65, 130, 257),
        keys=one(1, 15, 33, 64, 129, 300),
        heads=kv_heads * one(1, 2, 3),
        kv_heads=kv_heads,
        head_dim=one(1, 7, 8, 32, 40, 64, 80, 96, 128),
        dtype=one("float32", "bfloat16", "float16"),
        scale=one(0.1, 0.3, -0.2),
        soft_cap=one(0.0, 0.0, 3.0),
        causal=one(False, True),
        window=one(0, 0, 5, 100),
        mask=one(None, None, "b", "bhq", "h"),
        bias=one(None, None, "bhq", "h", "b", "q"),
        segments=one(False, False, True),
        dropout_rate=one(0.0, 0.0, 0.1),
        padding=one(0, 0, 8, 3),
        seed=(int(rng.integers(2**32)), int(rng.integers(2**32))),
    )


def check(library: Library, count: int) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    wrong = []
    for number in range(count):
        case = chance_case(rng)
        data = draw(case, number)
        found, again = (run(library, case, data, Gpu()) for _ in range(2))
        off = {name: pair for name, pair in errors(case, data, found).items() if not pair[0] <= pair[1]}
        changed = [name for name in found if not np.array_equal(found[name], again[name], equal_nan=True)]
        if off or changed:
            wrong.append({"case": str(case), "off_and_allowed": off, "not_the_same_bits_twice": changed})
    return {"cases": count, "wrong": wrong}


def milliseconds(functions: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Medians of interleaved runs."""
    import torch

    times: dict[str, list[float]] = {name: [] for name in functions}
    for turn in range(RUNS + 3):
        for name, function in functions.items():
            begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            begin.record()
            function()
            end.record()
            end.synchronize()
            if turn >= 3:
                times[name].append(begin.elapsed_time(end))
    return {name: statistics.median(values) for name, values in times.items()}


def rivals(torch: Any, q: Any, k: Any, v: Any, causal: bool) -> dict[str, Callable[[], Any]]:
    """PyTorch's attention by each backend that takes the inputs, which are [batch, heads, rows, head_dim]."""
    from torch.nn.attention import SDPBackend, sdpa_kernel

    def call(backend: Any) -> Any:
        with sdpa_kernel(backend):
            return torch.nn.functional.scaled_dot_product_attention(
                q, k, v, is_causal=causal, enable_gqa=q.shape[1] != k.shape[1]
            )

    found = {}
    for name in ("FLASH_ATTENTION", "EFFICIENT_ATTENTION", "CUDNN_ATTENTION"):
        backend = getattr(SDPBackend, name, None)
        try:
            call(backend)
        except (RuntimeError, TypeError):
            continue
        found[name] = lambda backend=backend: call(backend)
    return found


def time_case(library: Library, shape: tuple, dtype: str, ceiling: float) -> list[dict[str, Any]]:
    import torch

    batch, heads, kv_heads, length, dim, causal = shape
    kind = getattr(torch, dtype)
    make = lambda count: torch.randn(batch, length, count, dim, device="cuda", dtype=kind)  # noqa: E731
    arrays = {"q": make(heads), "k": make(kv_heads), "v": make(kv_heads), "dout": make(heads)}
    arrays |= {"out": make(heads), "dq": make(heads), "dk": make(kv_heads), "dv": make(kv_heads)}
    arrays |= {name: torch.empty(batch, heads, length, device="cuda") for name in ("lse", "delta")}
    case = Case(batch, length, length, heads, kv_heads, dim, dtype, scale=dim**-0.5, causal=causal)
    problem = problem_of(case, arrays)
    stream = torch.cuda.current_stream().cuda_stream

    def both() -> None:
        library.forward(problem, stream)
        library.backward(problem, stream)

    q, k, v = (arrays[name].transpose(1, 2).detach().requires_grad_() for name in ("q", "k", "v"))
    dout = arrays["dout"].transpose(1, 2)
    theirs = rivals(torch, q, k, v, causal)
    forward = {name: (lambda call=call: call().detach()) for name, call in theirs.items()}
    gradient = {
        name: (lambda call=call: torch.autograd.grad(call(), (q, k, v), dout))
        for name, call in theirs.items()
    }
    rows = []
    for name, mine, rival, products in (
        ("forward", lambda: library.forward(problem, stream), forward, 2),
        ("both", both, gradient, 6),
    ):
        times = milliseconds({"ours": mine, **rival})
        ours = times.pop("ours")
        flops = products * 2 * batch * heads * length * length * dim / (2 if causal else 1)
        sdpa = min(times.values(), default=None)
        rows.append(
            {
                "case": dict(
                    zip(("batch", "heads", "kv_heads", "length", "head_dim", "causal"), shape, strict=True)
                ),
                "dtype": dtype,
                "pass": name,
                "ours_ms": ours,
                "sdpa_ms": sdpa,
                "ratio": None if sdpa is None else sdpa / ours,
                "tflops": flops / ours / 1e9,
                "of_ceiling": flops / ours / 1e9 / ceiling,
            }
        )
    return rows


def ceiling_of(dtype: str) -> float:
    """TFLOP/s of a large matrix product; float32 without TF32."""
    import torch

    torch.backends.cuda.matmul.allow_tf32 = False
    size = 8192 if dtype != "float32" else 4096
    a, b = (torch.randn(size, size, device="cuda", dtype=getattr(torch, dtype)) for _ in range(2))
    return 2 * size**3 / milliseconds({"product": lambda: a @ b})["product"] / 1e9


def main() -> int:
    parser = argparse.ArgumentParser(description="check and time attention on a GPU")
    parser.add_argument("--library", default=str(ROOT / "mmcore" / "_cuda.so"))
    parser.add_argument("--out", default="cuda_attention.json")
    parser.add_argument("--checks", type=int, default=300)
    arguments = parser.parse_args()
    try:
        import torch
    except ImportError:
        parser.error("needs PyTorch, for memory and as the rival: pip install torch")
    if not torch.cuda.is_available():
        parser.error("needs a GPU, and PyTorch sees none")
    library = Library(arguments.library)
    device = torch.cuda.get_device_properties(0)
    results: dict[str, Any] = {
        "device": {
            "name": device.name,
            "capability": f"{device.major}.{device.minor}",
            "processors": device.multi_processor_count,
            "torch": torch.__version__,
            "cuda": torch.version.cuda,
        },
        "checks": check(library, arguments.checks),
        "times": [],
    }
    ceilings = results["ceiling_tflops"] = {dtype: ceiling_of(dtype) for dtype in ("bfloat16", "float32")}
    for dtype in ceilings:
        for shape in TIMED:
            if dtype == "bfloat16" or shape[3] <= 4096:
                results["times"] += time_case(library, shape, dtype, ceilings[dtype])
    Path(arguments.out).write_text(json.dumps(results, indent=1))
    for row in results["times"]:
        ratio = "no rival" if row["ratio"] is None else f"{row['ratio']:.2f} x"
        print(
            row["dtype"],
            row["pass"],
            row["case"],
            f"{row['ours_ms']:.3f} ms",
            ratio,
            f"{row['of_ceiling']:.0%}",
        )
    print(f"{len(results['checks']['wrong'])} of {arguments.checks} checks wrong; written to {arguments.out}")
    return 1 if results["checks"]["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())

"""Calls the raw ops with hostile tensors and attributes; prints how each call ended, as JSON.

    python tests/ops/adversarial.py SEED COUNT

Run by test_adversarial.py in a process of its own, because what it looks for would end the process.
"""

from __future__ import annotations

import collections
import json
import struct
import sys

import numpy as np
import tensorflow as tf

from mmcore import _load
from mmcore.text import Tokenizer

# Sizes above 2^46 are more than an address space: none of them is ever really allocated.
INTEGERS = [-(2**63), -(2**31), -1, 0, 1, 2, 7, 1000, 2**46, 2**61, 2**62 + 1, 2**63 - 1]
SIDES = [-(2**63), -1, 0, 1, 3, 9, 2**24, 2**24 + 1, 2**62, 2**63 - 1]
DIMENSIONS = [0, 1, 2, 3, 5]
HUGE = [2**20, 2**31, 2**40, 2**62]
DTYPES = [tf.uint8, tf.string, tf.float32, tf.int32, tf.int64, tf.bool, tf.bfloat16, tf.complex64, tf.qint8]
STRINGS = [
    b"",
    b"a",
    b"x" * 22,
    b"x" * 23,
    b"red square " * 99,
    b"\xff\xfe",
    b"\0",
    "漢🙂".encode(),
    b"<s></s>",
]


def shape(rng: np.random.Generator, huge: bool) -> list[int]:
    """Ranks 0 to 9, a third of them an image or a batch; where an axis is empty others may be huge."""
    if rng.random() < 1 / 3:
        return [*map(int, rng.integers(1, 9, rng.integers(2, 4))), 3]
    dims = [int(rng.choice(DIMENSIONS)) for _ in range(rng.integers(0, 10))]
    while np.prod(dims, dtype=float) > 20_000:
        dims[int(np.argmax(dims))] = 1
    if huge and 0 in dims:
        dims = [int(rng.choice(HUGE)) if d > 1 and rng.random() < 0.5 else d for d in dims]
    return dims


def tensor(rng: np.random.Generator, dtype: tf.DType, dims: list[int]) -> tf.Tensor:
    size = 0 if 0 in dims else int(np.prod(dims, dtype=int))
    if dtype == tf.string:
        flat = tf.constant([STRINGS[i] for i in rng.integers(0, len(STRINGS), size)], tf.string, [size])
    else:
        flat = tf.cast(rng.integers(0, 256, size), dtype) if dtype != tf.qint8 else tf.zeros([size], dtype)
    return tf.reshape(flat, dims)


def any_tensor(rng: np.random.Generator, wanted: tf.DType) -> tf.Tensor:
    # In a graph TensorFlow's own optimiser ends the process on shapes of more than 2^63 elements.
    dtype = wanted if rng.random() < 0.75 else DTYPES[rng.integers(0, len(DTYPES))]
    return tensor(rng, dtype, shape(rng, huge=tf.executing_eagerly()))


def any_spec(rng: np.random.Generator, spec: bytes) -> tf.Tensor:
    """Mostly right, else cut, with changed bytes, or no specification at all."""
    kind = rng.random()
    if kind < 0.6:
        return tf.constant(spec)
    if kind < 0.7:
        return any_tensor(rng, tf.string)
    if kind < 0.8:
        return tf.constant(spec[: rng.integers(0, len(spec))])
    changed = bytearray(spec)
    for at in rng.integers(0, min(len(spec), 400), rng.integers(1, 6)):
        changed[at] = rng.choice([0, 1, 127, 255])
    return tf.constant(bytes(changed))


def call_tokenize(rng: np.random.Generator, spec: bytes) -> tf.Tensor:
    return (
        _load.kernels()
        .mmcore_tokenize(
            spec=any_spec(rng, spec),
            strings=any_tensor(rng, tf.string),
            max_length=int(rng.choice(INTEGERS)),
            add_special=bool(rng.integers(2)),
            truncate=bool(rng.integers(2)),
            special=str(rng.choice(["parse", "text", "error", "", "no"], p=[0.4, 0.2, 0.2, 0.1, 0.1])),
        )
        .ids
    )


def any_ids(rng: np.random.Generator, dims: list[int]) -> tf.Tensor:
    """Mostly ids of the vocabulary, else any number."""
    if rng.random() < 0.2:
        return any_tensor(rng, tf.int32)
    size = 0 if 0 in dims else int(np.prod(dims, dtype=int))
    ids = rng.integers(0, 280, size) if rng.random() < 0.7 else rng.choice(INTEGERS, size)
    return tf.reshape(tf.cast(ids, [tf.int32, tf.int64][rng.integers(2)]), dims)


def call_detokenize(rng: np.random.Generator, spec: bytes) -> tf.Tensor:
    dims = shape(rng, huge=tf.executing_eagerly())
    same = rng.random() < 0.8
    return _load.kernels().mmcore_detokenize(
        spec=any_spec(rng, spec),
        ids=any_ids(rng, dims),
        mask=tensor(rng, tf.bool, dims if rng.random() < 0.6 else []) if same else any_tensor(rng, tf.bool),
        skip_special=bool(rng.integers(2)),
    )


def call_detokenize_ragged(rng: np.random.Generator, spec: bytes) -> tf.Tensor:
    size = int(rng.integers(0, 20))
    splits = np.sort([0, size, *rng.integers(0, size + 1, 4)])
    if rng.random() < 0.4:
        splits = rng.choice([*INTEGERS, size], int(rng.integers(0, 4)))
    return _load.kernels().mmcore_detokenize_ragged(
        spec=any_spec(rng, spec),
        ids=any_ids(rng, [size]),
        row_splits=tf.constant(splits, tf.int64) if rng.random() < 0.9 else any_tensor(rng, tf.int64),
        skip_special=bool(rng.integers(2)),
    )


def call_resize_normalize(rng: np.random.Generator, _: bytes) -> tf.Tensor:
    numbers = [0.5] * 6
    if rng.random() < 0.2:
        numbers = rng.choice([0.0, 1.0, -1.0, 1e-320, 1e308, np.nan, np.inf], 6)
    mean_std = struct.pack("=6d", *numbers)[: int(rng.choice([16, 48, rng.integers(48)], p=[0.2, 0.7, 0.1]))]
    size = int(rng.choice(SIDES)) if rng.random() < 0.5 else 4
    return _load.kernels().mmcore_resize_normalize(
        images=any_tensor(rng, tf.uint8),
        size=size,
        shorter=size if rng.random() < 0.7 else int(rng.choice(SIDES)),
        crop=str(rng.choice(["center", "none", "other"], p=[0.5, 0.4, 0.1])),
        resize=str(
            rng.choice(["bicubic", "bilinear", "nearest", "lanczos", "\0"], p=[0.3, 0.2, 0.2, 0.2, 0.1])
        ),
        mean_std=mean_std,
        layout=str(rng.choice(["NHWC", "NCHW", "CHW"], p=[0.5, 0.4, 0.1])),
        dtype=[tf.float32, tf.uint8, tf.bfloat16, tf.half, tf.string][rng.integers(5)],
    )


def call_image_patches(rng: np.random.Generator, _: bytes) -> tf.Tensor:
    mean_std = struct.pack("=6d", *[0.5] * 6)[: int(rng.choice([16, 48, 47, 0], p=[0.15, 0.7, 0.1, 0.05]))]
    # Patches of 2^24 pixels a side are memory that exists: their number decides.
    size = int(rng.choice([s for s in SIDES if s != 2**24])) if rng.random() < 0.3 else 4
    most = int(rng.choice([s for s in INTEGERS if s < 2**40 or s > 2**60])) if rng.random() < 0.3 else 5
    cut = _load.kernels().mmcore_image_patches(
        images=any_tensor(rng, tf.uint8),
        patch_size=size,
        max_patches=most,
        resize=str(rng.choice(["bilinear", "bicubic", "\0"], p=[0.5, 0.4, 0.1])),
        mean_std=mean_std,
        dtype=[tf.float32, tf.uint8, tf.bfloat16, tf.half, tf.string][rng.integers(5)],
    )
    return cut.patches


FILES = [
    bytes(tf.io.encode_jpeg(np.full([9, 13, 3], 77, np.uint8)).numpy()),
    bytes(tf.io.encode_png(np.full([9, 13, 4], 77, np.uint8)).numpy()),
    b"GIF89a\x02\0\x01\0\0\0\0,\0\0\0\0\x02\0\x01\0\0\x07\x03\x80\x01\x06\0;",
    struct.pack("<2sIHHIIiiHHIIiiII", b"BM", 54 + 48, 0, 0, 54, 40, 4, 4, 1, 24, 0, 0, 0, 0, 0, 0)
    + bytes(48),
]


def any_file(rng: np.random.Generator, files: list[bytes]) -> tf.Tensor:
    """Mostly a file, a third of them damaged, else any tensor."""
    if rng.random() < 0.25:
        return any_tensor(rng, tf.string)
    data = bytearray(files[rng.integers(len(files))])
    if rng.random() < 1 / 3:
        for at in rng.integers(0, len(data), rng.integers(1, 4)):
            data[at] = rng.choice([0, 1, 127, 255])
    return tf.constant(bytes(data))


def any_key(rng: np.random.Generator) -> tf.Tensor:
    return tf.constant("key") if rng.random() < 0.9 else any_tensor(rng, tf.string)


def call_image_header(rng: np.random.Generator, _: bytes) -> tf.Tensor:
    return (
        _load.kernels()
        .mmcore_image_header(
            contents=any_file(rng, FILES),
            key=any_key(rng),
            formats=str(rng.choice(["JPEG, PNG, GIF, BMP", "JPEG", ""], p=[0.8, 0.1, 0.1])),
            max_pixels=1000 if rng.random() < 0.7 else int(rng.choice(INTEGERS)),
            fast_side=int(rng.choice(INTEGERS)),
            alpha=bool(rng.integers(2)),
        )
        .decoder
    )


def call_decode_pixels(rng: np.random.Generator, _: bytes) -> tf.Tensor:
    return _load.kernels().mmcore_decode_pixels(
        contents=any_file(rng, FILES[2:] if rng.random() < 0.8 else FILES),
        key=any_key(rng),
        channels=int(rng.choice([3, 4, 0, -1, 2**62], p=[0.4, 0.4, 0.1, 0.05, 0.05])),
        max_pixels=int(rng.choice([1000, 1_000_000, 0, -1, -(2**63)], p=[0.6, 0.2, 0.1, 0.05, 0.05])),
    )


def call_upright(rng: np.random.Generator, _: bytes) -> tf.Tensor:
    return _load.kernels().mmcore_upright(
        pixels=any_tensor(rng, tf.uint8),
        orientation=tf.constant(int(rng.choice([*range(-1, 10), 2**31 - 1, -(2**31)])))
        if rng.random() < 0.9
        else any_tensor(rng, tf.int32),
        background=[b"abc", b"\0\0\0", b"ab", b""][rng.choice(4, p=[0.4, 0.4, 0.1, 0.1])],
    )


def any_numbers(rng: np.random.Generator) -> bytes:
    """A specification of an augmentation, sometimes cut or with a number replaced."""
    numbers = [1, 1, 0.08, 1, 0.75, 1.4, 2, 0.5, 3, 0.6, 1.4, 1, 1, 0.5, 2, -0.1, 0.1, 1, 5, 2, 0.3, 0, 32767]
    if rng.random() < 0.4:
        numbers[rng.integers(len(numbers))] = rng.choice([-1.0, 0.0, 0.5, 2.0, 7.0, 1e308, np.nan, np.inf])
    data = struct.pack(f"={len(numbers)}d", *numbers)
    return data if rng.random() < 0.8 else data[: rng.integers(len(data))]


def call_augment(rng: np.random.Generator, _: bytes) -> tf.Tensor:
    dims = shape(rng, huge=False)
    plain = rng.random() < 0.5
    images = tf.zeros([2, 5, 6, 3], tf.uint8) if plain else any_tensor(rng, tf.uint8)
    return _load.kernels().mmcore_augment(
        images=images,
        indices=tf.constant([1, -1], tf.int64) if plain else tensor(rng, tf.int64, dims),
        seed=tf.constant(3, tf.int64) if rng.random() < 0.8 else tensor(rng, tf.int64, dims),
        spec=any_numbers(rng),
        height=int(rng.choice([s for s in SIDES if s != 2**24])) if rng.random() < 0.3 else 4,
        width=5,
        resize=str(rng.choice(["bicubic", "nearest", "\0"], p=[0.5, 0.4, 0.1])),
        layout=str(rng.choice(["NHWC", "NCHW", "CHW"], p=[0.5, 0.4, 0.1])),
        mean_std=struct.pack("=6d", *[0.5] * 6)[: int(rng.choice([48, 47, 0], p=[0.8, 0.1, 0.1]))],
        dtype=[tf.float32, tf.uint8, tf.bfloat16, tf.half, tf.string][rng.integers(5)],
    )


def call_mix(rng: np.random.Generator, _: bytes) -> tf.Tensor:
    plain = rng.random() < 0.6
    dims = shape(rng, huge=False)
    alpha = struct.pack("=d", rng.choice([0.0, 0.2, 1.0, np.nan, 1e308]))
    mixed = _load.kernels().mmcore_mix(
        images=tf.zeros([2, *rng.integers(0, 4, 3)]) if plain else any_tensor(rng, tf.float32),
        labels=tf.zeros([2, 3]) if plain else any_tensor(rng, tf.float32),
        seed=tf.constant(3, tf.int64),
        step=tf.constant(3, tf.int64) if rng.random() < 0.8 else tensor(rng, tf.int64, dims),
        kind=str(rng.choice(["mixup", "cutmix", "other"], p=[0.5, 0.4, 0.1])),
        alpha=alpha[: rng.choice([8, 7], p=[0.9, 0.1])],
    )
    return mixed.mixed


def any_attention(rng: np.random.Generator) -> dict:
    """Arguments of attention that mostly fit together; each tensor may be replaced, be missing, or be one too many."""
    dtype = tf.float32 if rng.random() < 0.8 else tf.bfloat16

    def some(wanted: tf.DType, dims: list[int]) -> tf.Tensor:
        if rng.random() < 0.05:
            return any_tensor(rng, wanted)
        return tensor(rng, wanted, [*dims[:-1], 0] if rng.random() < 0.03 else dims)

    def several(count: int, wanted: tf.DType, dims: list[int]) -> list[tf.Tensor]:
        count = 0 if rng.random() < 0.5 else count if rng.random() < 0.95 else 3
        return [some(wanted, dims) for _ in range(count)]

    numbers = [
        *rng.integers(0, 4, 2),
        0x3F000000,
        rng.choice([0, 0x40000000]),
        rng.choice([0, 0, 0x3E99999A]),
    ]
    numbers[0] = rng.integers(2)
    if rng.random() < 0.1:
        numbers[rng.integers(5)] = rng.choice(
            [*INTEGERS, 0x7FC00000, 0x7F800000, 0x3F800000, 0xBF800000, 2**32]
        )
    options = " ".join(map(str, numbers))
    if rng.random() < 0.1:
        options = rng.choice(
            [options + " 0", options[1:], options.replace(" ", "  "), "", "\0", "x" * 999, "1 1 1"]
        )
    return {
        "q": some(dtype, [2, 3, 4, 5]),
        "k": some(dtype, [2, 6, 2, 5]),
        "v": some(dtype, [2, 6, 2, 5]),
        "mask": several(1, tf.bool, [2, 1, 3, 6]),
        "bias": several(1, tf.float32, [1, 4, 1, 6]),
        "segments": [some(tf.int32, [2, size]) for size in (3, 6)]
        if rng.random() < 0.4
        else several(1, tf.int32, [2, 3]),
        "seed": several(1, tf.int32, [2]) if "1050253722" not in options else [some(tf.int32, [2])],
        "options": options,
    }


def call_attention(rng: np.random.Generator, _: bytes) -> tf.Tensor:
    return _load.kernels().mmcore_attention(**any_attention(rng)).out


def call_attention_grad(rng: np.random.Generator, _: bytes) -> tf.Tensor:
    given = any_attention(rng)
    out, dout = (
        any_tensor(rng, given["q"].dtype)
        if rng.random() < 0.05
        else tensor(rng, given["q"].dtype, [2, 3, 4, 5])
        for _ in range(2)
    )
    lse = any_tensor(rng, tf.float32) if rng.random() < 0.05 else tensor(rng, tf.float32, [2, 4, 3])
    return _load.kernels().mmcore_attention_grad(**given, out=out, lse=lse, dout=dout).dk


def any_norm(rng: np.random.Generator, count: int) -> dict:
    """Arguments of a norm that mostly fit together: x and dy or x alone as "x", `count` rows of its width."""
    dtype = tf.float32 if rng.random() < 0.7 else tf.bfloat16
    dims = shape(rng, huge=tf.executing_eagerly()) if rng.random() < 0.3 else [2, 3, 5]

    def some(wanted: tf.DType, dims: list[int]) -> tf.Tensor:
        return any_tensor(rng, wanted) if rng.random() < 0.07 else tensor(rng, wanted, dims)

    options = f"{rng.choice([897988541, 0, 0x7FC00000, 0x7F800000, 0xBF800000, 2**32])} {rng.integers(3)}"
    if rng.random() < 0.7:
        options = "897988541 1"
    width = dims[-1:] if dims and dims[-1] < 2**20 else [3]
    rows = [some(tf.float32, width) for _ in range(count)]
    return {"x": [some(dtype, dims) for _ in range(2)], "rows": rows, "options": options}


def call_norm(rng: np.random.Generator, _: bytes) -> tf.Tensor:
    given = any_norm(rng, int(rng.choice([1, 2, 3], p=[0.4, 0.5, 0.1])))
    scale, *bias = given["rows"]
    return _load.kernels().mmcore_norm(x=given["x"][0], scale=scale, bias=bias, options=given["options"])


def call_norm_grad(rng: np.random.Generator, _: bytes) -> tf.Tensor:
    given = any_norm(rng, 1)
    x, dy = given["x"]
    biases = int(rng.choice([0, 1, 2], p=[0.4, 0.5, 0.1]))
    return (
        _load.kernels()
        .mmcore_norm_grad(x=x, scale=given["rows"][0], dy=dy, options=given["options"], num_biases=biases)
        .dscale
    )


def call_sum_of_squares(rng: np.random.Generator, _: bytes) -> tf.Tensor:
    return _load.kernels().mmcore_sum_of_squares(
        x=[any_tensor(rng, tf.float32) for _ in range(rng.integers(4))]
    )


def call_pack(rng: np.random.Generator, _: bytes) -> tf.Tensor:
    size = int(rng.integers(0, 20))
    splits = np.sort([0, size, *rng.integers(0, size + 1, 4)])
    if rng.random() < 0.3:
        splits = rng.choice([*INTEGERS, size], int(rng.integers(0, 4)))
    # A result of 2^31 rows would be asked of the system for seconds: more than 1 TiB is refused, 2^14 is made.
    return (
        _load.kernels()
        .mmcore_pack(
            values=tensor(rng, tf.int32, [size, int(rng.integers(0, 4))])
            if rng.random() < 0.8
            else any_tensor(rng, tf.int32),
            row_splits=tf.constant(splits, tf.int64) if rng.random() < 0.9 else any_tensor(rng, tf.int64),
            length=int(rng.choice(SIDES)) if rng.random() < 0.3 else 20,
            rows=int(rng.choice([0, 1, 5, 2**14, -1, 2**62])) if rng.random() < 0.5 else 0,
            max_segments=int(rng.choice([0, 1, 7, -1, 2**62], p=[0.5, 0.2, 0.2, 0.05, 0.05])),
            longest_first=bool(rng.integers(2)),
            truncate=bool(rng.integers(2)),
        )
        .packed
    )


CALLS = (
    call_attention,
    call_attention_grad,
    call_norm,
    call_norm_grad,
    call_sum_of_squares,
    call_tokenize,
    call_detokenize,
    call_detokenize_ragged,
    call_resize_normalize,
    call_image_patches,
    call_image_header,
    call_decode_pixels,
    call_upright,
    call_augment,
    call_mix,
    call_pack,
)


def in_graph(call, rng: np.random.Generator, spec: bytes) -> tf.Tensor:
    """The same call inside a graph: the shape functions run too."""
    return tf.function(lambda: call(rng, spec))()


def main(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    spec = Tokenizer.train([s for s in STRINGS if s.isascii()], vocab_size=280).spec
    outcomes: collections.Counter[str] = collections.Counter()
    for i in range(count):
        for call in CALLS:
            print(call.__name__, seed, i, file=sys.stderr, flush=True)
            try:
                (call(rng, spec) if rng.random() < 0.8 else in_graph(call, rng, spec)).numpy()
                outcomes[f"{call.__name__} done"] += 1
            except (tf.errors.OpError, TypeError, ValueError) as error:
                outcomes[f"{call.__name__} {type(error).__name__}"] += 1
    print(json.dumps(outcomes))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))

"""Types of the compiled binding; what the functions do is said where `mmcore.text` and `mmcore.image` call them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

def set_num_threads(num_threads: int) -> None: ...
def num_threads() -> int: ...
def usable_cores() -> int: ...
def detected_isa() -> str: ...
def active_isa() -> str: ...
def code_point(code_point: int) -> tuple: ...
def image_normalization_table(mean: Sequence[float], std: Sequence[float]) -> NDArray[np.float32]: ...
def image_resize(
    image: NDArray[np.uint8],
    height: int,
    width: int,
    method: str,
    box: Sequence[float] | None = None,
    isa: str = "",
) -> NDArray[np.uint8]: ...
def image_resize_batch(
    images: Sequence[NDArray[np.uint8]],
    boxes: Sequence[Sequence[float]],
    windows: Sequence[Sequence[int]],
    flips: Sequence[bool],
    method: str,
    mean: Sequence[float],
    std: Sequence[float],
    threads: int,
    out: np.ndarray,
    isa: str = "",
) -> None: ...

class BpeTrainer:
    num_words: int
    def feed(self, texts: Sequence[str | bytes], threads: int) -> None: ...
    def train(
        self, vocab_size: int, min_frequency: int, reserved: Sequence[bytes], byte_order: bytes
    ) -> tuple[list[bytes], list[tuple[int, int]]]: ...

class Tokenizer:
    vocab_size: int
    num_special: int
    def __init__(self, spec: bytes) -> None: ...
    def encode(self, text: str | bytes, add_special: bool, special: str) -> list[int]: ...
    def decode(self, ids: Sequence[int], skip_special: bool) -> str: ...
    def offsets(self, text: str | bytes, add_special: bool, special: str) -> NDArray[np.int64]: ...
    def batch(
        self,
        texts: Sequence[str | bytes],
        max_length: int,
        pad: bool,
        truncate: bool,
        add_special: bool,
        special: str,
        threads: int,
    ) -> tuple[NDArray[np.int32], NDArray[np.bool_]]: ...
    def ragged(
        self,
        texts: Sequence[str | bytes],
        max_length: int,
        truncate: bool,
        add_special: bool,
        special: str,
        threads: int,
    ) -> tuple[NDArray[np.int32], NDArray[np.int64]]: ...

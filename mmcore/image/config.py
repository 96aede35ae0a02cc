"""preprocessor_config.json of Hugging Face: what it says as options of our preprocessors, or an error that names it."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from mmcore.errors import FormatError, LimitError
from mmcore.image.processor_defaults import ABOUT, DEFAULTS, EVERY, RESAMPLE

ConfigSource = str | os.PathLike | Mapping[str, Any]
_MAX_BYTES = 1 << 20
_FILES = ("preprocessor_config.json", "processor_config.json")
_ENDINGS = ("Pil", "Fast", "ImageProcessor", "FeatureExtractor")
_NEWER_CONVNEXT_SIDE = 384  # From here on ConvNeXt squashes instead of cropping.


def preprocessor_options(source: ConfigSource) -> dict[str, Any]:
    """Options of `Preprocessor`: size, shorter, resize, crop, mean and std.

    Raises:
        FormatError: it is no such file, or asks for something that `Preprocessor` does not do; the key is named.
        LimitError: the file is larger than 1 MiB.
        FileNotFoundError: there is none.
    """
    config = _Config(source)
    if config.kind == "Siglip2":
        config.fail("image_processor_type", "Siglip2ImageProcessor is read by PatchPreprocessor.from_config")
    config.must_be_true("do_resize")
    options = {"resize": config.resample(), **_geometry(config), **config.normalization()}
    config.refuse_the_rest()
    return options


def patch_options(source: ConfigSource) -> dict[str, Any]:
    """Options of `PatchPreprocessor`: patch_size, max_patches, resize, mean and std. Raises as above."""
    config = _Config(source)
    if config.kind != "Siglip2":
        config.fail(
            "image_processor_type", "only Siglip2ImageProcessor makes patches; use Preprocessor.from_config"
        )
    config.must_be_true("do_resize")
    options = {
        "patch_size": config.whole("patch_size"),
        "max_patches": config.whole("max_num_patches"),
        "resize": config.resample(),
        **config.normalization(),
    }
    config.refuse_the_rest()
    return options


def _geometry(config: _Config) -> dict[str, Any]:
    """size, shorter and crop of a preprocessor."""
    size = config.size("size", config.get("default_to_square"))
    crop = config.size("crop_size", True) if config.flag("do_center_crop") else None
    if config.get("crop_pct") is not None:
        if "shortest_edge" not in size or crop is not None:
            config.fail("crop_pct", "it goes with a size of {'shortest_edge': n} and no do_center_crop")
        return _convnext(size["shortest_edge"], config.number("crop_pct"))
    if crop is not None and (set(crop) != {"height", "width"} or crop["height"] != crop["width"]):
        config.fail("crop_size", f"only a square is supported, found {crop}")
    if set(size) == {"height", "width"}:
        side = config.square("size", size)
        if crop is not None and crop != size:
            config.fail("crop_size", f"a crop after squashing to {size} is not supported, found {crop}")
        return {"size": side, "crop": None}
    if set(size) != {"shortest_edge"}:
        config.fail("size", f"expected 'shortest_edge', or 'height' and 'width', found {sorted(size)}")
    if crop is None:
        config.fail("do_center_crop", "without it images of several shapes do not make a batch")
    if crop["height"] > size["shortest_edge"]:
        config.fail(
            "crop_size", f"{crop['height']} is larger than the shortest edge: padding is not supported"
        )
    return {"size": crop["height"], "shorter": size["shortest_edge"], "crop": "center"}


def _convnext(side: int, crop_pct: float) -> dict[str, Any]:
    if side >= _NEWER_CONVNEXT_SIDE:
        return {"size": side, "crop": None}
    return {"size": side, "shorter": int(side / crop_pct), "crop": "center"}


class _Config:
    """A file's keys over the defaults of its kind; remembers which were asked for."""

    def __init__(self, source: ConfigSource):
        given, self.where = _read(source)
        self.given = {key: value for key, value in given.items() if value is not None}
        self.kind = self._kind()
        self.values = {**EVERY, **DEFAULTS.get(self.kind or "", {}), **self.given}
        self.asked: set[str] = set()

    def fail(self, key: str, reason: str) -> NoReturn:
        raise FormatError(f"{self.where}: {key}: {reason}")

    def _kind(self) -> str | None:
        """Which processor it is for, without the endings of its versions; None where the file does not say."""
        key = "image_processor_type" if "image_processor_type" in self.given else "feature_extractor_type"
        name = self.given.get(key)
        if name is None:
            return None
        kind = str(name)
        for ending in _ENDINGS:
            kind = kind.removesuffix(ending)
        if kind not in DEFAULTS:
            known = ", ".join(DEFAULTS)
            self.fail(
                key,
                f"{name!r:.60} may have rules of its own and is not supported; known are those of {known}",
            )
        return kind

    def get(self, key: str) -> Any:
        self.asked.add(key)
        return self.values.get(key)

    def needed(self, key: str) -> Any:
        value = self.get(key)
        if value is None:
            self.fail(
                key, "it is missing, and nothing here says what it is by default; write it into the file"
            )
        return value

    def flag(self, key: str) -> bool:
        value = self.needed(key)
        if not isinstance(value, bool):
            self.fail(key, f"expected true or false, found {value!r:.40}")
        return value

    def must_be_true(self, key: str) -> None:
        if not self.flag(key):
            self.fail(key, "images that are not resized are not supported")

    def number(self, key: str) -> float:
        value = self.needed(key)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < math.inf:
            self.fail(key, f"expected a positive number, found {value!r:.40}")
        return float(value)

    def whole(self, key: str) -> int:
        return self._whole(key, self.needed(key))

    def _whole(self, key: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 2**31:
            self.fail(key, f"expected a positive whole number, found {value!r:.40}")
        return value

    def resample(self) -> str:
        value = self.needed("resample")
        if isinstance(value, bool) or not isinstance(value, int) or value not in RESAMPLE:
            self.fail("resample", f"expected one of {RESAMPLE}, found {value!r:.40}")
        return RESAMPLE[value]

    def size(self, key: str, square: bool | None) -> dict[str, int]:
        """A size by edges; one number means what `square` says."""
        value = self.needed(key)
        if isinstance(value, Mapping):
            return {str(edge): self._whole(key, side) for edge, side in value.items() if side is not None}
        side = self._whole(key, value)
        if square is None:
            self.fail(key, f"write {{'shortest_edge': {side}}} or {{'height': {side}, 'width': {side}}}")
        return {"height": side, "width": side} if square else {"shortest_edge": side}

    def square(self, key: str, size: dict[str, int]) -> int:
        if size["height"] != size["width"]:
            self.fail(key, f"only a square is supported, found {size}")
        return size["height"]

    def normalization(self) -> dict[str, tuple[float, ...]]:
        """mean and std such that (v / 255 - mean) / std is what the file says."""
        scale = 255 * self.number("rescale_factor") if self.flag("do_rescale") else 255.0
        scale = 1.0 if math.isclose(scale, 1.0, rel_tol=1e-12) else scale
        normalize = self.flag("do_normalize")
        mean = self._channels("image_mean") if normalize else (0.0,) * 3
        std = self._channels("image_std") if normalize else (1.0,) * 3
        if min(std) <= 0:
            self.fail("image_std", f"expected positive numbers, found {std}")
        self.asked |= {"rescale_factor", "image_mean", "image_std"}
        return {"mean": tuple(m / scale for m in mean), "std": tuple(s / scale for s in std)}

    def _channels(self, key: str) -> tuple[float, ...]:
        value = self.needed(key)
        numbers = tuple(value) if isinstance(value, (list, tuple)) else (value,) * 3
        if len(numbers) != 3 or not all(isinstance(n, (int, float)) and math.isfinite(n) for n in numbers):
            self.fail(key, f"expected three numbers, found {value!r:.60}")
        return tuple(map(float, numbers))

    def refuse_the_rest(self) -> None:
        """Keys that nobody asked for; those that are off or empty change nothing."""
        unused_crop = {"crop_size"} if not self.values["do_center_crop"] else set()
        for key, value in self.given.items():
            known = key in self.asked | ABOUT | unused_crop or key.startswith("_")
            if not known and value is not False:
                self.fail(key, f"it is not supported, found {value!r:.60}; take it out if it does not matter")


def _read(source: ConfigSource) -> tuple[Mapping[str, Any], str]:
    """The keys, and what to call them in errors."""
    if isinstance(source, Mapping):
        return source, "preprocessor config"
    path = Path(source)
    if path.is_dir():
        path = next((path / name for name in _FILES if (path / name).exists()), path / _FILES[0])
    with open(path, "rb") as file:
        data = file.read(_MAX_BYTES + 1)
    if len(data) > _MAX_BYTES:
        raise LimitError(f"{path} is larger than {_MAX_BYTES} bytes, which no preprocessor_config.json is")
    try:
        config = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{path} is no JSON file: {type(error).__name__}: {error}") from error
    if isinstance(config, dict) and isinstance(config.get("image_processor"), dict):
        config = config["image_processor"]  # A processor_config.json holds the tokenizer's side too.
    if not isinstance(config, dict):
        raise FormatError(f"{path} must hold one JSON object, found {type(config).__name__}")
    return config, str(path)

"""Records what Hugging Face's image processors give: python tests/golden/record_image_processors.py

Needs pip install -e '.[parity]'. Values are float32, little-endian, in base64.
"""

from __future__ import annotations

import base64
import datetime
import json
import sys
from pathlib import Path

import numpy as np
import PIL

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "helpers"))
import image_processors as originals  # noqa: E402

SIDE, PICTURES = 9, [(50, 71), (71, 50), (33, 300)]
PATCHES = {"patch_size": 4, "max_num_patches": 7}


def small(config: dict) -> dict:
    """The configuration with a size that makes few numbers."""
    if "Siglip2" in config["image_processor_type"]:
        return {**config, **PATCHES}
    square = originals.square(SIDE)
    size = {"shortest_edge": SIDE} if "shortest_edge" in config["size"] else square
    return {**config, "size": size, **({"crop_size": square} if "crop_size" in config else {})}


def encoded(array: np.ndarray) -> dict:
    kind = "<f4" if array.dtype.kind == "f" else "<i4"
    return {
        "shape": array.shape,
        "type": kind,
        "data": base64.b64encode(array.astype(kind).tobytes()).decode(),
    }


def main() -> None:
    import transformers

    chosen = {name: originals.CONFIGS[name] for name in ("clip", "siglip", "vit", "convnext with a crop")}
    chosen["siglip 2"] = originals.PATCH_CONFIGS["siglip 2"]
    cases = [
        {
            "name": name,
            "config": small(config),
            "picture": size,
            "results": {
                key: encoded(value)
                for key, value in originals.run(small(config), originals.picture(*size)).items()
            },
        }
        for name, config in chosen.items()
        for size in PICTURES
    ]
    record = {
        "tool": f"transformers {transformers.__version__}, Pillow-based processors",
        "pillow": PIL.__version__,
        "numpy": np.__version__,
        "date": datetime.date.today().isoformat(),
        "cases": cases,
    }
    (HERE / "image_processors.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

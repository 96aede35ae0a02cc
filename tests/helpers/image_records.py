"""What Hugging Face's image processors gave when tests/golden/record_image_processors.py was run."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np

RECORD = json.loads((Path(__file__).parents[1] / "golden" / "image_processors.json").read_text("utf-8"))


def recorded(case: dict[str, Any]) -> dict[str, np.ndarray]:
    return {
        key: np.frombuffer(base64.b64decode(value["data"]), value["type"]).reshape(value["shape"])
        for key, value in case["results"].items()
    }

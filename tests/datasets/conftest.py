"""A small data set in every layout: three images, three classes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from boxless import Card
from boxless.models.presets import PRESETS

SIZES = {"a.png": (60, 40), "b.png": (40, 40), "c.png": (20, 80)}
"""(width, height)."""


@pytest.fixture
def card() -> Card:
    """A model of three classes."""
    return Card(
        name="three",
        labels=("cat", "golden retriever", "cup"),
        class_ids=("n01", "n02", "n03"),
        presets=PRESETS,
        preprocessing="none",
        licence="Apache-2.0",
        source="a test",
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with three images in `images`."""
    (tmp_path / "images").mkdir()
    for name, size in SIZES.items():
        Image.new("RGB", size, (90, 120, 150)).save(tmp_path / "images" / name)
    return tmp_path


@pytest.fixture
def coco() -> dict[str, Any]:
    """COCO's data: one box each in a and b."""
    return {
        "images": [
            {"id": 7, "file_name": "a.png", "width": 60, "height": 40},
            {"id": 8, "file_name": "b.png", "width": 80, "height": 80},
        ],
        "annotations": [
            {"id": 1, "image_id": 7, "category_id": 18, "bbox": [10, 5, 20, 30]},
            {"id": 2, "image_id": 8, "category_id": 17, "bbox": [0, 40, 80, 40]},
        ],
        "categories": [{"id": 17, "name": "Cat"}, {"id": 18, "name": "golden_retriever"}, {"id": 19, "name": "yeti"}],
    }

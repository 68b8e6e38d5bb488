"""The small data set of `tests/datasets`."""

from __future__ import annotations

from tests.datasets.conftest import card, coco, folder

__all__ = ["card", "coco", "folder"]

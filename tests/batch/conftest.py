"""Small folders of real images, and jobs over them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, cast

import pytest

from boxless.batch.job import Job, Settings
from boxless.models.zoo import DEFAULT_MODEL

FAST = Settings(DEFAULT_MODEL, "fast")


@pytest.fixture
def album(images: Path, tmp_path: Path) -> Path:
    return album_in(tmp_path / "album", images)


def album_in(folder: Path, images: Path) -> Path:
    """Seven images in three folders, one of them no image, and files that are none."""
    for name in ("b/coffee.jpg", "b/10.jpg", "b/9.jpg", "a.jpg", "a/z.jpg", "c/d/rocket.jpg"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(images / ("rocket.jpg" if "rocket" in name else "coffee.jpg"), folder / name)
    (folder / "c/broken.jpg").write_text("text")
    (folder / "c/notes.md").write_text("text")
    (folder / ".hidden.jpg").write_text("text")
    return folder


def job(source: object, out: Path, **options: object) -> Job:
    """A job with little shards as JSON, the fast preset."""
    sources = tuple(map(str, source)) if isinstance(source, (list, tuple)) else (str(source),)
    return Job(
        sources, str(out), **cast("dict[str, Any]", {"settings": FAST, "format": "jsonl", "shard": 3, **options})
    )


def rows_in(out: Path) -> list[dict[str, Any]]:
    """The rows of a folder of results as JSON, in order."""
    return [json.loads(line) for part in sorted(out.glob("part-*.jsonl")) for line in part.read_text().splitlines()]

"""Nearly the same images are found, others are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from boxless.learning.report.duplicates import near_duplicates


def test_copies_are_found(images: Path, tmp_path: Path) -> None:
    known = sorted(images.glob("*.jpg"))
    coffee = Image.open(images / "coffee.jpg")
    copies = {
        "smaller.png": coffee.resize((200, 133)),
        "coarse.jpg": coffee,
        "mirrored.png": ImageOps.mirror(coffee),
        "darker.png": coffee.point(lambda value: value * 0.8),
        "cropped.png": coffee.crop((25, 15, 590, 385)),
    }
    for name, copy in copies.items():
        copy.save(tmp_path / name, quality=15)
    found = near_duplicates(known, sorted(tmp_path.iterdir()))
    assert {known[j].name for _, j, _ in found} == {"coffee.jpg"}
    assert len(found) == len(copies)
    assert [like for *_, like in found] == sorted((like for *_, like in found), reverse=True)


def test_others_are_not(images: Path, tmp_path: Path) -> None:
    Image.fromarray(np.full((32, 32, 3), 7, np.uint8)).save(tmp_path / "flat.png")
    Image.fromarray(np.full((32, 32, 3), 9, np.uint8)).save(tmp_path / "flat2.png")
    paths = sorted(images.glob("*.jpg"))
    assert near_duplicates([paths[0], tmp_path / "flat.png"], [*paths[1:], tmp_path / "flat2.png"]) == []
    assert near_duplicates(paths, []) == []


def test_real_images_of_one_class_are_told_apart(data: Path) -> None:
    folder = data / "tiny10"
    learned, held_out = (sorted((folder / split / "monarch").glob("*.JPEG")) for split in ("train", "val"))
    assert near_duplicates(learned, held_out) == []


def test_the_same_light_is_no_duplicate(data: Path) -> None:
    """Tiles photographed far apart in time are others, though their thumbnails are hardly told apart."""
    folder = data / "magnetic-tile"
    early = sorted((folder / "train/background").glob("exp1_num_1[0-4]????.jpg"))
    late = sorted((folder / "val/background").glob("exp1_num_[23]?????.jpg"))
    assert len(early) > 10
    assert len(late) > 10
    assert near_duplicates(early, late) == []


def test_the_same_tile_in_another_light_is_one(data: Path) -> None:
    folder = data / "magnetic-tile"
    learned = sorted((folder / "train").rglob("exp?_num_6984.jpg")) + sorted((folder / "train/crack").glob("*.jpg"))
    held_out = sorted((folder / "val").rglob("exp?_num_7036.jpg"))
    found = near_duplicates(learned, held_out)
    assert [(i, j) for i, j, _ in found] == [(0, 0)]

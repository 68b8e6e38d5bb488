"""Nearly the same pictures are found, others are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from boxless.training.duplicates import near_duplicates


def test_copies_are_found(pictures: Path, tmp_path: Path) -> None:
    known = sorted(pictures.glob("*.jpg"))
    coffee = Image.open(pictures / "coffee.jpg")
    copies = {
        "smaller.png": coffee.resize((200, 133)),
        "coarse.jpg": coffee,
        "mirrored.png": ImageOps.mirror(coffee),
        "darker.png": coffee.point(lambda value: value * 0.8),
    }
    for name, copy in copies.items():
        copy.save(tmp_path / name, quality=15)
    found = near_duplicates(known, sorted(tmp_path.iterdir()))
    assert {known[j].name for _, j, _ in found} == {"coffee.jpg"}
    assert len(found) == len(copies)
    assert [like for *_, like in found] == sorted((like for *_, like in found), reverse=True)


def test_others_are_not(pictures: Path, tmp_path: Path) -> None:
    Image.fromarray(np.full((32, 32, 3), 7, np.uint8)).save(tmp_path / "flat.png")
    Image.fromarray(np.full((32, 32, 3), 9, np.uint8)).save(tmp_path / "flat2.png")
    paths = sorted(pictures.glob("*.jpg"))
    assert near_duplicates([paths[0], tmp_path / "flat.png"], [*paths[1:], tmp_path / "flat2.png"]) == []
    assert near_duplicates(paths, []) == []


def test_real_pictures_of_one_class_are_told_apart(data: Path) -> None:
    folder = data / "tiny10"
    learned, held_out = (sorted((folder / split / "monarch").glob("*.JPEG")) for split in ("train", "val"))
    assert near_duplicates(learned, held_out) == []

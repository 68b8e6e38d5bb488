from __future__ import annotations

from pathlib import Path

from boxless.evaluation.dataset import read_coco


def test_reads_boxed_pictures(data: Path) -> None:
    pictures = read_coco(data / "ilsvrc-dev/annotations.json", data / "ilsvrc-dev/images")
    assert len(pictures) == 650
    assert sum(len(picture.boxes) for picture in pictures) == 1018
    assert all(picture.path.is_file() for picture in pictures)
    boxes = pictures[0].boxes
    assert (boxes[:, :2] < boxes[:, 2:]).all()

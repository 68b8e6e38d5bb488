"""Data sets of every format, one file of which is damaged."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PIL import Image
from tests.datasets.written import CLASSES, write

from boxless import Card
from boxless.annotation import read_inputs
from boxless.datasets.boxed import check_boxes, read_dataset
from boxless.datasets.formats import WRITTEN
from boxless.datasets.split import read_split
from boxless.errors import BoxlessError
from boxless.models.presets import PRESETS

_NAMES = ("a.png", "b.png", "c.png", "d.png")
_SUFFIXES = (".json", ".jsonl", ".xml", ".csv", ".yaml", ".txt")

CARD = Card("some", CLASSES, PRESETS, preprocessing="none", licence="Apache-2.0", source="a test")


def seeds(folder: Path) -> list[tuple[Path, Path]]:
    """What is written in each format, with masks where it has them, and what other programs write."""
    roots: list[Path] = []
    for name, format_ in WRITTEN.items():
        (folder / name).mkdir()
        write(name, folder / name / "out", masks=format_.masks, names=_NAMES)
        roots.append(folder / name / "out")
    foreign = {"labels.csv": "path;label;split\na.png;cat|dog;train\nb.png;dog;val\nc.png;cat;\nd.png;cat;\n",
               "localization.txt": "a.png,1,2,3,4\nb.png,mask.png,\n",
               "list.txt": "a.png\nb.png\n./c.png\n"}  # fmt: skip
    for name, text in foreign.items():
        root = folder / Path(name).stem
        root.mkdir()
        for image in (*_NAMES, "mask.png"):
            Image.new("L", (60, 40), 255).save(root / image)
        (root / name).write_text(text, encoding="utf-8")
        roots.append(root)
    (folder / "localization/class_labels.txt").write_text("a.png,0\nb.png,1\nc.png,2\n", encoding="utf-8")
    (folder / "list/data.yaml").write_text("train: list.txt\nval: list.txt\nnames: [cat, dog]\n", encoding="utf-8")
    (folder / "list/a.txt").write_text("0 0.5 0.5 0.5 0.5\n1 0 0 0 1 1 1\n", encoding="utf-8")
    found = []
    for root in roots:
        found += [(root, file) for file in sorted(root.rglob("*")) if file.suffix in _SUFFIXES]
    return found


def attempt(root: Path, file: Path) -> None:
    """Reads it as `boxless evaluate`, `fit` and `annotate` do."""
    for path in (root, file):
        _answered(partial(_evaluated, path))
        _answered(partial(read_split, path))
        _answered(partial(check_boxes, path, CLASSES))
        _answered(partial(read_inputs, path))


def _evaluated(path: Path) -> None:
    boxed = read_dataset(path, CARD)
    list(boxed.notes)
    for each in boxed.images:
        assert (each.boxes[:, :2] < each.boxes[:, 2:]).all()
        if each.mask is not None:
            assert each.mask.read(*each.size).shape == each.size


def _answered(step: Callable[[], object]) -> None:
    try:
        step()
    except BoxlessError as error:
        assert str(error) and len(str(error)) < 20_000, "an answer that nobody reads"

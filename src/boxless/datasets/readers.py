"""Opens a data set in any layout that is known."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from boxless.datasets.coco import read_coco
from boxless.datasets.csv_boxes import read_csv
from boxless.datasets.dataset import BoxedSet
from boxless.datasets.folders import read_folders
from boxless.datasets.voc import read_voc
from boxless.datasets.wsol import read_wsol
from boxless.errors import DatasetError
from boxless.models.card import Card

READERS: dict[str, Callable[[Path, Card, Path | None], BoxedSet]] = {
    "coco": read_coco,
    "voc": read_voc,
    "folder+csv": read_csv,
    "wsol": read_wsol,
    "folders": read_folders,
}
"""By the name of the layout."""


def read_dataset(path: Path, card: Card, layout: str | None = None, pictures: Path | None = None) -> BoxedSet:
    """A data set, read by the reader of its layout.

    Args:
        path: the annotations' file, or the folder that holds them.
        card: of the model whose classes count.
        layout: one of `READERS`; told from the files where None.
        pictures: the folder of the pictures; searched for near the annotations where None.

    Raises:
        DatasetError: if there is no such data set, its layout is not known, or none of its pictures can be measured.
    """
    if not path.exists():
        raise DatasetError(f"no data set '{path}' (expected annotations, or a folder that holds them)")
    if pictures is not None and not pictures.is_dir():
        raise DatasetError(f"no folder of pictures '{pictures}'")
    if layout is not None and layout not in READERS:
        raise DatasetError(f"no layout '{layout}' (there are {', '.join(READERS)})")
    layout = layout or _layout_of(path)
    boxed = READERS[layout](_file_of(path, layout), card, pictures)
    if not boxed.pictures:
        why = "; ".join(boxed.notes) or "it names none"
        raise DatasetError(f"{path}: no picture to measure on ({why})")
    return boxed


def _layout_of(path: Path) -> str:
    by_suffix = {".json": "coco", ".csv": "folder+csv", ".tsv": "folder+csv"}
    if path.is_file():
        if path.suffix.lower() in by_suffix:
            return by_suffix[path.suffix.lower()]
        raise DatasetError(f"{path}: not a data set that is known (expected .json, .csv, or a folder)")
    if (path / "localization.txt").is_file():
        return "wsol"
    if (path / "Annotations").is_dir() or any(path.glob("*.xml")):
        return "voc"
    for suffix in by_suffix:
        if any(path.glob(f"*{suffix}")) or (suffix == ".json" and any(path.glob("annotations/*.json"))):
            return by_suffix[suffix]
    return "folders"


def _file_of(path: Path, layout: str) -> Path:
    """The one file of annotations in a folder, for the layouts that have one."""
    suffixes = {"coco": (".json",), "folder+csv": (".csv", ".tsv")}.get(layout, ())
    if path.is_file() and not suffixes:
        raise DatasetError(f"{path}: a file (expected the folder of a data set in the layout '{layout}')")
    if path.is_file() or not suffixes:
        return path
    files = sorted(each for each in path.iterdir() if each.suffix.lower() in suffixes)
    files = files or sorted((path / "annotations").glob("*.json"))
    if len(files) != 1:
        names = ", ".join(each.name for each in files) or "none"
        raise DatasetError(f"{path}: {len(files)} files that may be the annotations ({names}): name the one")
    return files[0]

"""Reads pictures with their classes: a folder a class, or a CSV of paths and labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from boxless.datasets.labelled import LabelledPictures
from boxless.datasets.listed import read_listed
from boxless.errors import DatasetError, PictureError
from boxless.imaging.containers import SUFFIXES
from boxless.imaging.read import pictures_in
from boxless.system.files import as_text

_LISTED = 5


def read_labelled(source: Path) -> dict[str, LabelledPictures]:
    """Pictures with their classes, by split.

    Args:
        source: a folder with a sub-folder of pictures for each class; or a CSV with a header: a column `path`
            (relative to the CSV), a column `label` (several labels with | between, or a line for each), and maybe
            a column `split`.

    Returns:
        The pictures by the name of their split; all under "" where none is named. All know the same classes.

    Raises:
        DatasetError: if there is no such file, or its layout is another.
    """
    if source.is_dir():
        return {"": _read_folders(source)}
    if source.is_file():
        return _read_csv(source)
    raise DatasetError(f"{source}: no such folder or file (expected a folder a class, or a CSV of path and label)")


def _read_folders(root: Path) -> LabelledPictures:
    folders = sorted(each for each in root.iterdir() if each.is_dir() and not each.name.startswith("."))
    loose = [each for each in root.iterdir() if each.suffix.lower() in SUFFIXES and not each.name.startswith(".")]
    if not folders:
        found = f"{len(loose)} pictures and no folders" if loose else "neither folders nor pictures"
        raise DatasetError(f"{root}: {found} (expected a folder a class, such as {root.name}/cat/1.jpg)")
    inside: dict[str, list[Path]] = {}
    for folder in folders:
        name = as_text(folder.name)  # a label
        try:
            inside[name] = pictures_in(folder)
        except PictureError:
            inside[name] = []
        if deeper := next((path for path in inside[name] if path.parent != folder), None):
            names = " or ".join(str(each) for each in folders[:3])
            raise DatasetError(
                f"{root}: folders of folders of pictures, such as {deeper.relative_to(root)} (expected a folder a "
                f"class, {root.name}/class/picture.jpg). Name the folder that holds the classes, maybe {names}, and "
                "the one to validate on with --val"
            )
    if empty := [name for name, paths in inside.items() if not paths]:
        raise DatasetError(f"{root}: no pictures in {_listed(empty)} (every folder is a class: fill it or remove it)")
    notes = (f"{len(loose)} pictures lie in no class's folder, such as {loose[0].name}",) if loose else ()
    labels = [(path, (name,)) for name, paths in inside.items() for path in paths]
    return _gather(root.name or str(root), labels, tuple(inside), notes=notes)


def _read_csv(file: Path) -> dict[str, LabelledPictures]:
    listed = read_listed(file)
    labels, splits = listed.labels, listed.splits
    if not listed.labelled:
        found = ", ".join(listed.columns)
        raise DatasetError(f"{file}: its first line names {found} (expected the columns path and label, maybe split)")
    if listed.incomplete:
        raise DatasetError(
            f"{file}: {len(listed.incomplete)} lines lack a path or a label ({_listed(listed.incomplete)}); a picture "
            "of nothing gets the label background"
        )
    if not labels:
        raise DatasetError(f"{file}: no lines below the first")
    classes = tuple(sorted({each for found in labels.values() for each in found}))
    several = any(len(found) > 1 for found in labels.values())
    return {
        split: _gather(
            file.stem,
            [(path, found) for path, found in labels.items() if splits[path] == split],
            classes,
            several=several,
        )
        for split in dict.fromkeys(splits.values())
    }


def _gather(
    name: str,
    labels: Sequence[tuple[Path, tuple[str, ...]]],
    classes: tuple[str, ...],
    *,
    several: bool = False,
    notes: tuple[str, ...] = (),
) -> LabelledPictures:
    if len(classes) < 2:
        raise DatasetError(
            f"{name}: one class, {classes[0]} (expected two or more: add pictures without it as a class background)"
        )
    index = {each: i for i, each in enumerate(classes)}
    targets = np.zeros((len(labels), len(classes)), np.float32)
    for row, (_, found) in zip(targets, labels, strict=True):
        row[[index[each] for each in found]] = 1.0
    return LabelledPictures(as_text(name), classes, tuple(path for path, _ in labels), targets, several, notes)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_LISTED]) + (f" and {len(names) - _LISTED} more" if len(names) > _LISTED else "")

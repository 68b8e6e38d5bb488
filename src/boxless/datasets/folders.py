"""A folder of images for each class: no boxes, but classes."""

from __future__ import annotations

import os
from pathlib import Path

from boxless.datasets.dataset import SPLITS, AnnotatedImage, Annotation, Dataset
from boxless.datasets.notes import Notes
from boxless.errors import DatasetError, ImageError
from boxless.imaging.containers import SUFFIXES
from boxless.imaging.read import images_in
from boxless.system.files import as_text


def sub_folders(root: Path) -> list[Path]:
    """The folders in a folder, also by way of links; hidden ones are left out."""
    return sorted(each for each in root.iterdir() if each.is_dir() and not each.name.startswith("."))


def has_images(folder: Path) -> bool:
    """Whether images stand in a folder itself."""
    try:
        return any(each.suffix.lower() in SUFFIXES and not each.name.startswith(".") for each in folder.iterdir())
    except OSError:
        return False


def class_folders(root: Path) -> list[Path]:
    """The folders of classes: those with images in them, where there are two or more, and not all are splits."""
    found = [each for each in sub_folders(root) if has_images(each)]
    plain = [each for each in found if each.name.casefold() not in SPLITS]
    return found if len(found) > 1 and plain else []


def read_folders(path: Path, images: Path | None = None) -> Dataset:
    """Reads a folder, or `images` in its place, whose folders are called as the class of the images in them.

    A folder called `train` or `test` is a class like any other here. The class of an image is the name of its own
    folder, however deep it lies; an image beside the folders is noted, unless there are no others.
    """
    root = images or path
    try:
        paths = images_in(root)
    except ImageError as error:
        inside = ", ".join(as_text(each.name) for each in sub_folders(root)[:5]) if os.access(root, os.R_OK) else ""
        found = f"no images in {inside}" if inside else "neither folders nor images"
        expected = f"expected a folder a class, such as {root.name}/cat/1.jpg"
        raise DatasetError(f"{root}: {found} ({expected}; {error})") from None
    notes = Notes()
    deeper = any(each.parent != root for each in paths)
    read: list[AnnotatedImage] = []
    for each in paths:
        if deeper and each.parent == root:
            notes.add("no class folder", each.name)
        else:
            name = each.relative_to(root).as_posix()
            read.append(AnnotatedImage(name, each, (Annotation(as_text(each.parent.name)),)))
    shown = [each.annotations[0].label for each in read]
    classes = dict.fromkeys([*(as_text(each.name) for each in sub_folders(root)), *shown])
    return Dataset(as_text(root.name or str(root)), tuple(read), tuple(classes), notes)

"""The formats of data sets: a module each, which reads and writes it, and this table of them.

A new one is also an entry of `boxless.cli.annotate.FormatName`, and named in the help of
`boxless.cli.options.AnnotationFormat`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from boxless.datasets.coco import find_coco, read_coco, write_coco
from boxless.datasets.csv import Columns, find_csv, read_csv, write_csv
from boxless.datasets.cvat import find_cvat, read_cvat, write_cvat
from boxless.datasets.dataset import SPLITS, About, AnnotatedImage, Dataset, Read, Write
from boxless.datasets.folders import class_folders, has_images, read_folders, sub_folders
from boxless.datasets.hugging_face import find_hugging_face, read_hugging_face, write_hugging_face
from boxless.datasets.label_studio import find_label_studio, is_label_studio, read_label_studio, write_label_studio
from boxless.datasets.labelme import find_labelme, is_labelme, read_labelme, write_labelme
from boxless.datasets.notes import Notes
from boxless.datasets.parsing import head_of
from boxless.datasets.voc import find_voc, read_voc, write_voc
from boxless.datasets.wsol import find_wsol, read_wsol
from boxless.datasets.yolo import find_yolo, read_yolo, write_yolo
from boxless.errors import DatasetError, OutputError
from boxless.system.files import is_file


def _not_written(folder: Path, about: About, images: Iterable[AnnotatedImage]) -> None:
    raise OutputError("a format that is read only")


@dataclass(frozen=True)
class Format:
    """A format of data sets.

    Attributes:
        read: reads it.
        find: what of a folder is to be read, if it holds this format: the folder itself, or files.
        write: writes it, where `main` is given.
        images: the folder for images beside the annotations, with {split} where the format parts them.
        main: the file or folder that other programs are to be given.
        masks: whether it has a place for masks.
    """

    read: Read
    find: Callable[[Path], list[Path]]
    write: Write = _not_written
    images: str = ""
    main: str = ""
    masks: bool = False


FORMATS = {
    "wsol": Format(read_wsol, find_wsol),
    "yolo": Format(read_yolo, find_yolo, write_yolo, "images/{split}", "data.yaml"),
    "voc": Format(read_voc, find_voc, write_voc, "JPEGImages", "Annotations"),
    "cvat": Format(read_cvat, find_cvat, write_cvat, "images", "annotations.xml", masks=True),
    "hf": Format(read_hugging_face, find_hugging_face, write_hugging_face, "{split}", ".", masks=True),
    "coco": Format(read_coco, find_coco, write_coco, "images/{split}", "annotations", masks=True),
    "labelstudio": Format(read_label_studio, find_label_studio, write_label_studio, "images", "tasks.json", masks=True),
    "labelme": Format(read_labelme, find_labelme, write_labelme, ".", ".", masks=True),
    "csv": Format(read_csv, find_csv, write_csv, "images", "boxes.csv"),
    "folders": Format(read_folders, lambda path: [path]),
}
"""By the name that `--format` takes, in the order in which a folder is asked for them."""

WRITTEN = {name: FORMATS[name] for name in ("coco", "yolo", "voc", "labelstudio", "cvat", "labelme", "hf", "csv")}
"""The formats that are written, by the name that `--format` takes."""

_SUFFIXES = {".jsonl": "hf", ".yaml": "yolo", ".yml": "yolo", ".csv": "csv", ".tsv": "csv"}


def read_any(
    path: Path,
    format_: str | None = None,
    images: Path | None = None,
    columns: Columns | None = None,
    prefer_folders: bool = False,
) -> Dataset:
    """Reads a data set in any format.

    Args:
        path: the annotations' file, or the folder that holds them. The folder of an export may have one for each split
            (train, valid, test): then all are read.
        format_: one of `FORMATS`; recognised from the files where None.
        images: the folder of the images; searched for near the annotations where None.
        columns: how a CSV is to be read, where its heading does not say it.
        prefer_folders: whether folders of classes count before a file of annotations that stands beside them.

    Returns:
        The data set.

    Raises:
        DatasetError: if there is no such data set, or its format is not recognised, or another one.

    Example:
        >>> read_any(Path("export"), "coco").splits  # doctest: +SKIP
        {'train': 80, 'val': 20}
    """
    if not path.exists():
        raise DatasetError(f"no data set '{path}' (expected annotations, or a folder that holds them)")
    if not path.is_dir() and not is_file(path):
        raise DatasetError(f"{path}: neither a file nor a folder (expected annotations)")
    if images is not None and not images.is_dir():
        raise DatasetError(f"no folder of images '{images}'")
    if format_ is not None and format_ not in FORMATS:
        raise DatasetError(f"no format '{format_}' (there are {', '.join(FORMATS)})")
    name, found = _recognised(path, format_, prefer_folders)
    if not found:
        parts = [(split, read_any(folder, format_, images, columns)) for split, folder in _split_folders(path).items()]
        return merged(path.resolve().name, [_of_split(part, split) for split, part in parts])
    read: Read = partial(read_csv, columns=columns) if name == "csv" else FORMATS[name].read
    whole = [replace(read(each, images), format=name) for each in found]
    return whole[0] if len(whole) == 1 else merged(path.resolve().name, whole)


def _recognised(path: Path, format_: str | None, prefer_folders: bool) -> tuple[str, list[Path]]:
    """The format and what is to be read; nothing where a folder has a data set for each split."""
    if not path.is_dir():
        return format_ or _of_file(path), [path]
    if format_ is not None:
        found = FORMATS[format_].find(path)
        if not found and not _split_folders(path):  # the reader says what is missing
            suffix = {"coco": "json", "labelstudio": "json", "csv": "csv", "cvat": "xml"}.get(format_)
            found = [path] if suffix is None else _files(path, suffix)
            if not found:
                raise DatasetError(f"{path}: no file of the format {format_} (expected one that ends in .{suffix})")
        return format_, _one(path, found)
    if prefer_folders and (class_folders(path) and not _split_folders(path)):
        return "folders", [path]
    for name, each in FORMATS.items():
        if name != "folders" and (found := each.find(path)):
            return name, _one(path, found)
    if _split_folders(path):
        return "", []
    if not class_folders(path):  # a file that looks like nothing known: its reader says what is wrong
        for name, suffix in (("coco", "json"), ("csv", "csv")):
            if loose := _files(path, suffix):
                return name, _one(path, loose)
    return "folders", [path]


def _files(path: Path, suffix: str) -> list[Path]:
    return sorted(path.glob(f"*.{suffix}")) or sorted((path / "annotations").glob(f"*.{suffix}"))


def _of_file(file: Path) -> str:
    suffix = file.suffix.lower()
    if suffix == ".json":
        if is_label_studio(file):
            return "labelstudio"
        return "labelme" if is_labelme(file) else "coco"
    if suffix == ".xml":
        if "<annotations" in head_of(file, 4096):
            return "cvat"
        raise DatasetError(f"{file}: one file of Pascal VOC (expected the folder of all: {file.parent})")
    if suffix in _SUFFIXES:
        return _SUFFIXES[suffix]
    known = ", ".join([".json", ".xml", *_SUFFIXES])
    raise DatasetError(f"{file}: not a data set that is known (expected {known}, or a folder)")


def _one(path: Path, found: list[Path]) -> list[Path]:
    """The one file of annotations in a folder, or those of COCO's splits."""
    if len(found) > 1 and not all(each.name.startswith("instances_") for each in found):
        names = ", ".join(each.name for each in found[:10])
        raise DatasetError(f"{path}: {len(found)} files that may be the annotations ({names}): name the one")
    return found


def _split_folders(path: Path) -> dict[str, Path]:
    """The folders of an export by the splits that they are called after; none where they are classes."""
    folders = sub_folders(path)
    named = {each.name.casefold(): each for each in folders if each.name.casefold() in SPLITS}
    annotated = {
        SPLITS[name]: each
        for name, each in named.items()
        if any(format_.find(each) for key, format_ in FORMATS.items() if key != "folders")
    }
    if annotated:
        return annotated
    # Folders of folders of classes; one with images of its own is a class, whatever it is called.
    parted = named and len(named) == len(folders) and not has_images(path)
    if parted and all(not has_images(each) and any(map(has_images, sub_folders(each))) for each in folders):
        return {SPLITS[name]: each for name, each in named.items()}
    return {}


def _of_split(part: Dataset, split: str) -> Dataset:
    images = tuple(replace(each, split=split, name=f"{split}/{each.name}") for each in part.images)
    return replace(part, images=images)


def merged(name: str, parts: list[Dataset]) -> Dataset:
    """Several data sets, at least one, as one: those of its splits."""
    notes = Notes()
    for each in parts:
        notes.update(each.notes)
    classes = dict.fromkeys(label for each in parts for label in each.classes)
    images = tuple(image for each in parts for image in each.images)
    return Dataset(name, images, tuple(classes), notes, any(each.labelled for each in parts), parts[0].format)

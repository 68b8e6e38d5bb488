"""YOLO's text files: a line a box, and `data.yaml`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from boxless.datasets.dataset import SPLITS, About, AnnotatedImage, Annotation, Dataset
from boxless.datasets.masks import Polygons
from boxless.datasets.notes import Notes
from boxless.datasets.parsing import BAD_RECORD, bounds_of, number, read_text, text_of
from boxless.errors import DatasetError, ImageError
from boxless.imaging.read import images_in
from boxless.system.files import is_file, is_folder, real_path

_SHARES = (1, 1)  # the size that boxes in shares of the image refer to
_KEYS = ("train", "val", "valid", "test")
_NAME_LISTS = ("classes.txt", "obj.names", "labels/classes.txt", "labels.txt")


def find_yolo(path: Path) -> list[Path]:
    """The folder itself, where it has a `data.yaml` (or the like), or `images` and `labels` with text files."""
    if _yaml_in(path):
        return [path]
    images, labels = path / "images", path / "labels"
    return [path] if images.is_dir() and labels.is_dir() and next(labels.rglob("*.txt"), None) else []


def _yaml_in(folder: Path) -> Path | None:
    files = [*sorted(folder.glob("*.yaml")), *sorted(folder.glob("*.yml"))]
    named = [file for file in files if is_file(file) and any(key in _settings(file) for key in ("names", "nc"))]
    return next((file for file in named if file.stem == "data"), named[0] if named else None)


def _settings(file: Path) -> dict[str, Any]:
    """What a YAML file says; nothing where it is none."""
    import yaml

    # The loader in C bounds nesting; the one in Python takes seconds to give up.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        found = yaml.load(read_text(file), Loader=loader)  # safe, both of them
    except (yaml.YAMLError, DatasetError, *BAD_RECORD):
        return {}
    return {str(key): value for key, value in found.items()} if isinstance(found, dict) else {}


def read_yolo(path: Path, images: Path | None = None) -> Dataset:
    """Reads YOLO's text files: boxes, and outlines of segmentation or of rotated boxes.

    The labels of `images/train/a.jpg` are in `labels/train/a.txt`, or beside it. The numbers in them are those of
    `names` in `data.yaml`, or of the lines of `classes.txt`. Boxes are in shares of the image.
    """
    root = path if path.is_dir() else path.parent
    file = _yaml_in(path) if path.is_dir() else path
    settings = _settings(file) if file else {}
    if file and not settings:
        raise DatasetError(f"{file}: no YOLO data set (expected YAML with train, val and names)")
    notes = Notes()
    names = _names(settings, root, notes)
    read: list[AnnotatedImage] = []
    seen: set[Path] = set()
    for split, found in _listed(settings, root, images, notes):
        for image in found:
            if (real := real_path(image)) in seen:
                continue
            seen.add(real)
            name = image.relative_to(root).as_posix() if image.is_relative_to(root) else str(image)
            objects = tuple(_objects(_labels_of(image, root), names, notes))
            read.append(AnnotatedImage(name, image, objects, _SHARES, split))
    if not read:
        raise DatasetError(
            f"{path}: no images found (expected the folders that data.yaml names as train and val, or a folder images; "
            "name their folder with --images)"
        )
    return Dataset(root.resolve().name, tuple(read), tuple(names.values()), notes)


def _names(settings: dict[str, Any], root: Path, notes: Notes) -> dict[int, str]:
    names = settings.get("names")
    pairs = names.items() if isinstance(names, dict) else enumerate(names) if isinstance(names, list) else ()
    found: dict[int, str] = {}
    for key, value in pairs:
        try:
            found[int(key)] = text_of(value)
        except BAD_RECORD:
            notes.add("unreadable line", f"name of class {str(key)[:40]}")
    if names is not None:
        return found
    file = next((root / name for name in _NAME_LISTS if is_file(root / name)), None)
    lines = read_text(file).splitlines() if file else []
    return {key: line.strip() for key, line in enumerate(lines) if line.strip()}


def _listed(
    settings: dict[str, Any], root: Path, images: Path | None, notes: Notes
) -> Iterator[tuple[str, list[Path]]]:
    """The images of each split."""
    if images is not None:
        yield "", _images_in(images)
        return
    there = False
    for key in _KEYS:
        places = settings.get(key)
        for place in places if isinstance(places, list) else [places]:
            if isinstance(place, str) and (folder := _place(place, settings, root)):
                there = True
                yield SPLITS[key], _images_in(folder)
            elif isinstance(place, str):
                notes.add("missing file", place)
    if not there:
        for folder in sorted(each for each in (root / "images").glob("*") if each.name.casefold() in SPLITS):
            there = True
            yield SPLITS[folder.name.casefold()], _images_in(folder)
    if not there:
        yield "", _images_in(root / "images" if (root / "images").is_dir() else root)


def _place(place: str, settings: dict[str, Any], root: Path) -> Path | None:
    """Where the images of a split are, whatever machine the file was written on; Roboflow's begin with ../."""
    place = place.replace("\\", "/")
    base = str(settings.get("path") or "").replace("\\", "/")
    tries = [root / base / place, root / place, root / place.removeprefix("../"), root / Path(place).name]
    tries += [root.joinpath(*Path(place).parts[-count:]) for count in (3, 2)]
    return next((each for each in tries if is_folder(each) or is_file(each)), None)


def _images_in(place: Path) -> list[Path]:
    """The images of a folder, or of a text file that lists them."""
    if is_file(place):
        lines = [line.strip().replace("\\", "/") for line in read_text(place).splitlines() if line.strip()]
        return [place.parent / line for line in lines]
    try:
        return images_in(place)
    except ImageError:
        return []


def _labels_of(image: Path, root: Path) -> Path | None:
    """The file of labels of an image: below `labels` in the place of the last `images` on its way, else beside it."""
    if not image.name:  # a line of a list that names a folder
        return None
    parts = image.parts
    tries = [image.with_suffix(".txt")]
    if "images" in parts[:-1]:
        last = len(parts) - 2 - parts[:-1][::-1].index("images")
        tries.insert(0, Path(*parts[:last], "labels", *parts[last + 1 :]).with_suffix(".txt"))
    tries.append(root / "labels" / f"{image.stem}.txt")
    return next((each for each in tries if is_file(each)), None)


def _objects(file: Path | None, names: dict[int, str], notes: Notes) -> Iterator[Annotation]:
    if file is None:
        return
    try:
        lines = read_text(file).splitlines()
    except DatasetError:
        notes.add("unreadable line", file.name)
        return
    seen: set[str] = set()
    for count, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        if line in seen:
            notes.add("listed twice", f"{file.name} line {count}")
            continue
        seen.add(line)
        try:
            yield _object(line.split(), names)
        except BAD_RECORD:
            notes.add("unreadable line", f"{file.name} line {count}")


def _object(cells: list[str], names: dict[int, str]) -> Annotation:
    index = number(cells[0])
    if not index.is_integer() or index < 0:
        raise ValueError(cells[0])
    label = names.get(int(index), str(int(index)))  # without names a number is a name as any other
    values = [number(cell) for cell in cells[1:]]
    if len(values) in (4, 5):  # a fifth is a score
        x, y, width, height = values[:4]
        return Annotation(label, (x - width / 2, y - height / 2, x + width / 2, y + height / 2))
    return Annotation(label, bounds_of(values), Polygons((tuple(values),), _SHARES))


def write_yolo(folder: Path, about: About, images: Iterable[AnnotatedImage]) -> None:
    """Writes `data.yaml`, and a file of five columns an image: class, centre x and y, width and height, in [0, 1].

    The labels of `images/train/a.jpg` are in `labels/train/a.txt`, as Ultralytics and others look for them; an image
    of nothing has an empty file. Where the images stay where they are, `labels` mirrors their folder. `data.yaml`
    names folders relative to itself, so that all of it can be moved. There is no place for scores.
    """
    numbers = {name: number for number, name in enumerate(about.classes)}
    splits: set[str] = set()
    for image in images:
        splits.add(image.split)
        below = f"{image.split}/{image.stem}" if about.placed else image.stem
        path = folder / "labels" / f"{below}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = []
        for each, (x0, y0, x1, y1) in image.boxed:
            centre_and_size = ((x0 + x1) / 2 / image.width, (y0 + y1) / 2 / image.height,
                               (x1 - x0) / image.width, (y1 - y0) / image.height)  # fmt: skip
            lines.append(" ".join([str(numbers[each.label]), *(f"{value:.6f}" for value in centre_and_size)]) + "\n")
        path.write_text("".join(lines), encoding="utf-8")
    (folder / "data.yaml").write_text(_yaml(about, splits), encoding="utf-8")


def _yaml(about: About, splits: set[str]) -> str:
    import yaml

    def place(split: str) -> str:
        # Trainers want both, however few images there are, and what is to test is to be learned from last.
        there = next((each for each in (split, "train", "val", "test") if each in splits), split)
        return f"images/{there}" if about.placed else "images"

    named = ("train", "val", "test") if "test" in splits else ("train", "val")
    data = {
        **{split: place(split) for split in named},
        "nc": len(about.classes),
        "names": dict(enumerate(about.classes)),
    }
    return f"# {json.dumps(about.source)}\n{yaml.safe_dump(data, sort_keys=False, allow_unicode=True)}"

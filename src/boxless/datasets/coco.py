"""COCO JSON: https://cocodataset.org/#format-data."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from boxless.datasets.dataset import SPLITS, About, AnnotatedImage, Annotation, Dataset
from boxless.datasets.image_finder import located, near
from boxless.datasets.masks import Mask, Polygons, RunLengths
from boxless.datasets.notes import Notes
from boxless.datasets.parsing import BAD_RECORD, head_of, number, read_json, size_of, text_of
from boxless.datasets.writing import rounded, write_array
from boxless.errors import DatasetError
from boxless.maps.run_lengths import packed


def find_coco(path: Path) -> list[Path]:
    """The COCO files of a folder: beside the images, or in `annotations`, where those of instances count."""
    for folder in (path, path / "annotations"):
        files = [file for file in sorted(folder.glob("*.json")) if looks_like_coco(file)]
        if files:
            return [file for file in files if file.name.startswith("instances_")] or files
    return []


def looks_like_coco(file: Path) -> bool:
    """Whether a JSON file may be COCO's, by its beginning."""
    head = head_of(file).lstrip()
    return head.startswith("{") and any(key in head for key in ('"images"', '"annotations"', '"categories"'))


def read_coco(path: Path, images: Path | None = None) -> Dataset:
    """Reads COCO JSON. Crowds are ignored: boxes there are neither right nor wrong.

    A category may have a `wnid` or a `class_index` beside its name; an image may have a `class_index` itself, which
    then is the class of all its boxes (as in ImageNet, where an image has one class), and a `split`.
    """
    try:
        data = read_json(path)
        listed, annotations = data["images"], data["annotations"]
        categories = data.get("categories") or []
        if not all(isinstance(each, list) for each in (listed, annotations, categories)):
            raise TypeError("images, annotations and categories are to be lists")
    except (KeyError, TypeError, AttributeError, DatasetError) as error:
        raise DatasetError(
            f"{path}: not a COCO file ({type(error).__name__}: {error}); expected JSON with images[].file_name, "
            "annotations[].bbox and categories[].name"
        ) from None
    notes = Notes()
    classes = _categories(categories, notes)
    known = _images(listed, notes)
    found = _annotations(annotations, known, classes, notes)
    split = SPLITS.get(path.stem.removeprefix("instances_").casefold(), "")
    read = [
        replace(each, annotations=found.get(key) or each.annotations, split=each.split or split)
        for key, each in known.items()
    ]
    named = images or path.stem != "annotations"
    name = path.stem if named else path.resolve().parent.name
    return Dataset(name, located(read, near(path), images), tuple(each.name for each in classes.values()), notes)


def _categories(listed: list[Any], notes: Notes) -> dict[str, Annotation]:
    """Categories, as annotations without a place, by id."""
    found: dict[str, Annotation] = {}
    for each in listed:
        try:
            wnid, index = each.get("wnid"), each.get("class_index")
            category = Annotation(
                text_of(each["name"]) if "name" in each else "",
                class_id="" if wnid is None else text_of(wnid),
                class_index=None if index is None else int(index),
            )
            found.setdefault(_key(each["id"]), category)
        except BAD_RECORD:
            notes.add("unreadable line", f"category {_shown(each)}")
    return found


def _images(listed: list[Any], notes: Notes) -> dict[str, AnnotatedImage]:
    """Images, without what is in them but a class of their own, by id."""
    found: dict[str, AnnotatedImage] = {}
    names: set[str] = set()
    for each in listed:
        try:
            key, name = _key(each["id"]), text_of(each["file_name"])
            split = SPLITS.get(str(each.get("split") or "").casefold(), "")
        except BAD_RECORD:
            notes.add("unreadable line", f"image {_shown(each)}")
            continue
        if name in names or key in found:
            notes.add("listed twice", name)
            continue
        size = size_of(each.get("height"), each.get("width"), name, notes)
        try:
            own = (Annotation("", class_index=int(each["class_index"])),) if "class_index" in each else ()
        except BAD_RECORD:
            notes.add("unreadable line", f"class_index of {name}")
            own = ()
        names.add(name)
        found[key] = AnnotatedImage(name, Path(), own, size, split)
    return found


def _annotations(
    listed: list[Any], images: dict[str, AnnotatedImage], classes: dict[str, Annotation], notes: Notes
) -> dict[str, tuple[Annotation, ...]]:
    """Annotations by the id of their image."""
    found: dict[str, dict[Any, Annotation]] = {}
    for each in listed:
        try:
            image = images[_key(each["image_id"])]
            x, y, width, height = map(number, each["bbox"])
            category = image.annotations[0] if image.annotations else classes[_key(each["category_id"])]
            number_ = _key(each["image_id"])
        except BAD_RECORD:
            notes.add("unreadable line", f"annotation {_shown(each)}")
            continue
        box = (x, y, x + width, y + height)
        key = (category, box, bool(each.get("iscrowd")))
        if key in found.setdefault(number_, {}):
            notes.add("listed twice", f"{image.name} {[x, y, width, height]}")
            continue
        if each.get("score") is not None and not each.get("corrected"):
            notes.add("prediction", image.name)
        if crowd := bool(each.get("iscrowd")):
            notes.add("difficult", image.name)
        try:
            mask = None if crowd else _mask(each.get("segmentation"), image.size)
        except BAD_RECORD:  # its box may be good
            notes.add("damaged mask", f"segmentation of annotation {_shown(each)}")
            mask = None
        found[number_][key] = Annotation(
            category.label, box, mask, "crowd" if crowd else None, category.class_id, category.class_index
        )
    return {key: tuple(each.values()) for key, each in found.items()}


def _key(value: Any) -> str:  # noqa: ANN401
    """An id: VIA writes those of images as numbers, and as text where annotations refer to them."""
    return text_of(int(value) if isinstance(value, float) and value.is_integer() else value)


def _shown(record: Any) -> str:  # noqa: ANN401
    """A record by its id or file, to be found again."""
    if not isinstance(record, dict):
        return repr(record)[:40]
    return str(record.get("id", record.get("file_name", "without an id")))[:80]


def _mask(segmentation: Any, size: tuple[int, int] | None) -> Mask | None:  # noqa: ANN401
    if isinstance(segmentation, dict):
        return RunLengths.from_coco(segmentation)
    if not segmentation or not size:
        return None
    outlines = segmentation if isinstance(segmentation[0], list) else [segmentation]  # VIA's are flat
    return Polygons(tuple(tuple(map(number, outline)) for outline in outlines), size)


def write_coco(folder: Path, about: About, images: Iterable[AnnotatedImage]) -> None:
    """Writes `annotations/instances_train.json` and so on, a file for each split, as COCO and CVAT have them.

    Categories count from 1, in the order of the model's classes. Scores stand beside the boxes, masks as run lengths.
    """
    numbers = {name: number for number, name in enumerate(about.classes, start=1)}
    info = {"description": "found by class maps, not drawn by hand", "contributor": about.program,
            "model": about.model, "preset": about.preset}  # fmt: skip
    categories = [{"id": number, "name": name} for name, number in numbers.items()]
    (folder / "annotations").mkdir(exist_ok=True)

    def shown(split: str) -> Iterator[tuple[int, AnnotatedImage]]:
        return enumerate((each for each in images if each.split == split), start=1)

    for split in sorted({each.split for each in images}):
        with (folder / f"annotations/instances_{split}.json").open("w", encoding="utf-8") as file:
            file.write(f'{{"info": {json.dumps(info, ensure_ascii=False)},\n"licenses": [],\n')
            file.write(f'"categories": {json.dumps(categories, ensure_ascii=False)},\n"images": ')
            listed = (
                {"id": number, "file_name": each.name, "width": each.width, "height": each.height}
                for number, each in shown(split)
            )
            write_array(file, listed)
            file.write(',\n"annotations": ')
            write_array(file, _objects(shown(split), numbers))
            file.write("}\n")


def _objects(images: Iterable[tuple[int, AnnotatedImage]], numbers: dict[str, int]) -> Iterator[dict[str, Any]]:
    count = 0
    for place, image in images:
        for each, box in image.boxed:
            count += 1
            x0, y0, x1, y1 = map(rounded, box)
            pixels = segmentation(image, each)
            area = (x1 - x0) * (y1 - y0)
            if each.mask is not None:
                area = float(sum(each.mask.counts(image.height, image.width)[1::2]))
            yield {
                "id": count,
                "image_id": place,
                "category_id": numbers[each.label],
                "bbox": [x0, y0, rounded(x1 - x0), rounded(y1 - y0)],
                "area": rounded(area),
                "iscrowd": 0,
                "segmentation": pixels or [],
                "score": round(each.score, 4),
            }


def segmentation(image: AnnotatedImage, annotation: Annotation) -> dict[str, Any] | None:
    """COCO's compressed run lengths of an annotation's mask; None where there is no mask."""
    if annotation.mask is None:
        return None
    counts = annotation.mask.counts(image.height, image.width)
    return {"size": [image.height, image.width], "counts": packed(counts)}

"""A data set as a model sees it: what localization is measured on.

`read_dataset` matches the classes of a `Dataset` to those of a model, brings boxes to the images' own pixels as
displayed, and notes everything that is wrong, so that nothing is dropped in silence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from boxless.datasets.csv import Columns
from boxless.datasets.dataset import AnnotatedImage, Annotation, Dataset, Edges
from boxless.datasets.formats import read_any
from boxless.datasets.masks import Mask, Polygons, Turned, turned_box
from boxless.datasets.notes import Notes
from boxless.errors import DatasetError, UnknownClassError
from boxless.imaging.orientation import ImageSize, displayed_size
from boxless.models.card import Card
from boxless.models.class_names import matches
from boxless.models.presets import DEFAULT_PRESET, PRESETS
from boxless.system.files import is_file

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class BoxedImage:
    """One class in one image, with the boxes of its objects.

    Attributes:
        path: of the image.
        class_index: of the class, in the model.
        boxes: (n, 4), xyxy in pixels of the image as displayed; none where only the class is known.
        size: (height, width) of the image as displayed, in pixels.
        mask: which pixels are the object's, if that is known.
    """

    path: Path
    class_index: int
    boxes: Floats
    size: tuple[int, int]
    mask: Mask | None = None


@dataclass(frozen=True)
class IgnoredBox:
    """A place where boxes of a class are neither right nor wrong.

    Attributes:
        path: of the image.
        class_index: of the class, in the model.
        box: xyxy in pixels of the image as displayed.
        crowd: whether it surrounds many objects, so that any box inside it is one of them; else it is one object,
            marked difficult.
    """

    path: Path
    class_index: int
    box: Edges
    crowd: bool


@dataclass(frozen=True, eq=False)
class BoxedSet:
    """A data set, matched to a model.

    Attributes:
        name: its folder's or file's.
        images: one for each class in each image; those of one image follow each other.
        notes: what was wrong with it.
        listed: every image of the data set that is there, also those without an object of a known class.
        ignored: what is neither right nor wrong.
    """

    name: str
    images: tuple[BoxedImage, ...]
    notes: Notes
    listed: tuple[Path, ...] = ()
    ignored: tuple[IgnoredBox, ...] = ()


def read_dataset(path: Path, card: Card, layout: str | None = None, images: Path | None = None) -> BoxedSet:
    """Reads a data set in any format, for a model.

    Args:
        path: the annotations' file, or the folder that holds them.
        card: of the model whose classes count.
        layout: the format, one of `boxless.datasets.formats.FORMATS`; recognised from the files where None.
        images: the folder of the images; searched for near the annotations where None.

    Returns:
        What can be measured.

    Raises:
        DatasetError: if there is no such data set, its format is not recognised, or none of its images can be measured.

    Example:
        >>> from boxless import ModelFile
        >>> read_dataset(Path("boxes.json"), ModelFile("mine.onnx").card).name  # doctest: +SKIP
        'boxes'
    """
    dataset = read_any(path, layout, images, Columns(separator="|"))
    if len(dataset.splits) > 1:
        for split, count in dataset.splits.items():
            dataset.notes.add("several splits", f"{split or 'none'} ({count} images)")
    boxed = match(dataset, card)
    if not boxed.images:
        why = "; ".join(boxed.notes) or "it names none"
        raise DatasetError(f"{path}: no image to measure on ({why})")
    return boxed


def check_boxes(path: Path, classes: Sequence[str]) -> None:
    """Makes sure, before any work, that a data set can measure a model of these classes that does not exist yet.

    Raises:
        DatasetError: if it cannot be read, or no image in it that can be read has a usable box of one of the classes.
    """
    dataset = read_any(path, columns=Columns(separator="|"))
    boxed = {each.name for image in dataset.images if is_file(image.path) for each in image.annotations if each.box}
    if not any(matches(name, classes) for name in boxed):
        found = ", ".join(sorted(boxed)[:5]) or "none"
        expected = ", ".join(classes[:5]) + (", ..." if len(classes) > 5 else "")
        raise DatasetError(f"{path}: no boxes of the classes that are learned (found {found}; expected {expected})")
    card = Card("", tuple(classes), {DEFAULT_PRESET: PRESETS[DEFAULT_PRESET]}, "", "", "")
    if not any(len(each.boxes) for each in match(dataset, card).images):
        raise DatasetError(f"{path}: none of the boxes can be used ({'; '.join(dataset.notes)})")


def match(dataset: Dataset, card: Card) -> BoxedSet:
    """A data set for a model: classes matched, boxes in the images' own pixels, trouble noted.

    What is noted is added to the data set's notes. There is one entry for each class in each image.
    """
    notes = dataset.notes
    frames: dict[Path, tuple[AnnotatedImage, ImageSize]] = {}
    gone: set[Path] = set()
    for image in dataset.images:
        if image.path in gone:
            continue
        if image.path in frames:
            notes.add("listed twice", image.name)
            continue
        frame = _frame_of(image.path)
        if frame is None:
            notes.add("damaged file" if is_file(image.path) else "missing file", image.name)
            gone.add(image.path)
        else:
            frames[image.path] = (image, frame)
    as_stored = _drawn_as_stored(frames.values())
    indices: dict[tuple[str, str, int | None], int | None] = {}
    images: list[BoxedImage] = []
    ignored: list[IgnoredBox] = []
    for image, frame in frames.values():
        shown = _as_displayed(image, frame, as_stored, notes)
        classes: dict[int, list[Annotation]] = {}
        for each in shown.annotations:
            key = (each.label, each.class_id, each.class_index)
            if key not in indices:
                indices[key] = _index(each, card)
            index = indices[key]
            if index is None:
                notes.add("unknown class", each.name)
            elif each.ignored:
                found = _on_image([each], shown, frame.displayed, notes)
                ignored += [IgnoredBox(image.path, index, box, each.ignored == "crowd") for box in found]
            else:
                classes.setdefault(index, []).append(each)
        for index, parts in classes.items():
            boxes = np.array(list(_on_image(parts, shown, frame.displayed, notes)), np.float32).reshape(-1, 4)
            masks = [each.mask for each in parts if each.mask is not None]
            if not masks and not any(each.box for each in parts):
                notes.add("no boxes", image.name)
            images.append(BoxedImage(image.path, index, boxes, frame.displayed, Mask.union(masks)))
    return BoxedSet(dataset.name, tuple(images), notes, tuple(frames), tuple(ignored))


def _index(annotation: Annotation, card: Card) -> int | None:
    """The class's index in the model: by its id, by the index that a field of that name says, or by its name."""
    if annotation.class_id and annotation.class_id in card.class_ids:
        return card.class_ids.index(annotation.class_id)
    if annotation.class_index is not None and 0 <= annotation.class_index < len(card.labels):
        return annotation.class_index
    try:
        return card.label_index(annotation.label) if annotation.label else None
    except UnknownClassError:
        return None


def _frame_of(path: Path) -> ImageSize | None:
    """An image's size and orientation, from its header; None if there is no such image."""
    if not is_file(path):
        return None
    try:
        return displayed_size(path)
    except Exception:  # decoders of broken files raise nearly anything
        return None


def _drawn_as_stored(frames: Iterable[tuple[AnnotatedImage, ImageSize]]) -> bool:
    """Whether the boxes of a data set that gives the sizes of images as stored were drawn on them as stored.

    Where more images have boxes that fit them only as displayed, they were drawn so: Label Studio's COCO export has the
    size as stored and boxes as displayed.
    """
    only_stored = only_displayed = 0
    for image, frame in frames:
        if frame.displayed != frame.stored and image.size == frame.stored:
            stored, displayed = _fits(image, frame.stored), _fits(image, frame.displayed)
            only_stored += stored and not displayed
            only_displayed += displayed and not stored
    return only_stored >= only_displayed


def _fits(image: AnnotatedImage, size: tuple[int, int]) -> bool:
    """Whether all boxes lie in an image of that size; a pixel over is how inclusive coordinates come out."""
    height, width = size
    return all(each.box[2] <= width + 1 and each.box[3] <= height + 1 for each in image.annotations if each.box)


def _as_displayed(image: AnnotatedImage, frame: ImageSize, as_stored: bool, notes: Notes) -> AnnotatedImage:
    """The image with boxes and masks as it is displayed."""
    if frame.displayed == frame.stored or image.size != frame.stored or not image.annotations:
        return image
    stored, displayed = _fits(image, frame.stored), _fits(image, frame.displayed)
    if not (as_stored if stored == displayed else stored):
        notes.add("size as stored", image.name)
        fitting = tuple(
            replace(each, mask=replace(each.mask, size=frame.displayed)) if isinstance(each.mask, Polygons) else each
            for each in image.annotations
        )
        return replace(image, annotations=fitting, size=frame.displayed)
    notes.add("turned box", image.name)
    turned = tuple(
        replace(
            each,
            box=each.box and turned_box(each.box, frame.orientation, frame.stored),
            mask=each.mask and Turned(each.mask, frame.orientation),
        )
        for each in image.annotations
    )
    return replace(image, annotations=turned, size=frame.displayed)


def _on_image(
    annotations: list[Annotation], image: AnnotatedImage, size: tuple[int, int], notes: Notes
) -> Iterator[Edges]:
    """Boxes in pixels of the image, cut at its edges; those without area are left out."""
    height, width = size
    down, right = (1.0, 1.0) if image.size is None else (height / image.size[0], width / image.size[1])
    for x0, y0, x1, y1 in (each.box for each in annotations if each.box):
        whole = (x0 * right, y0 * down, x1 * right, y1 * down)
        if not all(np.isfinite(whole)) or whole[2] <= whole[0] or whole[3] <= whole[1]:
            notes.add("empty box", image.name)
            continue
        cut = (max(whole[0], 0.0), max(whole[1], 0.0), min(whole[2], float(width)), min(whole[3], float(height)))
        if cut[2] <= cut[0] or cut[3] <= cut[1]:
            notes.add("box off the image", image.name)
            continue
        # A pixel over is how inclusive coordinates come out, and no mistake.
        if max(whole[2] - width, whole[3] - height, -whole[0], -whole[1]) > 1.0:
            notes.add("box over the edge", image.name)
        yield cut

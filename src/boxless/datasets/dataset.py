"""Pictures whose boxes somebody drew: what localization is measured on.

The readers (`read_coco`, ...) say what stands in the files, as `Entry`s; `gather` makes `BoxedPicture`s of them,
matches classes, and notes everything that is wrong, so that nothing is dropped in silence.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from boxless.datasets.masks import Mask
from boxless.datasets.notes import Notes
from boxless.datasets.orientation import Turned, turned_box
from boxless.errors import UnknownClassError
from boxless.imaging.orientation import ImageSize, displayed_size
from boxless.models.card import Card
from boxless.system.files import is_file

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class BoxedPicture:
    """One class in one picture, with the boxes of its objects.

    Attributes:
        path: of the picture.
        class_index: of the class, in the model.
        boxes: (n, 4), xyxy in pixels of the picture as displayed; none where only the class is known.
        size: (height, width) of the picture as displayed, in pixels.
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
        path: of the picture.
        class_index: of the class, in the model.
        box: xyxy in pixels of the picture as displayed.
        crowd: whether it surrounds many objects, so that any box inside it is one of them; else it is one object,
            marked difficult.
    """

    path: Path
    class_index: int
    box: tuple[float, float, float, float]
    crowd: bool


@dataclass(frozen=True, eq=False)
class BoxedSet:
    """A data set, read.

    Attributes:
        name: its folder's or file's.
        pictures: one for each class in each picture; those of one picture follow each other.
        notes: what was wrong with it.
        listed: every picture of the data set that is there, also those without an object of a known class.
        ignored: what is neither right nor wrong.
    """

    name: str
    pictures: tuple[BoxedPicture, ...]
    notes: Notes
    listed: tuple[Path, ...] = ()
    ignored: tuple[IgnoredBox, ...] = ()


@dataclass(frozen=True)
class Entry:
    """What a data set's files say of one class in one picture.

    Attributes:
        picture: what the data set calls the picture.
        path: where it should be.
        classes: names of the class, the most telling first: index, WordNet id, label; none where the data set lists
            the picture without any object.
        boxes: xyxy in pixels of a picture of `size`.
        size: (height, width) that boxes and mask refer to; the picture's own where None. Where it is that of the
            picture as stored, and EXIF turns that, they are turned too.
        mask: which pixels are the object's, if that is known.
        ignored: why the boxes are neither right nor wrong; None where they count.
    """

    picture: str
    path: Path
    classes: tuple[str | int, ...]
    boxes: tuple[tuple[float, float, float, float], ...] = ()
    size: tuple[int, int] | None = None
    mask: Mask | None = field(default=None, compare=False)
    ignored: Literal["crowd", "difficult"] | None = None


def gather(name: str, entries: Iterable[Entry], card: Card, notes: Notes) -> BoxedSet:
    """Boxed pictures from entries: classes matched, boxes on the picture's own pixels, trouble noted.

    Entries of the same class in the same picture become one, with all their boxes.

    Args:
        name: of the data set.
        entries: in any order.
        card: of the model whose classes count.
        notes: gets what is wrong; whatever the reader noted stands there already.
    """
    grouped: dict[Path, dict[int, list[Entry]]] = {}
    missing: set[Path] = set()
    frames: dict[Path, ImageSize] = {}
    ignored: list[IgnoredBox] = []
    for entry in entries:
        if entry.path in missing:
            continue
        if entry.path not in frames:
            frame = _frame_of(entry.path)
            if frame is None:
                missing.add(entry.path)
                kind = "damaged file" if is_file(entry.path) else "missing file"
                notes.add(kind, entry.picture)
                continue
            frames[entry.path] = frame
        if not entry.classes:
            continue
        index = _match(entry.classes, card)
        if index is None:
            notes.add("unknown class", str(entry.classes[-1]))
            continue
        entry = _as_displayed(entry, frames[entry.path])
        if entry.ignored:
            boxes = _on_picture(entry, frames[entry.path].displayed, notes)
            ignored += [IgnoredBox(entry.path, index, box, entry.ignored == "crowd") for box in boxes]
            continue
        grouped.setdefault(entry.path, {}).setdefault(index, []).append(entry)
    pictures = []
    for path, classes in grouped.items():
        for index, parts in classes.items():
            found = [box for part in parts for box in _on_picture(part, frames[path].displayed, notes)]
            masks = [part.mask for part in parts if part.mask is not None]
            array = np.array(found, np.float32).reshape(-1, 4)
            if not masks and not any(part.boxes for part in parts):
                notes.add("no boxes", parts[0].picture)
            pictures.append(BoxedPicture(path, index, array, frames[path].displayed, Mask.union(masks)))
    return BoxedSet(name, tuple(pictures), notes, tuple(frames), tuple(ignored))


def _match(classes: tuple[str | int, ...], card: Card) -> int | None:
    for each in classes:
        try:
            return card.class_index(each)
        except UnknownClassError:
            continue
    return None


def _frame_of(path: Path) -> ImageSize | None:
    """Of a picture, from its header; None if there is no such picture."""
    try:
        return displayed_size(path)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None


def _as_displayed(entry: Entry, frame: ImageSize) -> Entry:
    if frame.displayed == frame.stored or entry.size != frame.stored:
        return entry
    boxes = tuple(turned_box(box, frame.orientation, frame.stored) for box in entry.boxes)
    mask = None if entry.mask is None else Turned(entry.mask, frame.orientation)
    return replace(entry, boxes=boxes, size=frame.displayed, mask=mask)


def _on_picture(entry: Entry, size: tuple[int, int], notes: Notes) -> Iterable[tuple[float, float, float, float]]:
    """The entry's boxes in pixels of the picture, cut at its edges; boxes without area are left out."""
    height, width = size
    down, right = (1.0, 1.0) if entry.size is None else (height / entry.size[0], width / entry.size[1])
    for x0, y0, x1, y1 in entry.boxes:
        whole = (x0 * right, y0 * down, x1 * right, y1 * down)
        if not all(np.isfinite(whole)) or whole[2] <= whole[0] or whole[3] <= whole[1]:
            notes.add("empty box", entry.picture)
            continue
        cut = (max(whole[0], 0.0), max(whole[1], 0.0), min(whole[2], float(width)), min(whole[3], float(height)))
        if cut[2] <= cut[0] or cut[3] <= cut[1]:
            notes.add("box off the picture", entry.picture)
            continue
        # A pixel over is how inclusive coordinates come out, and no mistake.
        if max(whole[2] - width, whole[3] - height, -whole[0], -whole[1]) > 1.0:
            notes.add("box over the edge", entry.picture)
        yield cut

"""A row an image: what `Localization.to_dict` says, with class maps or masks where they are wanted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxless.batch.formats import Row
from boxless.batch.item import Broken, Item
from boxless.batch.job import Settings
from boxless.batch.remote import Remote
from boxless.localizer import Localizer
from boxless.maps.run_lengths import counts_of, packed
from boxless.results import Localization, Prediction
from boxless.system.ordered import ordered_map

Floats = NDArray[np.float32]

_FETCHED_AHEAD = 16
"""Fetches under way at a time: an image from afar takes as long as many that are here."""


def rows(localizer: Localizer, items: Iterable[Item], settings: Settings, workers: int | None = None) -> Iterator[Row]:
    """Locates images: a row each, in their order, a few under way; what cannot be read is a row with an `error`.

    Items are drawn only as fast as rows are taken; `workers` images are under way at a time, one a core where None.
    """

    def one(item: Item) -> Row:
        wanted = settings.locate
        if item.classes is not None:
            wanted = replace(wanted, classes=item.classes, include_absent=True)
        (found,) = localizer.locate_many([item.source], wanted, workers=1)
        return row(found, item.name, settings)

    return ordered_map(one, ordered_map(_fetched, items, _FETCHED_AHEAD), workers)


def row(found: Localization, name: str, settings: Settings) -> Row:
    """The row of a result: plain data, class maps as `class_map` reads them, masks as COCO's compressed run lengths."""
    data: Row = {**found.to_dict(), "image": name}
    for row, prediction in zip(data["predictions"], found.predictions, strict=True):
        if settings.maps is not None:
            row["class_map"] = _packed(prediction, settings.maps)
        if settings.masks and prediction.boxes:
            for box, mask in zip(row["boxes"], prediction.masks(), strict=True):
                box["mask"] = packed(counts_of(mask))
    return data


def class_map(prediction: dict[str, Any]) -> Floats:
    """The class map that is kept with a prediction of a row: float32 (u, v), not negative; KeyError if none is.

    Example:
        >>> import numpy as np
        >>> kept = {"height": 1, "width": 2, "peak": 8.0, "data": np.array([0.5, 1.0], np.float16).tobytes()}
        >>> class_map({"class_map": kept})
        array([[4., 8.]], dtype=float32)
    """
    kept = prediction["class_map"]
    shape = (kept["height"], kept["width"])
    whole = len(kept["data"]) == shape[0] * shape[1]
    values = np.frombuffer(kept["data"], np.uint8 if whole else np.float16).astype(np.float32).reshape(shape)
    return values * np.float32(kept["peak"] / (255 if whole else 1))


def _packed(prediction: Prediction, maps: str) -> Row | None:
    """A class map as fractions of its peak, which 16 bits hold well and 8 bits to a 500th; None of a detector."""
    if prediction.class_map is None:
        return None
    height, width = prediction.class_map.shape
    peak = float(prediction.class_map.max())
    share = prediction.class_map / np.float32(peak or 1.0)
    values = (share * 255).round().astype(np.uint8) if maps == "uint8" else share.astype(np.float16)
    return {"height": height, "width": width, "peak": peak, "data": values.tobytes()}


def _fetched(item: Item) -> Item:
    """The same with its bytes, if they are elsewhere."""
    if not isinstance(item.content, Remote):
        return item
    try:
        content: bytes | Broken = item.content.read()
    except OSError as error:
        content = Broken(str(error))
    return Item(item.name, content, item.version, item.classes)

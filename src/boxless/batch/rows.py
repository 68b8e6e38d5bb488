"""A row a picture: what `Localization.to_dict` says, and the class maps where they are wanted."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxless.batch.item import Broken, Item
from boxless.batch.remote import Remote
from boxless.batch.settings import Settings
from boxless.localizer import Localizer
from boxless.results import Localization, Prediction
from boxless.system.ordered import ordered_map

Row = dict[str, Any]
Floats = NDArray[np.float32]

_FETCHED_AHEAD = 16
"""Fetches under way at a time: a picture from afar takes as long as many that are here."""


def rows(localizer: Localizer, items: Iterable[Item], settings: Settings, workers: int | None = None) -> Iterator[Row]:
    """Looks at pictures: a row each, in their order, a few under way; what cannot be read is a row with an `error`.

    Args:
        localizer: of these settings.
        items: drawn from only as fast as rows are taken.
        settings: what is wanted.
        workers: pictures under way at a time; one a core where None.
    """
    waiting: deque[str] = deque()

    def sources() -> Iterator[Any]:
        for item in ordered_map(_fetched, items, _FETCHED_AHEAD):
            waiting.append(item.name)
            yield item.source

    found = localizer.locate_many(sources(), settings.locate, workers=workers)
    for each in found:
        yield row(each, waiting.popleft(), settings.maps)


def row(found: Localization, name: str, maps: str | None) -> Row:
    """The row of a result.

    Args:
        found: what was found.
        name: what the picture is called.
        maps: how class maps are kept, or None for none.
    """
    data = {**found.to_dict(), "image": name}
    if maps is not None:
        for said, prediction in zip(data["predictions"], found.predictions, strict=True):
            said["class_map"] = _packed(prediction, maps)
    return data


def class_map(prediction: Row) -> Floats:
    """The class map float32 (u, v) of a prediction of a row, not negative: the one of `Prediction.class_map`, rounded.

    Raises:
        KeyError: if maps were not kept.
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
    if not isinstance(item.place, Remote):
        return item
    try:
        return Item(item.name, item.place.read())
    except OSError as error:
        return Item(item.name, Broken(str(error)))

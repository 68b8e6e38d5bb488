"""The boxes of all predictions of a result side by side: flat arrays, which indexing selects from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import groupby
from typing import Any, Self, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from boxless.maps.boxes import Box
from boxless.prediction import Prediction

Floats = NDArray[np.float32]

Selector: TypeAlias = int | slice | Sequence[int] | Sequence[bool] | NDArray[Any]
"""Which boxes: an index, a slice, indices, or a mask of booleans."""


class FlatBoxes:
    """What `boxless.results.Localization` does with the boxes of its predictions."""

    predictions: tuple[Prediction, ...]

    def _only(self, predictions: tuple[Prediction, ...]) -> Self:
        """The same result with these predictions."""
        raise NotImplementedError

    @cached_property
    def _boxed(self) -> list[tuple[Prediction, Box]]:
        return [(prediction, box) for prediction in self.predictions for box in prediction.boxes]

    @cached_property
    def xyxy(self) -> Floats:
        """The corners of all boxes in pixels of the image as displayed: float32 (n, 4), read-only."""
        return _fixed(np.array([box.xyxy for _, box in self._boxed], np.float32).reshape(-1, 4))

    @cached_property
    def scores(self) -> Floats:
        """The scores of all boxes: float32 (n,) in [0, 1], read-only; see `Box`."""
        return _fixed(np.array([box.score for _, box in self._boxed], np.float32))

    @cached_property
    def class_ids(self) -> NDArray[np.int64]:
        """The classes of all boxes, by index in the model: int64 (n,), read-only."""
        return _fixed(np.array([prediction.class_index for prediction, _ in self._boxed], np.int64))

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes of all boxes, by name."""
        return tuple(prediction.label for prediction, _ in self._boxed)

    def __len__(self) -> int:
        """How many boxes there are, of all classes together."""
        return len(self._boxed)

    def __bool__(self) -> bool:
        """True: a result without boxes is a result. `len` counts them."""
        return True

    def __iter__(self) -> Iterator[Self]:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, which: Selector) -> Self:
        """The result with some of its boxes only.

        Args:
            which: an index, a slice, a sequence of indices, or a mask of n booleans.

        Returns:
            A result with these boxes, in this order, and the predictions that have one.

        Raises:
            IndexError: if there is no such box, or a mask has another length than there are boxes.

        Example:
            >>> import boxless
            >>> found = boxless.Localizer().locate("examples/pictures/coffee.jpg")
            >>> found[0].labels, len(found[found.scores < 0.5])
            (('espresso',), 0)
        """
        chosen = np.arange(len(self))[which if isinstance(which, slice) else _selector(which)]
        boxed = [self._boxed[i] for i in np.atleast_1d(chosen)]
        predictions = tuple(
            replace(prediction, boxes=tuple(box for _, box in some))
            for prediction, some in ((pairs[0][0], pairs) for pairs in _runs(boxed))
        )
        return self._only(predictions)


Array = TypeVar("Array", bound=NDArray[Any])


def _fixed(values: Array) -> Array:
    values.flags.writeable = False
    return values


def _selector(which: int | Sequence[int] | Sequence[bool] | NDArray[Any]) -> NDArray[Any]:
    """An index for NumPy: booleans stay a mask, an empty list selects nothing."""
    index = np.asarray(which)
    return index if index.size or index.dtype == bool else index.astype(np.int64)


def _runs(boxed: Sequence[tuple[Prediction, Box]]) -> Iterator[list[tuple[Prediction, Box]]]:
    """Neighbours of one prediction together, in their order."""
    for _, some in groupby(boxed, key=lambda pair: id(pair[0])):
        yield list(some)

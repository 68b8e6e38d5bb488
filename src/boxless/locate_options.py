"""The options of locating: one set for Python, the command line, the service, the page and batch inference.

A new one is added here, where it is worded (`boxless.cli.options`, `boxless.serve.options`, `boxless.serve.openapi`),
and in the commands that take it (`boxless.cli.locate`, `batch`, `video`). `boxless.localizer` applies it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypedDict, Unpack

DEFAULT_NMS = 0.5


class LocateKeywords(TypedDict, total=False):
    """The fields of `LocateOptions` as keywords, for the signatures that take them one by one."""

    top: int | None
    classes: Sequence[str | int] | None
    min_probability: float
    include_absent: bool
    nms: float


@dataclass(frozen=True)
class LocateOptions:
    """What is asked of an image.

    Attributes:
        top: return at most this many classes, at least 1. Detected classes come first, each group by falling
            probability. None returns one class of a single-label model, and every detected class (or the most
            probable one where none is detected) of a multi-label model or a detector.
        classes: return exactly these instead, by label, index or id, in their order.
        min_probability: leave out less probable classes, in [0, 1].
        include_absent: give undetected classes boxes too.
        nms: class-agnostic non-maximum suppression for single-label models: of two boxes of different classes whose
            intersection over union exceeds this, only the one with the higher score stays. In (0, 1]; 1 keeps all.
            Boxes of `classes` are never suppressed.

    Raises:
        ValueError: if a value is out of range, or `classes` is empty.
        TypeError: if `classes` is a text instead of a list of texts.

    Example:
        >>> LocateOptions(top=3, classes=["tabby"]).classes
        ('tabby',)
    """

    top: int | None = None
    classes: Sequence[str | int] | None = None
    min_probability: float = 0.0
    include_absent: bool = False
    nms: float = DEFAULT_NMS

    def __post_init__(self) -> None:
        if self.top is not None and self.top < 1:
            raise ValueError(f"top is {self.top} (expected at least 1)")
        if isinstance(self.classes, str):
            raise TypeError(f"classes is the text '{self.classes}' (expected a list: classes=['{self.classes}'])")
        if self.classes is not None:
            object.__setattr__(self, "classes", tuple(self.classes))
            if not self.classes:
                raise ValueError("classes is empty (expected at least one class; None for the most probable ones)")
        if not 0 <= self.min_probability <= 1:
            raise ValueError(f"min_probability is {self.min_probability} (expected 0 to 1)")
        if not 0 < self.nms <= 1:
            raise ValueError(f"nms is {self.nms} (expected more than 0, at most 1)")

    @classmethod
    def of(cls, options: LocateOptions | None, **keywords: Unpack[LocateKeywords]) -> LocateOptions:
        """Options with some fields replaced.

        Args:
            options: to start from; the defaults where None.
            **keywords: the fields to replace.

        Returns:
            The changed options.

        Raises:
            ValueError, TypeError: see the class.

        Example:
            >>> LocateOptions.of(LocateOptions(top=3), min_probability=0.5)
            LocateOptions(top=3, classes=None, min_probability=0.5, include_absent=False, nms=0.5)
        """
        return replace(options or cls(), **keywords)

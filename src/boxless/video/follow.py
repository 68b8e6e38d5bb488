"""What is in the frames of a clip, and where, steadily."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from boxless.localizer import Localizer
from boxless.models.model_file import ModelFile
from boxless.models.presets import DEFAULT_TOP
from boxless.models.zoo import quick_model
from boxless.results import Localization
from boxless.video.cuts import Cuts
from boxless.video.frames import Frame, Frames
from boxless.video.steady import KEPT, SteadyNetwork


@dataclass(frozen=True, eq=False)
class LocatedFrame:
    """A frame, and what is in it.

    Attributes:
        frame: the frame.
        localization: what is in it, and where; its source is the frame's pixels.
        cut: whether the frame begins another scene.
    """

    frame: Frame
    localization: Localization
    cut: bool

    def as_dict(self) -> dict[str, Any]:
        """As plain data for JSON: the frame's number, its seconds, and what `Localization.as_dict` says."""
        place = {"frame": self.frame.number, "seconds": round(self.frame.seconds, 3), "cut": self.cut}
        return {**place, **self.localization.as_dict()}


def follow(
    frames: Frames,
    model: str | Path | None = None,
    preset: str | None = None,
    *,
    top: int = DEFAULT_TOP,
    classes: Sequence[str | int] | None = None,
    min_probability: float = 0.0,
    include_absent: bool = False,
    kept: float = KEPT,
) -> Iterator[LocatedFrame]:
    """Locates in each frame of a clip: averaged over time, and anew after each cut.

    A detector has no maps to average; it runs on each frame for itself.

    Args:
        frames: of one clip, camera or stream.
        model: a model's name or file; what `Localizer` takes where None.
        preset: one of the model's; its default where None.
        top, classes, min_probability, include_absent: as for `Localizer.locate`.
        kept: how much of the average stays with each new frame; see `SteadyNetwork`.

    Returns:
        The frames in order, lazily.

    Raises:
        ModelFileError, UnknownPresetError, UnknownClassError: with the first frame.

    Example:
        >>> with Frames("clip.mp4") as frames:
        ...     labels = [each.localization.predictions[0].label for each in follow(frames)]
    """
    opened = ModelFile(quick_model() if model is None else model)
    steady = None if opened.card.detects else SteadyNetwork(opened, kept)
    localizer = Localizer(steady or opened, preset)
    cuts = Cuts()
    for frame in frames:
        cut = cuts(frame.pixels)
        if cut and steady:
            steady.forget()
        localization = localizer.locate(
            frame.pixels, top=top, classes=classes, min_probability=min_probability, include_absent=include_absent
        )
        yield LocatedFrame(frame, replace(localization, image=f"{frames.name} #{frame.number}"), cut)

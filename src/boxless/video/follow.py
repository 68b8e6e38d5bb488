"""What is in the frames of a clip, and where, steadily."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Unpack

from boxless.localizer import Localizer
from boxless.locate_options import LocateKeywords, LocateOptions
from boxless.models.model_file import ModelFile
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
        """The frame as plain data.

        Returns:
            Plain data for JSON: the frame's number, its time in seconds, and all of `Localization.to_dict`.
        """
        place = {"frame": self.frame.number, "seconds": round(self.frame.seconds, 3), "cut": self.cut}
        return {**place, **self.localization.to_dict()}


def follow(
    frames: Frames,
    model: str | Path | None = None,
    preset: str | None = None,
    options: LocateOptions | None = None,
    *,
    kept: float = KEPT,
    **keywords: Unpack[LocateKeywords],
) -> Iterator[LocatedFrame]:
    """Locates each frame of a clip, with maps averaged over time; averaging restarts after each cut.

    A detector has no maps to average, so it processes each frame independently.

    Args:
        frames: the frames of one clip, camera or stream.
        model: a model's name or file; the default of `Localizer` if None.
        preset: a preset of the model; its default if None.
        options: what to return for each frame; the defaults if None.
        kept: the share of the average that each new frame keeps; see `SteadyNetwork`.
        **keywords: fields of `LocateOptions`, one by one.

    Returns:
        The frames in order, lazily.

    Raises:
        ModelFileError, UnknownPresetError, UnknownClassError: with the first frame.

    Example:
        >>> with Frames("clip.mp4") as frames:  # doctest: +SKIP
        ...     labels = [each.localization.predictions[0].label for each in follow(frames)]
    """
    opened = ModelFile(quick_model() if model is None else model)
    steady = None if opened.card.detects else SteadyNetwork(opened, kept)
    localizer = Localizer(steady or opened, preset)
    wanted = LocateOptions.of(options, **keywords)
    cuts = Cuts()
    for frame in frames:
        cut = cuts(frame.pixels)
        if cut and steady:
            steady.forget()
        localization = localizer.locate(frame.pixels, wanted)
        yield LocatedFrame(frame, replace(localization, image=f"{frames.name} #{frame.number}"), cut)

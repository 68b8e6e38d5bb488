"""boxless video: a clip, a camera or a stream in; classes and boxes for each frame out, and a drawn clip."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from boxless.cli.options import (
    Classes,
    IncludeAbsent,
    JsonLines,
    MinProbability,
    Nms,
    Preset,
    QuickModel,
    Top,
)
from boxless.models.presets import DEFAULT_PRESET
from boxless.options import DEFAULT_NMS

if TYPE_CHECKING:
    from boxless.video import ClipWriter, Frames, Looked

DRAWN = "_found"
"""How the names of drawn clips end, before their suffix."""


def video(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="A clip, a camera's number (0), or a stream (rtsp://...).")
    ],
    preset: Preset = DEFAULT_PRESET,
    model: QuickModel = None,
    top: Top = None,
    classes: Classes = None,
    min_probability: MinProbability = 0.0,
    include_absent: IncludeAbsent = False,
    nms: Nms = DEFAULT_NMS,
    every: Annotated[int, typer.Option(metavar="N", min=1, help="Process every N-th frame only.")] = 1,
    save: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write the clip with heat maps and boxes drawn over it.")
    ] = None,
    as_json: JsonLines = False,
) -> None:
    """Find what is in the frames of a clip, a camera or a stream, and where.

    Boxes are steady over time. What was made is kept when the clip breaks off or you stop it with Ctrl-C. Exit status:
    0 done; 1 the clip broke off; 2 wrong usage.
    """
    from boxless.cli.verbosity import note
    from boxless.options import LocateOptions
    from boxless.system.files import write_whole
    from boxless.video import SUFFIX, Frames, follow, is_video

    if not is_video(source):
        raise typer.BadParameter(
            f"{source} is not a clip, a camera or a stream (for images: boxless locate {source})", param_hint="SOURCE"
        )
    wanted = LocateOptions(top, classes, min_probability, include_absent, nms)
    with Frames(source, every) as frames:
        results = follow(frames, model, preset, wanted)
        if save is None:
            _process(frames, results, None, as_json)
        else:
            out = save / f"{_place(source)}{DRAWN}{SUFFIX}"
            write_whole(out, lambda beside: _write(beside, frames, results, as_json))
            note(f"drawn clip: {out}")
        if frames.broken:
            sys.stderr.write(f"{frames.name}: {frames.broken}; what was made so far is kept\n")
            raise typer.Exit(1)


def _write(path: Path, frames: Frames, results: Iterator[Looked], as_json: bool) -> None:
    from boxless.video import ClipWriter

    with ClipWriter(path, frames.rate / frames.every) as clip:
        _process(frames, results, clip, as_json)


def _process(frames: Frames, results: Iterator[Looked], clip: ClipWriter | None, as_json: bool) -> None:
    from boxless.cli.report import Report
    from boxless.cli.verbosity import note

    start, count = time.monotonic(), 0
    with Report(as_json, frames.total, "frames") as report:
        try:
            for each in results:
                report.add(each.found, each.as_dict())
                if clip is not None:
                    clip.add(each.found.draw(), each.frame.seconds)
                count += 1
        except KeyboardInterrupt:  # the usual way to end a camera
            if not count:
                raise
    rate = count / max(time.monotonic() - start, 1e-9)
    note(f"{frames.name}: {count} frames, {rate:.1f} frames a second")


def _place(source: str) -> str:
    """What the drawn clip is called: as the clip; a camera by its number; a stream by its last word."""
    if source.isdecimal():
        return f"camera{source}"
    if "://" not in source:
        return Path(source).stem
    word = Path(source.split("?")[0].rstrip("/")).stem
    return "".join(each if each.isalnum() or each in "-_." else "-" for each in word).strip(".") or "stream"

"""What `boxless locate` does with a clip, a camera or a stream."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

from boxless.cli.loudness import note
from boxless.cli.report import Report
from boxless.system.files import write_whole
from boxless.video import SUFFIX, ClipWriter, Frames, Looked, follow, is_video

DRAWN = f"_found{SUFFIX}"
"""How the names of drawn clips end."""


def is_clip(paths: Sequence[str], every: int | None) -> bool:
    """Whether the one path is a clip, a camera or a stream.

    Raises:
        typer.BadParameter: if there is more beside it, or frames are asked for of what has none.
    """
    videos = [path for path in paths if is_video(path)]
    if videos and len(paths) > 1:
        raise typer.BadParameter(f"{videos[0]} and more (expected one clip, camera or stream, alone)")
    if every is not None and not videos:
        raise typer.BadParameter("is for a clip, a camera or a stream", param_hint="--every")
    return bool(videos)


def locate_clip(
    source: str,
    model: str | None,
    preset: str,
    asked: Mapping[str, Any],
    every: int,
    save: Path | None,
    unwanted: Path | None,
    as_json: bool,
) -> None:
    """Locates in every frame, prints and draws; what is made stays when the clip breaks off or the user stops it.

    Args:
        source, model, preset, every, as_json: as on the command line.
        asked: `top`, `classes`, `min_probability` and `include_absent`, see `Localizer.locate`.
        save: the folder for the drawn clip, or None for none.
        unwanted: the output of pictures, of which a clip has none.

    Raises:
        typer.Exit: with status 1, if the clip breaks off.
    """
    if unwanted is not None:
        raise typer.BadParameter("--maps and --sheet are of pictures (expected --save DIR or --json with a clip)")
    with Frames(source, every) as frames:
        looks = follow(frames, model, preset, **asked)
        if save is None:
            _go_through(frames, looks, None, as_json)
        else:
            out = save / f"{_place(source)}{DRAWN}"
            write_whole(out, lambda beside: _write(beside, frames, looks, as_json))
            note(f"drawn clip: {out}")
        if frames.broken:
            sys.stderr.write(f"{frames.name}: {frames.broken}; what was made so far is kept\n")
            raise typer.Exit(1)


def _write(path: Path, frames: Frames, looks: Iterator[Looked], as_json: bool) -> None:
    with ClipWriter(path, frames.rate / frames.every) as clip:
        _go_through(frames, looks, clip, as_json)


def _go_through(frames: Frames, looks: Iterator[Looked], clip: ClipWriter | None, as_json: bool) -> None:
    start, count = time.monotonic(), 0
    with Report(as_json, frames.total, "frames") as report:
        try:
            for look in looks:
                report.add(look.found, look.as_dict())
                if clip is not None:
                    clip.add(look.found.draw(), look.frame.seconds)
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

"""What `boxless locate` does with a clip, a camera or a stream."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

from boxless.cli.inputs import is_folder
from boxless.cli.loudness import note
from boxless.cli.report import Report
from boxless.errors import VideoError
from boxless.imaging.read import holds_pictures
from boxless.system.files import write_whole
from boxless.system.text import printable
from boxless.system.unique_names import apart
from boxless.video import SUFFIX, ClipWriter, Frames, LocatedFrame, follow, is_video
from boxless.video.frames import SUFFIXES

DRAWN = f"_found{SUFFIX}"
"""How the names of drawn clips end."""


def clips_of(paths: Sequence[str], every: int | None, save: Path | None) -> list[str]:
    """The clips, the camera or the stream that paths name; empty if they name pictures.

    Args:
        paths: clips and folders of clips; or one camera or stream.
        every: as on the command line.
        save: the folder for drawn clips: those of an earlier run are left out.

    Raises:
        typer.BadParameter: if there are pictures among them, more than one of what never ends, or frames are asked for
            of what has none.
    """
    found: list[str] = []
    others: list[str] = []
    for path in paths:
        inside = _clips_in(Path(path), save)
        found += [path] if is_video(path) else inside
        others += [] if is_video(path) or inside else [path]
    if every is not None and not found:
        raise typer.BadParameter("is for a clip, a camera or a stream", param_hint="--every")
    if found and others:
        clip, other = printable(found[0]), printable(others[0])
        raise typer.BadParameter(f"{clip} is a clip and {other} is not (expected clips alone, or pictures alone)")
    if len(found) > 1 and (endless := [each for each in found if not Path(each).suffix or "://" in each]):
        raise typer.BadParameter(f"{printable(endless[0])} and more (expected one camera or stream, alone)")
    return found


def _clips_in(folder: Path, save: Path | None) -> list[str]:
    """The clips of a folder and its sub-folders, sorted; of one that has pictures, none: they are meant."""
    if not is_folder(folder) or holds_pictures(folder):
        return []
    ours = save and save.resolve()
    return [
        str(path)
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in SUFFIXES
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and not (ours and path.name.endswith(DRAWN) and path.resolve().is_relative_to(ours))
    ]


def locate_clips(
    sources: Sequence[str],
    model: str | None,
    preset: str,
    asked: Mapping[str, Any],
    every: int,
    save: Path | None,
    unwanted: Path | None,
    as_json: bool,
) -> None:
    """Locates in one clip after the other; see `locate_clip`. One that cannot be read does not keep the others back.

    Raises:
        VideoError: if there is only one and it cannot be read.
        typer.Exit: with status 1, if a clip breaks off, or one of several cannot be read.
    """
    failed = False
    for source, name in zip(sources, apart([_place(each) for each in sources]), strict=True):
        out = None if save is None else save / f"{name}{DRAWN}"
        try:
            failed |= not locate_clip(source, model, preset, asked, every, out, unwanted, as_json)
        except VideoError as error:
            if len(sources) == 1:
                raise
            sys.stderr.write(f"{printable(str(error))}\n")
            failed = True
    if failed:
        raise typer.Exit(1)


def locate_clip(
    source: str,
    model: str | None,
    preset: str,
    asked: Mapping[str, Any],
    every: int,
    out: Path | None,
    unwanted: Path | None,
    as_json: bool,
) -> bool:
    """Locates in every frame, prints and draws; what is made stays when the clip breaks off or the user stops it.

    Args:
        source, model, preset, every, as_json: as on the command line.
        asked: `top`, `classes`, `min_probability` and `include_absent`, see `Localizer.locate`.
        out: the drawn clip's file, or None for none.
        unwanted: the output of pictures, of which a clip has none.

    Returns:
        Whether the clip was whole.
    """
    if unwanted is not None:
        raise typer.BadParameter("--maps and --sheet are of pictures (expected --save DIR or --json with a clip)")
    with Frames(source, every) as frames:
        located = follow(frames, model, preset, **asked)
        if out is None:
            _go_through(frames, located, None, as_json)
        else:
            write_whole(out, lambda beside: _write(beside, frames, located, as_json))
            note(f"drawn clip: {out}")
        if frames.broken:
            sys.stderr.write(f"{printable(frames.name)}: {frames.broken}; what was made so far is kept\n")
        return frames.broken is None


def _write(path: Path, frames: Frames, located: Iterator[LocatedFrame], as_json: bool) -> None:
    with ClipWriter(path, frames.rate / frames.every) as clip:
        _go_through(frames, located, clip, as_json)


def _go_through(frames: Frames, located: Iterator[LocatedFrame], clip: ClipWriter | None, as_json: bool) -> None:
    start, count = time.monotonic(), 0
    with Report(as_json, frames.total, "frames") as report:
        try:
            for each in located:
                report.add(each.localization, each.as_dict())
                if clip is not None:
                    clip.add(each.localization.draw(), each.frame.seconds)
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

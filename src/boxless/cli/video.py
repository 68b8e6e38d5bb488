"""boxless video: a clip, a camera or a stream in; classes and boxes for each frame out, and a drawn clip."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from boxless.cli.options import Classes, Device, IncludeAbsent, JsonLines, MinProbability, Model, Nms, Preset, Top
from boxless.locate_options import DEFAULT_NMS
from boxless.models.presets import DEFAULT_PRESET
from boxless.system.text import printable

if TYPE_CHECKING:
    from boxless.locate_options import LocateOptions
    from boxless.video import ClipWriter, Frames, LocatedFrame

DRAWN = "_found"
"""How the names of drawn clips end, before their suffix."""


def video(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE", help="Clips and folders of clips; or a camera's number (0), or a stream (rtsp://...)."
        ),
    ],
    preset: Preset = DEFAULT_PRESET,
    model: Model = None,
    top: Top = None,
    classes: Classes = None,
    min_probability: MinProbability = 0.0,
    include_absent: IncludeAbsent = False,
    nms: Nms = DEFAULT_NMS,
    every: Annotated[int, typer.Option(metavar="N", min=1, help="Process every N-th frame only.")] = 1,
    save: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write each clip with heatmaps and boxes drawn over it.")
    ] = None,
    as_json: JsonLines = False,
    device: Device = None,
) -> None:
    """Find what is in the frames of clips, a camera or a stream, and where.

    Boxes are steady over time. What was made is kept when a clip breaks off or you stop it with Ctrl-C. Exit status:
    0 done; 1 a clip broke off, or one of several cannot be read; 2 wrong usage.
    """
    from boxless.errors import VideoError
    from boxless.locate_options import LocateOptions
    from boxless.system.files import apart
    from boxless.video import SUFFIX

    wanted = LocateOptions(top, classes, min_probability, include_absent, nms)
    clips = _clips(sources, save)
    failed = False
    for clip, name in zip(clips, apart([_place(each) for each in clips]), strict=True):
        out = None if save is None else save / f"{name}{DRAWN}{SUFFIX}"
        try:
            failed |= not _locate_clip(clip, model, preset, wanted, every, out, as_json)
        except VideoError as error:
            if len(clips) == 1:
                raise
            sys.stderr.write(f"{printable(str(error))}\n")
            failed = True
    if failed:
        raise typer.Exit(1)


def _clips(sources: Sequence[str], save: Path | None) -> list[str]:
    """The clips, the camera or the stream that sources name; drawn clips of an earlier run are left out."""
    from boxless.system.files import is_folder
    from boxless.video import is_video

    found: list[str] = []
    for source in sources:
        inside = _clips_in(Path(source), save) if is_folder(Path(source)) else []
        if not inside and not is_video(source):
            raise typer.BadParameter(
                f"{printable(source)} is not a clip, a folder of clips, a camera or a stream "
                f"(for images: boxless locate {printable(source)})",
                param_hint="SOURCE",
            )
        found += inside or [source]
    endless = [each for each in found if not Path(each).suffix or "://" in each]
    if len(found) > 1 and endless:
        raise typer.BadParameter(f"{printable(endless[0])} and more (expected one camera or stream, alone)")
    return found


def _clips_in(folder: Path, save: Path | None) -> list[str]:
    from boxless.imaging.walk import files_in
    from boxless.video import SUFFIX
    from boxless.video.frames import SUFFIXES

    ours = save and save.resolve()
    return [
        str(path)
        for path in files_in(folder, lambda name: Path(name).suffix.lower() in SUFFIXES)
        if not (ours and path.name.endswith(f"{DRAWN}{SUFFIX}") and path.resolve().is_relative_to(ours))
    ]


def _locate_clip(
    source: str, model: str | None, preset: str, wanted: LocateOptions, every: int, out: Path | None, as_json: bool
) -> bool:
    """Locates in every frame, prints and draws; whether the clip was whole."""
    from boxless.cli.verbosity import note
    from boxless.system.files import write_whole
    from boxless.video import ClipWriter, Frames, follow

    with Frames(source, every) as frames:
        results = follow(frames, model, preset, wanted)
        if out is None:
            _process(frames, results, None, as_json)
        else:

            def write(beside: Path) -> None:
                with ClipWriter(beside, frames.rate / frames.every) as clip:
                    _process(frames, results, clip, as_json)

            write_whole(out, write)
            note(f"drawn clip: {out}")
        if frames.broken:
            sys.stderr.write(f"{printable(frames.name)}: {frames.broken}; what was made so far is kept\n")
        return frames.broken is None


def _process(frames: Frames, results: Iterator[LocatedFrame], clip: ClipWriter | None, as_json: bool) -> None:
    from boxless.cli.report import Report
    from boxless.cli.verbosity import note

    start, count = time.monotonic(), 0
    with Report(as_json, frames.total, "frames") as report:
        try:
            for each in results:
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

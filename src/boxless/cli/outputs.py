"""The files that `boxless locate` writes: drawn images, score maps, a contact sheet."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Self

import numpy as np
import typer
from PIL.Image import Image

from boxless.cli.overwrite import ask_before_overwriting
from boxless.cli.verbosity import note
from boxless.imaging.draw import TILE, contact_sheet
from boxless.results import Localization
from boxless.system.files import write_whole

DRAWN = "_found.jpg"
"""How the names of drawn images end."""

SHEETS = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".pdf")
"""How the name of a contact sheet may end."""


def check_sheet(path: Path, force: bool) -> None:
    """Makes sure that a contact sheet is of a kind of image that is written, and replaces no file by accident."""
    if path.suffix.lower() not in SHEETS:
        found = f"'{path.suffix}'" if path.suffix else "no ending"
        raise typer.BadParameter(
            f"{path} has {found} (expected that of an image: {', '.join(SHEETS)})", param_hint="--sheet"
        )
    ask_before_overwriting(path, force, "--sheet")


class Outputs:
    """Writes the files of each result below two folders, and the contact sheet of all at the end; None for none."""

    def __init__(self, save: Path | None, maps: Path | None, sheet: Path | None) -> None:
        self._save = save
        self._maps = maps
        self._sheet = sheet
        self._thumbnails: list[Image] = []
        self._captions: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None and self._sheet and self._thumbnails:
            write_whole(self._sheet, contact_sheet(self._thumbnails, self._captions).save)
            note(f"contact sheet: {self._sheet}")

    def add(self, found: Localization, place: str) -> None:
        """Writes the files of a result, called as `place`, such as "trip/beach"; of a failed one there are none."""
        if found.error is not None:
            return
        if self._maps:
            for prediction in found.predictions:
                path = self._maps / f"{place}_map_{prediction.class_index}.npy"
                write_whole(path, partial(np.save, arr=prediction.score_map))
        if self._save or self._sheet:
            drawn = found.draw()
            if self._save:
                write_whole(self._save / f"{place}{DRAWN}", partial(drawn.save, quality=92))
            if self._sheet:
                drawn.thumbnail((TILE, TILE))
                self._thumbnails.append(drawn)
                self._captions.append(found.image)

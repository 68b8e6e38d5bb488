"""Text in any script: a font for Latin, Greek and Cyrillic comes with boxless; for others, the system's are taken.

Internal: it may change in any release.
"""

from __future__ import annotations

import logging
import unicodedata
from functools import cache
from itertools import groupby
from pathlib import Path

import numpy as np
from PIL import ImageDraw, ImageFont

from boxless.imaging.fonts.coverage import Letters, letters_in
from boxless.imaging.fonts.system import system_fonts
from boxless.system.text import printable

OWN = Path(__file__).with_name("NotoSans-Regular.ttf")
"""Noto Sans, its Latin, Greek and Cyrillic letters; SIL Open Font License 1.1, see OFL.txt beside it."""

Colour = tuple[int, int, int]

_letters = cache(letters_in)
_said: set[str] = set()  # the scripts, by the first word of the names of their letters
_log = logging.getLogger("boxless")


class Lettering:
    """Measures and writes text, each letter in the first font that has it.

    Control characters and line breaks are shown as `boxless.system.text.printable` does. A letter that no font has is
    drawn as an empty square, and a warning says so (`logging`, once for each script).

    Args:
        size: of the letters, in pixels.
    """

    def __init__(self, size: float) -> None:
        self._size = size
        self._fonts: dict[Path, ImageFont.FreeTypeFont] = {}
        self._ascent = self._font(OWN).getmetrics()[0]

    def length(self, text: str) -> float:
        """How wide a text is, in pixels."""
        return sum(font.getlength(run) for font, run in self._runs(text))

    def box(self, text: str) -> tuple[float, float, float, float]:
        """(x0, y0, x1, y1) around a text that is written at (0, 0), in pixels."""
        left, boxes = 0.0, []
        for font, run in self._runs(text):
            x0, y0, x1, y1 = font.getbbox(run, anchor="ls")
            boxes.append((left + x0, self._ascent + y0, left + x1, self._ascent + y1))
            left += font.getlength(run)
        if not boxes:
            return (0.0, 0.0, 0.0, 0.0)
        lefts, tops, rights, bottoms = zip(*boxes, strict=True)
        return min(lefts), min(tops), max(rights), max(bottoms)

    def write(self, pen: ImageDraw.ImageDraw, x: float, y: float, text: str, colour: Colour) -> None:
        """Writes a text, its upper left corner at (x, y)."""
        for font, run in self._runs(text):
            pen.text((x, y + self._ascent), run, colour, font, anchor="ls")
            x += font.getlength(run)

    def _runs(self, text: str) -> list[tuple[ImageFont.FreeTypeFont, str]]:
        text = printable(text)
        paths = [font_with(letter) if _is_seen(letter) else None for letter in text]
        # What is not seen (a space, a joiner) is written with what comes before it.
        for i, path in enumerate(paths):
            paths[i] = path or (paths[i - 1] if i else OWN)
        pairs = groupby(zip(paths, text, strict=True), key=lambda pair: pair[0])
        return [(self._font(path or OWN), "".join(letter for _, letter in pair)) for path, pair in pairs]

    def _font(self, path: Path) -> ImageFont.FreeTypeFont:
        if path not in self._fonts:
            self._fonts[path] = ImageFont.truetype(path, self._size)
        return self._fonts[path]


@cache
def font_with(letter: str) -> Path:
    """The first font that has a letter: our own, or one of the system's; our own, and a warning, where none has it."""
    for path in (OWN, *system_fonts()) if not _has(_letters(OWN), letter) else (OWN,):
        if _has(_letters(path), letter):
            return path
    script = unicodedata.name(letter, "other").split()[0]
    if script not in _said:
        _said.add(script)
        _log.warning(
            "no font here has the letter %s (U+%04X): it and its like are drawn as empty squares; install a font that "
            "has them, such as one of the Noto fonts",
            letter,
            ord(letter),
        )
    return OWN


def _has(letters: Letters, letter: str) -> bool:
    place = int(np.searchsorted(letters, ord(letter)))
    return place < len(letters) and int(letters[place]) == ord(letter)


def _is_seen(letter: str) -> bool:
    """Whether a letter leaves ink: no space, control, joiner or variation selector."""
    return unicodedata.category(letter)[0] not in "ZC" and not 0xFE00 <= ord(letter) <= 0xFE0F

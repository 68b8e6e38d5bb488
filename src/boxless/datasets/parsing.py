"""Reading the files of other people's programs: as text, JSON or XML, and numbers that may be anything."""

from __future__ import annotations

import codecs
import json
import math
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from boxless.datasets.notes import Notes
from boxless.errors import DatasetError
from boxless.system.files import is_file

BAD_RECORD = (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError, RecursionError)
"""What reading a record raises that is not as the format has it: it is noted, and the others are read."""

MOST_PIXELS = 1_000_000
"""The longest side of an image that is believed."""

_BYTE_ORDERS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


def read_text(file: Path) -> str:
    """A text file in UTF-8, or in UTF-16 with a byte order mark, as programs for Windows write it; without the mark.

    Raises:
        DatasetError: if it is no file (a pipe would never end), cannot be read, or is no text.
    """
    if not is_file(file):
        raise DatasetError(f"{file}: no such file (expected annotations)")
    try:
        content = file.read_bytes()
    except OSError as error:
        raise DatasetError(f"{file}: cannot be read ({error.strerror})") from None
    encoding = next((name for mark, name in _BYTE_ORDERS.items() if content.startswith(mark)), "utf-8")
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        raise DatasetError(f"{file}: not text in UTF-8 (save it as UTF-8)") from None


def read_json(file: Path) -> Any:  # noqa: ANN401
    """What a JSON file holds; a DatasetError where it is none, or nested too deeply."""
    try:
        return json.loads(read_text(file))
    except (ValueError, RecursionError) as error:
        why = "nested too deeply" if isinstance(error, RecursionError) else error
        raise DatasetError(f"{file}: not JSON ({why})") from None


def read_xml(file: Path) -> ElementTree.Element:
    """The root of an XML file; a DatasetError where it is none, or has a document type."""
    text = read_text(file)
    # Entities can be made to grow without end, and annotations need none.
    if re.search(r"<!(DOCTYPE|ENTITY)", text):
        raise DatasetError(f"{file}: XML with a document type, which is not read")
    try:
        return ElementTree.fromstring(re.sub(r"^\s*<\?xml[^>]*\?>", "", text))
    except (ElementTree.ParseError, ValueError) as error:
        raise DatasetError(f"{file}: not XML ({error})") from None


def head_of(file: Path, size: int = 65_536) -> str:
    """The beginning of a file as text, to tell its format by; "" where there is none."""
    try:
        if not is_file(file):
            return ""
        with file.open("rb") as opened:
            content = opened.read(size)
    except OSError:
        return ""
    wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return content.decode("utf-16" if wide else "utf-8-sig", "replace")


def number(value: Any) -> float:  # noqa: ANN401
    """A finite number, also written as text; raises one of `BAD_RECORD` where it is none.

    Example:
        >>> number("12.5")
        12.5
    """
    found = float(value)
    if isinstance(value, bool) or not math.isfinite(found):
        raise ValueError(f"{value} (expected a finite number)")
    return found


def text_of(value: Any) -> str:  # noqa: ANN401
    """A name: text, or a whole number as its digits; raises one of `BAD_RECORD` where it is none."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise TypeError(f"{type(value).__name__} (expected a name)")
    name = str(value)
    if not name.strip() or "\0" in name:
        raise ValueError("an empty name, or one with a zero byte")
    name.encode()  # half a surrogate pair is no text
    return name


def size_of(height: Any, width: Any, name: str, notes: Notes) -> tuple[int, int] | None:  # noqa: ANN401
    """The (height, width) of an image; None where it is not given, as 0 or nothing, or is no size, which is noted."""
    if height in (None, 0, "", "0") or width in (None, 0, "", "0"):
        return None
    try:
        rows, columns = number(height), number(width)
        if 0 < rows <= MOST_PIXELS and 0 < columns <= MOST_PIXELS:
            return max(1, round(rows)), max(1, round(columns))
    except BAD_RECORD:
        pass
    notes.add("unreadable line", f"size of {name}")
    return None


def bounds_of(coordinates: list[float] | tuple[float, ...]) -> tuple[float, float, float, float]:
    """The box around points x, y, x, y, ...

    Example:
        >>> bounds_of([1.0, 5.0, 3.0, 2.0])
        (1.0, 2.0, 3.0, 5.0)
    """
    return min(coordinates[::2]), min(coordinates[1::2]), max(coordinates[::2]), max(coordinates[1::2])


def rotated_bounds(
    box: tuple[float, float, float, float], degrees: float, pivot: tuple[float, float]
) -> tuple[float, float, float, float]:
    """The upright box around one that is turned clockwise about a point.

    Example:
        >>> [round(edge) for edge in rotated_bounds((0, 0, 4, 2), 90, (2, 1))]
        [1, -1, 3, 3]
    """
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    x0, y0, x1, y1 = box
    turned: list[float] = []
    for x, y in ((x0, y0), (x1, y0), (x1, y1), (x0, y1)):
        right, down = x - pivot[0], y - pivot[1]
        turned += [pivot[0] + right * cosine - down * sine, pivot[1] + right * sine + down * cosine]
    return bounds_of(turned)

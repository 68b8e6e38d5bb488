"""Writing the files of other people's programs: long JSON arrays, XML, and coordinates."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, TextIO
from xml.etree.ElementTree import Element, SubElement, indent, tostring

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def rounded(value: float) -> float:
    """Coordinates in hundredths of pixels: finer is no information."""
    return round(value, 2)


def write_array(file: TextIO, elements: Iterable[Any]) -> None:
    """Writes a JSON array, an element a line."""
    file.write("[")
    for number, each in enumerate(elements):
        file.write(("\n" if number == 0 else ",\n") + json.dumps(each, ensure_ascii=False, allow_nan=False))
    file.write("\n]")


def clean(text: str) -> str:
    """The text without the characters that XML cannot have, a replacement character in their place."""
    return _FORBIDDEN.sub("\ufffd", text)


def child(parent: Element, name: str, value: object) -> Element:
    """A new element with text at the parent's end."""
    element = SubElement(parent, name)
    element.text = clean(str(value))
    return element


def xml_text(element: Element, level: int = 0) -> str:
    """The element, indented. Carriage returns are kept: unescaped, readers would take them for line feeds."""
    indent(element, space="  ", level=level)
    return "  " * level + tostring(element, encoding="unicode").replace("\r", "&#13;") + "\n"

"""XML, written element by element."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, SubElement, indent, tostring

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def clean(text: str) -> str:
    """The text without the characters that XML cannot have, a replacement character in their place."""
    return _FORBIDDEN.sub("\ufffd", text)


def child(parent: Element, name: str, value: object) -> Element:
    """A new element with text at the parent's end."""
    element = SubElement(parent, name)
    element.text = clean(str(value))
    return element


def as_text(element: Element, level: int = 0) -> str:
    """The element, indented. Carriage returns are kept: unescaped, readers would take them for line feeds."""
    indent(element, space="  ", level=level)
    return "  " * level + tostring(element, encoding="unicode").replace("\r", "&#13;") + "\n"

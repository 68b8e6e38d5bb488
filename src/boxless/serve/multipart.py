"""Bodies of the type multipart/form-data, in memory: no temporary files, so that a read-only disk will do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from boxless.serve.problems import Problem

_MOST_PARTS = 100
_LONGEST_FIELD = 10_000


@dataclass
class Part:
    """One part of a form.

    Attributes:
        name: of the field.
        filename: that the client gives it; None if it is no file. It is a text and never a path to anything.
        content: its bytes.
    """

    name: str = ""
    filename: str | None = None
    content: bytearray = field(default_factory=bytearray)

    @property
    def text(self) -> str:
        """The content of a field; a Problem if it is no text, or a very long one."""
        if len(self.content) > _LONGEST_FIELD:
            raise Problem(422, "bad-option", f"the field '{self.name}' has {len(self.content):,} bytes: no option has")
        try:
            return self.content.decode("utf-8")
        except UnicodeDecodeError:
            raise Problem(422, "bad-option", f"the field '{self.name}' is not UTF-8") from None


def parts_of(body: bytes, content_type: str) -> list[Part]:
    """The parts of a form; a Problem if it is no such form, is cut off, or has very many parts."""
    boundary = parse_options_header(content_type)[1].get(b"boundary")
    if not boundary:
        raise _broken("its Content-Type names no boundary")
    reading = _Reading()
    try:
        parser = MultipartParser(boundary, reading.callbacks())  # type: ignore[arg-type]
        parser.write(body)
        parser.finalize()
    except FormParserError as error:
        raise _broken(str(error)) from None
    if not reading.complete:
        raise _broken("it is cut off")
    return reading.parts


class _Reading:
    """What a parser's callbacks gather."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.complete = False
        self._name = b""
        self._value = b""

    def callbacks(self) -> dict[str, Callable[..., None]]:
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._header_name,
            "on_header_value": self._header_value,
            "on_header_end": self._header,
            "on_part_data": self._data,
            "on_end": self._end,
        }

    def _begin(self) -> None:
        if len(self.parts) >= _MOST_PARTS:
            raise _broken(f"it has more than {_MOST_PARTS} parts")
        self.parts.append(Part())

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header(self) -> None:
        if self._name.lower() == b"content-disposition":
            _, options = parse_options_header(self._value)
            part = self.parts[-1]
            part.name = options.get(b"name", b"").decode("utf-8", "replace")
            if (filename := options.get(b"filename")) is not None:
                part.filename = filename.decode("utf-8", "replace")
        self._name = self._value = b""

    def _data(self, data: bytes, start: int, end: int) -> None:
        self.parts[-1].content += data[start:end]

    def _end(self) -> None:
        self.complete = True


def _broken(why: str) -> Problem:
    return Problem(400, "broken-form", f"a form (multipart/form-data) that cannot be read: {why}")

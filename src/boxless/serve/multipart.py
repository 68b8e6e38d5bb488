"""Bodies of the type multipart/form-data, in memory: no temporary files, so that a read-only disk will do."""

from __future__ import annotations

from dataclasses import dataclass

from python_multipart import FormParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import Field, File, parse_options_header

from boxless.serve.problems import Problem

_MOST_PARTS = 100
_LONGEST_FIELD = 10_000


@dataclass(frozen=True)
class Part:
    """One part of a form.

    Attributes:
        name: of the field.
        filename: that the client gives it; None if it is no file. It is a text and never a path to anything.
        content: its bytes.
    """

    name: str
    filename: str | None
    content: bytes

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
    parts: list[Part] = []
    complete = False

    def add(name: bytes | None, filename: bytes | None, content: bytes | None) -> None:
        if len(parts) >= _MOST_PARTS:
            raise _broken(f"it has more than {_MOST_PARTS} parts")
        called = None if filename is None else filename.decode("utf-8", "replace")
        parts.append(Part((name or b"").decode("utf-8", "replace"), called, content or b""))

    def on_field(field: Field) -> None:
        add(field.field_name, None, field.value)

    def on_file(file: File) -> None:
        file.file_object.seek(0)
        add(file.field_name, file.file_name, file.file_object.read())

    def on_end() -> None:
        nonlocal complete
        complete = True

    in_memory = {"MAX_MEMORY_FILE_SIZE": len(body)}
    try:
        parser = FormParser("multipart/form-data", on_field, on_file, on_end, boundary, config=in_memory)
        parser.write(body)
        parser.finalize()
    except FormParserError as error:
        raise _broken(str(error)) from None
    if not complete:
        raise _broken("it is cut off")
    return parts


def _broken(why: str) -> Problem:
    return Problem(400, "broken-form", f"a form (multipart/form-data) that cannot be read: {why}")

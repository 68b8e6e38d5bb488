"""The service's log, in which nothing that came with a request or a file takes another line, or commands a terminal."""

from __future__ import annotations

import logging

from boxless.system.text import printable


def configure_log() -> None:
    """Sends warnings and errors to standard error, one line each, tracebacks indented under theirs."""
    handler = logging.StreamHandler()
    handler.setFormatter(PlainFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])


class PlainFormatter(logging.Formatter):
    r"""Formats records so that a line that is not indented is a record of the service's own.

    Paths, labels and file names may hold line breaks and escape sequences, and reach the log in messages and in
    tracebacks. Whatever is not printable is written as Python would: `\n`, `\x1b`.
    """

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name is logging's
        """The line of a record."""
        return printable(super().formatMessage(record))

    def formatException(self, ei: object) -> str:  # noqa: N802
        """A traceback, each line indented."""
        text = super().formatException(ei)  # type: ignore[arg-type]
        return "\n".join("    " + printable(line) for line in text.split("\n"))

    def formatStack(self, stack_info: str) -> str:  # noqa: N802
        """A stack, each line indented."""
        return "\n".join("    " + printable(line) for line in stack_info.split("\n"))

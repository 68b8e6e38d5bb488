"""The service's log: nothing from outside takes a line of its own, or commands a terminal."""

from __future__ import annotations

import io
import logging

import pytest

from boxless.serve.server import PlainFormatter


@pytest.mark.parametrize(
    "hostile", ["\x1b[2J", "\r\n2026-01-01 forged", "\x9b31m", "\u2028forged", "\u202egnp.exe", "\x00"]
)
def test_nothing_unprintable_reaches_it(hostile: str) -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(PlainFormatter("%(levelname)s %(message)s"))
    log = logging.Logger("test")
    log.addHandler(handler)
    try:
        raise ValueError(f"no class {hostile}")
    except ValueError:
        log.exception("an error at %s", f"/v1/models/{hostile}")
    first, *rest = stream.getvalue().splitlines()
    assert first.startswith("ERROR an error at /v1/models/\\")
    assert all(line.startswith("    ") for line in rest)
    assert all(each.isprintable() or each == "\n" for each in stream.getvalue())

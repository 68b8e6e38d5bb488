"""Exporters, kept quiet."""

from __future__ import annotations

import os

import pytest

from boxless.export.frameworks import quiet


def test_what_exporters_print_past_python_is_not_seen(capfd: pytest.CaptureFixture[str]) -> None:
    with quiet():
        os.write(1, b"the graph, on a thousand lines")
    os.write(1, b"after")
    assert capfd.readouterr().out == "after"

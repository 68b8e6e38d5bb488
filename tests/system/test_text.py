"""What comes from a file reaches no terminal, log or drawing as it is."""

from __future__ import annotations

import json
import sys
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from tests.command_line import boxless

from boxless.imaging.draw import contact_sheet
from boxless.imaging.fonts import Lettering
from boxless.system.text import figures_json, json_text, printable

HOSTILE = "red\x1b[31m\x1b]0;title\x07\r\nboxless: all is well\x9b2J\u202egpj"


@pytest.mark.parametrize(
    "text",
    [
        "photo.jpg",
        "schön wie 猫",
        "a b\u3000c\xa0d",
        "\u0645\u06cc\u200c\u062e\u0648\u0631\u0645",
        "👩\u200d🔬.png",
        "back\\slash",
        "",
    ],
)
def test_what_people_write_stays(text: str) -> None:
    assert printable(text) == text


def test_what_steers_a_terminal_is_escaped() -> None:
    shown = printable(HOSTILE)
    assert shown == r"red\x1b[31m\x1b]0;title\x07\r\nboxless: all is well\x9b2J\u202egpj"
    assert printable("bytes that are no text: \udcff") == r"bytes that are no text: \udcff"


@given(st.text())
def test_nothing_gets_through(text: str) -> None:
    shown = printable(text)
    assert not any(unicodedata.category(each) in ("Cc", "Cs", "Zl", "Zp") for each in shown)
    assert "\u202e" not in shown
    data = json_text({"name": text})
    assert json.loads(data) == {"name": text}
    assert not any(unicodedata.category(each) in ("Cc", "Cs", "Zl", "Zp") for each in data)


def test_json_has_no_nan() -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        json_text({"score": float("nan")})


@pytest.mark.skipif(sys.platform == "win32", reason="Windows takes no such names")
@pytest.mark.parametrize("arguments", [(), ("--json",)])
def test_the_command_line(arguments: tuple[str, ...], coffee: Path, tmp_path: Path) -> None:
    folder = tmp_path / HOSTILE.replace("/", "")
    folder.mkdir()
    (folder / f"{HOSTILE}.jpg").write_bytes(coffee.read_bytes())
    (folder / f"broken{HOSTILE}.png").write_bytes(b"no image")
    done = boxless("locate", folder, "--preset", "fast", "--save", folder, *arguments)
    said = (done.stdout + done.stderr).replace("\n", "")
    assert not any(unicodedata.category(each) == "Cc" for each in said)
    assert "\u202e" not in said
    assert not any(line.startswith("boxless: all is well") for line in (done.stdout + done.stderr).splitlines())
    assert r"\x1b[31m" in done.stderr
    assert done.returncode == 1
    refused = boxless("locate", folder / f"{HOSTILE}.jpg", "--model", folder / f"{HOSTILE}.onnx")
    assert refused.returncode == 2
    assert "\x1b" not in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_drawings() -> None:
    letters = Lettering(14)
    assert letters.box(HOSTILE) == letters.box(printable(HOSTILE))
    image = Image.new("RGB", (20, 20))
    sheets = [np.asarray(contact_sheet([image], [each])) for each in ("a\nb\x1b", r"a\nb\x1b")]
    assert np.array_equal(sheets[0], sheets[1])


def test_a_figure_that_could_not_be_measured_is_null() -> None:
    data = {"a": [1.5, float("inf")], "b": {"c": (float("nan"), "\x9b", 2, True, None)}}
    assert figures_json(data) == '{"a": [1.5, null], "b": {"c": [null, "\\u009b", 2, true, null]}}'

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

import boxless.imaging.fonts as fonts
from boxless.imaging.draw import Layer, contact_sheet, draw
from boxless.imaging.fonts import OWN, Lettering, font_with
from boxless.imaging.fonts.coverage import letters_in
from boxless.imaging.fonts.system import system_fonts
from boxless.maps.boxes import Box

NO_LETTER = "\U0010ffff"


@pytest.fixture
def no_other_fonts(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A system without fonts, on which nothing was said yet."""
    monkeypatch.setattr(fonts, "system_fonts", lambda: ())
    monkeypatch.setattr(fonts, "_said", set())
    font_with.cache_clear()
    yield
    font_with.cache_clear()


def written(text: str) -> np.ndarray:
    image = Image.new("L", (300, 60))
    Lettering(24).write(ImageDraw.Draw(image), 10, 10, text, 255)  # type: ignore[arg-type]
    return np.asarray(image)


@pytest.mark.parametrize("word", ["Schlüssel", "Łódź", "Κλειδί", "ключ", "ґанок", "Việt", "“naïve” — 20 €"])
def test_latin_greek_and_cyrillic_are_drawn(word: str, no_other_fonts: None, caplog: pytest.LogCaptureFixture) -> None:
    letters = sorted(set(word) - {" "})
    square = written(NO_LETTER)
    drawn = [written(letter) for letter in letters]
    assert not any(np.array_equal(each, square) for each in drawn)
    assert all(each.any() for each in drawn)
    assert len({each.tobytes() for each in drawn}) == len(letters)
    assert [record for record in caplog.records if ord(NO_LETTER) not in record.args] == []  # type: ignore[operator]


def test_a_letter_without_a_font_is_said_once(no_other_fonts: None, caplog: pytest.LogCaptureFixture) -> None:
    pixels = np.full((200, 300, 3), 128, np.uint8)
    layer = Layer("猫 87 %", np.zeros((200, 300), np.float32), 0.0, [Box(10, 10, 90, 90, 1.0)])
    with caplog.at_level(logging.WARNING, "boxless"):
        for _ in range(3):
            drawn = draw(pixels, [layer, layer])
        contact_sheet([drawn], ["犬"])
    (record,) = caplog.records
    assert "猫 (U+732B)" in record.getMessage()


def test_spaces_and_joiners_need_no_font(no_other_fonts: None, caplog: pytest.LogCaptureFixture) -> None:
    assert Lettering(20).length("a\u200d\ufe0f\u3000\tb") > 0
    assert Lettering(20).box("") == (0, 0, 0, 0)
    assert caplog.records == []


def test_the_font_of_the_system_is_found(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """The first one that has the letter; a stand-in for the system's has what ours lacks."""
    other = next((path for path in system_fonts() if 0x2603 in letters_in(path)), None)  # a snowman
    if other is None:
        pytest.skip("no font here has the letter ☃")
    font_with.cache_clear()
    monkeypatch.setattr(fonts, "system_fonts", lambda: (OWN, other))
    assert font_with("a") == OWN
    assert font_with("☃") == other
    both, ours = Lettering(24).box("a ☃"), Lettering(24).box("a")
    assert both[2] > ours[2] + 10
    assert not np.array_equal(written("☃"), written(NO_LETTER))
    font_with.cache_clear()


@pytest.mark.parametrize("path", [OWN, *system_fonts()[:10]], ids=lambda path: path.name)
def test_coverage_agrees_with_what_is_drawn(path: Path) -> None:
    """FreeType draws the same square for every letter that a font lacks."""
    font, known = ImageFont.truetype(path, 30), set(letters_in(path).tolist())
    square = bytes(font.getmask(NO_LETTER))
    for letter in map(chr, [*range(0x21, 0x7F), *range(0x391, 0x3A2), *range(0x410, 0x450), 0x4E00, 0x732B]):
        assert (bytes(font.getmask(letter)) != square) == (ord(letter) in known), f"{letter} of {path}"


def test_what_is_no_font_has_no_letters(tmp_path: Path) -> None:
    for i, data in enumerate((b"", b"ttcf", b"\0\1\0\0\0\1" + bytes(40), OWN.read_bytes()[:300], b"text" * 100)):
        path = tmp_path / f"{i}.ttf"
        path.write_bytes(data)
        assert len(letters_in(path)) == 0


def test_the_licence_is_beside_the_font() -> None:
    assert "SIL OPEN FONT LICENSE" in OWN.with_name("OFL.txt").read_text(encoding="utf-8")

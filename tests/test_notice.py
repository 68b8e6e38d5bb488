"""Whoever made what is shipped is named."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parent.parent

_OTHERS = {".avif", ".gif", ".jpg", ".mp4", ".onnx", ".otf", ".png", ".ttf", ".wasm", ".webm", ".webp", ".woff2"}
"""How files end that nobody writes in an editor."""


def test_weights_fonts_and_images_are_named_with_their_makers() -> None:
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    shipped = [path for folder in ("src", "examples") for path in (ROOT / folder).rglob("*") if path.suffix in _OTHERS]
    assert len(shipped) >= 8
    for path in shipped:
        credits = next((each for each in (folder / "CREDITS.md" for folder in path.parents) if each.exists()), None)
        if credits is not None:
            assert credits.relative_to(ROOT).as_posix() in notice
            # Its own name, or that of the folder whose images a program made.
            text = credits.read_text(encoding="utf-8")
            folders = [
                folder.relative_to(credits.parent).as_posix()
                for folder in path.parents
                if credits.parent in folder.parents
            ]
            assert any(f"`{name}`" in text for name in (path.name, *folders)), path
        else:
            assert path.name in notice, f"{path.relative_to(ROOT)} is not in NOTICE"


def test_scripts_that_say_whose_they_are_are_in_the_notice() -> None:
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    for path in (ROOT / "src/boxless/serve").glob("web*/*"):
        if path.suffix in _OTHERS:
            continue
        text = path.read_text(encoding="utf-8")
        if any(word in text for word in ("CC0", "Copyright", "MIT License", "BSD")):
            assert path.name in notice, f"{path.relative_to(ROOT)} is not in NOTICE"

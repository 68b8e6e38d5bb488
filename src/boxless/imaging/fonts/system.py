"""The fonts that are installed, the plain ones first."""

from __future__ import annotations

import os
import sys
from functools import cache
from pathlib import Path

_SUFFIXES = frozenset([".ttf", ".otf", ".ttc", ".otc"])
_FANCY = ("bold", "italic", "oblique", "black", "heavy", "light", "thin", "condensed", "narrow", "mono", "serif")


@cache
def system_fonts() -> tuple[Path, ...]:
    """The font files of the system and of the user: upright sans-serif ones of usual weight come first."""
    found = {
        path
        for folder in font_folders()
        for path in folder.rglob("*")
        if path.suffix.lower() in _SUFFIXES and path.is_file()
    }
    return tuple(sorted(found, key=_fanciness))


def font_folders() -> list[Path]:
    """Where this system keeps fonts."""
    try:
        home = Path.home()
    except RuntimeError:  # a user number without a name, as in containers
        home = Path(os.devnull)  # where there is nothing
    if sys.platform == "win32":
        own = os.environ.get("LOCALAPPDATA")
        system = Path(os.environ.get("WINDIR", "C:/Windows")) / "Fonts"
        return [system, *([Path(own) / "Microsoft/Windows/Fonts"] if own else [])]
    if sys.platform == "darwin":
        return [Path("/System/Library/Fonts"), Path("/Library/Fonts"), home / "Library/Fonts"]
    data = Path(os.environ.get("XDG_DATA_HOME") or home / ".local/share")
    return [Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), data / "fonts", home / ".fonts"]


def _fanciness(path: Path) -> tuple[int, bool, str]:
    name = path.stem.lower().replace("sansserif", "sans")
    return sum(word in name for word in _FANCY), "sans" not in name, str(path)

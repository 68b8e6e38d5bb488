"""Makes the font of src/boxless/imaging/fonts: python tools/build_font.py NotoSans-Regular.ttf (needs fonttools)

The whole font is in the Debian package fonts-noto-core, version 20201225-1.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

OUT = Path(__file__).parent.parent / "src/boxless/imaging/fonts/NotoSans-Regular.ttf"

LETTERS = (
    "0020-007E,00A0-024F,0259,02B0-02FF,1E00-1EFF,FB00-FB06,"  # Latin
    "0370-03FF,1F00-1FFF,"  # Greek
    "0400-052F,"  # Cyrillic
    "0300-036F,25CC,"  # accents
    "2000-206F,2070-209F,20A0-20BF,2100-214F,2190-2193,2212,2215,2219,2260,2264,2265,FFFD"  # signs
)


def main(whole: str) -> None:
    """Keeps the letters, and what places and joins them."""
    subset = import_module("fontTools.subset")
    options = subset.Options()
    options.hinting = options.glyph_names = False
    options.layout_features = ["kern", "mark", "mkmk", "ccmp", "locl"]
    options.name_IDs = ["*"]
    options.notdef_outline = True
    font = subset.load_font(whole, options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=subset.parse_unicodes(LETTERS))
    subsetter.subset(font)
    subset.save_font(font, str(OUT), options)


if __name__ == "__main__":
    main(sys.argv[1])

"""Pages for people: HTML that needs no other file."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable
from html import escape
from pathlib import Path

from PIL import Image

from boxless.files import write_whole

PAGE = "index.html"
"""The name of a report's page in its folder."""

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;color:#26262c;max-width:1120px;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem;margin-bottom:.2rem} h2{font-size:1.15rem;margin-top:2.2rem} p{max-width:46rem}
table{border-collapse:collapse;width:100%} th,td{padding:.35rem .6rem;border-bottom:1px solid #e4e4e8;text-align:left}
td.n,th.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums} .i{color:#77777f;font-size:.85em}
.m{color:#77777f;font-size:.85em;max-width:24rem} .plots{display:flex;flex-wrap:wrap;gap:1rem}
.plots svg{max-width:100%;height:auto}
.tiles{display:grid;grid-template-columns:repeat(auto-fill,minmax(165px,1fr));gap:.9rem}
th .up{writing-mode:vertical-rl;transform:rotate(180deg)}
.tiles figure{margin:0} .tiles img{width:100%;border-radius:4px;display:block}
figcaption{font-size:.82em;color:#55555c;overflow-wrap:anywhere}
.true{color:#00785a;font-weight:600} .found{color:#b84a00;font-weight:600}
"""


def write_page(path: Path, title: str, parts: Iterable[str]) -> None:
    """Writes a page, whole or not at all.

    Args:
        path: of the page.
        title: its name and first heading, as plain text.
        parts: HTML, one below the other.
    """
    head = (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(title)}</title>"
        f'<meta name=viewport content="width=device-width"><style>{_STYLE}</style><h1>{escape(title)}</h1>'
    )
    text = "\n".join([head, *parts, "</html>"])
    write_whole(path, lambda beside: beside.write_text(text, encoding="utf-8"))


def listed(lines: Iterable[str]) -> str:
    """A list of plain texts."""
    return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>"


def tiles(figures: Iterable[str]) -> str:
    """Figures side by side."""
    return f'<div class="tiles">{"".join(figures)}</div>'


def tile(image: Image.Image | None, caption: str) -> str:
    """A figure with its caption, in plain text; without the picture where there is none."""
    if image is None:
        return f"<figure><figcaption>{escape(caption)}</figcaption></figure>"
    file = io.BytesIO()
    image.save(file, "JPEG", quality=82)
    data = base64.b64encode(file.getvalue()).decode("ascii")
    return (
        f'<figure><img alt="{escape(caption)}" src="data:image/jpeg;base64,{data}">'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def on_square(image: Image.Image, side: int) -> Image.Image:
    """A picture in the middle of a square of `side` pixels, made to fit it."""
    scale = side / max(image.size)
    fitted = image.resize((max(1, round(image.width * scale)), max(1, round(image.height * scale))))
    square = Image.new("RGB", (side, side), (244, 244, 246))
    square.paste(fitted, ((side - fitted.width) // 2, (side - fitted.height) // 2))
    return square

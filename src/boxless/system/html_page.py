"""Pages for people: HTML that needs no other file."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable
from datetime import date
from html import escape
from pathlib import Path

from PIL import Image

from boxless._version import __version__
from boxless.system.files import write_whole

PAGE = "index.html"
"""The name of a report's page in its folder."""

_STYLE = """
:root{color-scheme:light dark;--ink:#26262c;--paper:#fff;--line:#e4e4e8;--dim:#6a6a72;--true:#00785a;--found:#b84a00}
@media(prefers-color-scheme:dark){
:root{--ink:#e6e6ea;--paper:#17171b;--line:#3a3a42;--dim:#a0a0aa;--true:#3ecf9f;--found:#ff9a4d}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:1120px;margin:2rem auto;
padding:0 1rem}
h1{font-size:1.5rem;margin-bottom:.2rem;overflow-wrap:anywhere} h2{font-size:1.15rem;margin-top:2.2rem}
h3{overflow-wrap:anywhere} p{max-width:46rem} li{overflow-wrap:anywhere}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%} th,td{padding:.35rem .6rem;border-bottom:1px solid var(--line);
text-align:left} table.facts td{overflow-wrap:anywhere;vertical-align:top} table.facts td:first-child{min-width:6rem}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums} td.n{white-space:nowrap}
.i{color:var(--dim);font-size:.85em} .m{color:var(--dim);font-size:.85em;max-width:24rem;min-width:12rem}
.plots{display:flex;flex-wrap:wrap;gap:1rem} .plots svg{max-width:100%;height:auto}
.tiles{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(165px,44%),1fr));gap:.9rem}
th .up{writing-mode:vertical-rl;transform:rotate(180deg);white-space:nowrap}
.tiles figure{margin:0;min-width:0} .tiles img{width:100%;border-radius:4px;display:block}
figcaption{font-size:.82em;color:var(--dim);overflow-wrap:anywhere}
.true{color:var(--true);font-weight:600} .found{color:var(--found);font-weight:600}
footer{margin:3rem 0 1rem;color:var(--dim);font-size:.85em}
"""


def write_page(path: Path, title: str, parts: Iterable[str]) -> None:
    """Writes a page of a title (plain text) and parts (HTML), whole or not at all, with a line on what made it."""
    head = (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(title)}</title>"
        f'<meta name=viewport content="width=device-width,initial-scale=1"><style>{_STYLE}</style>'
        f"<h1>{escape(title)}</h1>"
    )
    foot = f"<footer>Made by boxless {escape(__version__)} on {date.today().isoformat()}.</footer></html>"
    text = "\n".join([head, *parts, foot])
    # An image's name may have bytes that are no text.
    write_whole(path, lambda beside: beside.write_text(text, encoding="utf-8", errors="backslashreplace"))


def wide(table: str) -> str:
    """A table that is moved sideways where it is wider than the screen, and the page is not."""
    return f'<div class="wide">{table}</div>'


def listed(lines: Iterable[str]) -> str:
    """A list of plain texts."""
    return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>"


def tiles(figures: Iterable[str]) -> str:
    """Figures side by side."""
    return f'<div class="tiles">{"".join(figures)}</div>'


def tile(image: Image.Image | None, caption: str) -> str:
    """A figure with its caption, in plain text; without the image where there is none."""
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
    """An image in the middle of a square of `side` pixels, made to fit it."""
    scale = side / max(image.size)
    fitted = image.resize((max(1, round(image.width * scale)), max(1, round(image.height * scale))))
    square = Image.new("RGB", (side, side), (244, 244, 246))
    square.paste(fitted, ((side - fitted.width) // 2, (side - fitted.height) // 2))
    return square

"""The page without a server as the demonstration on the site of the documentation (a Sphinx extension).

The site has it where onnxruntime-web is: `make demo-page` fetches it. Where it is not, the site says so.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from boxless.errors import ServeError
from boxless.models.zoo import EIGHT_BIT_MODEL
from boxless.serve.alone import find_runtime, write_alone

if TYPE_CHECKING:
    from sphinx.application import Sphinx

ROOT = Path(__file__).parent.parent

PACKAGES = ROOT / "tests/serve"
"""The folder in which npm installs onnxruntime-web, with what else the tests of the page need."""

MARK = "<!-- the demonstration, on the site -->"
"""The line of docs/page.md in whose place the site has a link to the demonstration, if it has one."""

_LINK = '<p><a class="demo" href="demo/index.html">Open the page in this browser</a> (23 MB, once)</p>'


def runtime() -> Path | None:
    """The folder of onnxruntime-web's files; None where it is missing."""
    try:
        return find_runtime(None, PACKAGES)
    except ServeError:
        return None


def link(sphinx: Sphinx, page: str, source: list[str]) -> None:
    """Puts the link to the demonstration into its page, where there is one."""
    if MARK not in source[0]:
        return
    sphinx.env.note_dependency(str(PACKAGES / "node_modules/onnxruntime-web/package.json"))  # is read anew with it
    if runtime() is not None:
        source[0] = source[0].replace(MARK, _LINK)


def write(sphinx: Sphinx, error: Exception | None) -> None:
    """Writes the demonstration beside the site's pages, with the pictures of the repository to try."""
    found = runtime()
    if error is None and found is not None and sphinx.builder.name == "html":
        images = sorted((ROOT / "examples/pictures").glob("*.jpg"))
        write_alone(EIGHT_BIT_MODEL, Path(sphinx.outdir) / "demo", found, images)


def setup(sphinx: Sphinx) -> dict[str, Any]:
    """Is called by Sphinx."""
    sphinx.connect("source-read", link)
    sphinx.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

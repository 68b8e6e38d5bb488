"""How `make docs` makes a site of the Markdown in this folder; no page needs it to be read."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

DOCS = Path(__file__).parent
ROOT = DOCS.parent
sys.path[:0] = [str(ROOT / "src"), str(ROOT)]

from boxless import __version__  # noqa: E402

project = "boxless"
author = "The boxless authors"
project_copyright = "2026 The boxless authors"
release = version = __version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "tools.command_reference", "tools.demo_page"]
exclude_patterns = ["_build"]

myst_heading_anchors = 3

# The notebooks of the tutorial are run; whatever they raise fails the build. It is their test.
nb_execution_mode = "auto"
nb_execution_raise_on_error = True
nb_execution_timeout = 300  # seconds for a cell
nb_execution_show_tb = True
nb_merge_streams = True

autodoc_member_order = "bysource"
# Networks, their training, long runs and the service are described without what they run on.
autodoc_mock_imports = [
    *("jax", "keras", "tensorboard", "tensorflow", "tf2onnx"),
    *("fsspec", "pyarrow", "ray"),
    *("fastapi", "prometheus_client", "python_multipart", "starlette", "uvicorn"),
]
autodoc_typehints = "signature"
autodoc_preserve_defaults = True  # as they are written: what a function is shown as is no Python
autodoc_default_options = {"members": True}
python_maximum_signature_line_length = 80
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True

default_role = "code"

html_theme = "furo"
html_title = f"boxless {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
templates_path = ["_templates"]
html_show_sourcelink = False
html_copy_source = False
html_permalinks_icon = "#"
html_sidebars = {
    "**": [
        "sidebar/brand.html",
        "versions.html",
        "sidebar/search.html",
        "sidebar/scroll-start.html",
        "sidebar/navigation.html",
        "sidebar/scroll-end.html",
    ]
}
# The versions to switch between, the newest first, each published in a folder of its name beside this one. None, no
# switch: BOXLESS_DOCS_VERSIONS="0.2.0 0.1.0" make docs
html_context = {"versions": os.environ.get("BOXLESS_DOCS_VERSIONS", "").split()}


def from_above(app: Sphinx, file: str) -> str:
    """A page of the repository's root, with its links as seen from this folder."""
    app.env.note_dependency(str(ROOT / file))
    text = (ROOT / file).read_text(encoding="utf-8")
    text = re.sub(r"\]\((?!https?:|#)", "](../", text)
    return text.replace("](../docs/", "](").replace("](../CHANGELOG.md", "](changelog.md")


def fit_in(app: Sphinx, page: str, source: list[str]) -> None:
    """Makes a page of the repository one of the site.

    The README is the site's first page, as far as links go. A line of the table of contents that is the pattern of
    pages that are still to come is left out, as Sphinx warns of it.
    """
    included = re.compile(r"^```\{include\} \.\./(\S+)\n```$", re.MULTILINE)
    source[0] = included.sub(lambda line: from_above(app, line[1]), source[0])
    source[0] = re.sub(r"\]\((\.\./)+README\.md", "](/index.md", source[0])
    if page == "index":
        patterns = re.compile(r"^[\w-]+\*\n", re.MULTILINE)
        source[0] = patterns.sub(lambda line: line[0] if any(DOCS.glob(line[0].strip())) else "", source[0])


def spread_notebooks(app: Sphinx, env: BuildEnvironment, pages: list[str]) -> None:
    """Puts the notebooks far apart: Sphinx gives each process a run of neighbouring pages, and they take longest."""
    notebooks = [page for page in pages if re.match(r"tutorial/\d", page)]
    others = [page for page in pages if page not in notebooks]
    for i, page in enumerate(notebooks):
        others.insert(i * len(pages) // len(notebooks), page)
    pages[:] = others


def setup(app: Sphinx) -> None:
    """Is called by Sphinx."""
    app.connect("source-read", fit_in)
    app.connect("env-before-read-docs", spread_notebooks)

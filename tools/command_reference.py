"""The command line's reference, made from the commands themselves, for the documentation (a Sphinx extension)."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def reference() -> str:
    """All commands as Markdown, as Typer documents them: a heading each, its help, arguments and options."""
    command = [sys.executable, "-m", "typer", "boxless.cli", "utils", "docs", "--name", "boxless"]
    text = subprocess.run(command, check=True, capture_output=True, text=True, encoding="utf-8").stdout
    # The page has a heading of its own, and every command has --help.
    _, _, commands = text.partition("\n## ")
    return "## " + re.sub(r"(\n\*\*Options\*\*:\n)?\n\* `--help`.*", "", commands)


def setup(sphinx: Sphinx) -> dict[str, Any]:
    """Brings the directive `boxless-commands`, which stands for `reference()`."""
    from docutils import nodes
    from sphinx.util.docutils import SphinxDirective

    class Commands(SphinxDirective):
        """All commands, in sections."""

        def run(self) -> list[nodes.Node]:
            """The sections, parsed as the page's Markdown is."""
            sections: list[nodes.Node] = self.parse_text_to_nodes(reference(), allow_section_headings=True)
            return sections

    sphinx.add_directive("boxless-commands", Commands)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

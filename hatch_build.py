"""The README and the addresses that a built package tells a package index.

In the repository the README's links are relative, and lead where they should. An index shows the README alone. With an
address in pyproject.toml (`[tool.boxless]`) relative links become absolute and the project's addresses are told; while
there is none, links become plain words and pictures are left out, so that nothing leads nowhere.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

_LINK = re.compile(r"(?P<picture>!?)\[(?P<words>[^\]]*)\]\((?!https?:|#)(?P<target>[^)]+)\)")


class AboutTheProject(MetadataHookInterface):
    """Fills in `readme` and `urls`; hatchling finds this class by the hook's name, `custom`."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Changes the metadata in place."""
        address = self.config["address"].rstrip("/")
        text = Path(self.root, "README.md").read_text(encoding="utf-8")
        metadata["readme"] = {"content-type": "text/markdown", "text": for_an_index(text, address)}
        if address:
            metadata["urls"] = {
                "Source": address,
                "Issues": f"{address}/issues",
                "Changelog": f"{address}/blob/main/CHANGELOG.md",
            }


def for_an_index(text: str, address: str) -> str:
    """A README whose links work where it stands alone.

    Args:
        text: Markdown.
        address: of the repository, as https://HOST/OWNER/NAME, with files below /blob/main and /raw/main as on GitHub,
            GitLab and others; empty where there is none yet.
    """

    def absolute(link: re.Match[str]) -> str:
        folder = "raw" if link["picture"] else "blob"
        return f"{link['picture']}[{link['words']}]({address}/{folder}/main/{link['target']})"

    def in_words(link: re.Match[str]) -> str:
        if link["picture"]:
            return ""
        return link["words"] if link["words"] == link["target"] else f"{link['words']} ({link['target']})"

    return _LINK.sub(absolute if address else in_words, text)

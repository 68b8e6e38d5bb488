"""Every public name has a place on the site."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest

import boxless

DOCS = Path(__file__).parent.parent.parent / "docs"

# In a process of its own: what Sphinx imports, it imports without Keras and others.
_PROGRAM = """
import json, sys
from sphinx.application import Sphinx
docs, made = sys.argv[1:]
only = {"master_doc": "api/boxless", "include_patterns": ["api/**"]}
site = Sphinx(docs, docs, made, made, "dummy", confoverrides=only, status=None, warning=None)
site.build()
json.dump(sorted(site.env.get_domain("py").objects), sys.stdout)
"""


def public_names() -> set[str]:
    """What `boxless` and its rooms name in `__all__`."""
    inside = (f"boxless.{each.name}" for each in iter_modules(boxless.__path__) if each.ispkg)
    rooms = [import_module(name) for name in ("boxless", *inside)]
    return {f"{room.__name__}.{name}" for room in rooms for name in getattr(room, "__all__", ())}


def test_every_public_name_is_on_a_page(tmp_path: Path) -> None:
    pytest.importorskip("sphinx", reason="needs the extra docs")
    done = subprocess.run([sys.executable, "-c", _PROGRAM, DOCS, tmp_path], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    described = set(json.loads(done.stdout))
    missing = sorted(public_names() - described)
    assert not missing, f"not on the pages of docs/api: {', '.join(missing)}"
    assert {"boxless.batch.Job", "boxless.evaluation.side_by_side.compare_models"} <= described

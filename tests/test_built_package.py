"""What a package index would show of boxless."""

from __future__ import annotations

import importlib.util
import re
import shutil
from pathlib import Path

import pytest
from hatchling.metadata.core import ProjectMetadata
from hatchling.plugin.manager import PluginManager

from boxless import __version__

ROOT = Path(__file__).parent.parent
ADDRESS = "https://example.org/somebody/boxless"


def for_an_index(text: str, address: str) -> str:
    """Of the build hook, which is no module of the package."""
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    hook = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(hook)
    made: str = hook.for_an_index(text, address)
    return made


@pytest.mark.parametrize("address", ["", ADDRESS])
def test_no_link_leads_nowhere(address: str) -> None:
    shown = for_an_index((ROOT / "README.md").read_text(encoding="utf-8"), address)
    targets = re.findall(r"\]\(([^)]+)\)", shown)
    assert targets
    assert all(target.startswith(("https://", "#")) for target in targets)
    assert (f"]({ADDRESS}/blob/main/docs/fit.md)" in shown) == bool(address)
    assert (f"]({ADDRESS}/raw/main/docs/images/front.jpg)" in shown) == bool(address)
    assert ("![" in shown) == bool(address), "an image needs an address"


def test_the_metadata_tells_no_address_that_is_not_there() -> None:
    core = ProjectMetadata(str(ROOT), PluginManager()).core
    assert "What is in an image, and where" in core.readme
    address = core.urls.get("Source", "")
    assert core.readme == for_an_index((ROOT / "README.md").read_text(encoding="utf-8"), address)
    assert bool(core.urls) == bool(address)


def test_the_container_has_what_building_needs(tmp_path: Path) -> None:
    stage = (ROOT / "Dockerfile").read_text(encoding="utf-8").split("\nFROM ")[1]
    for line in re.findall(r"^COPY (?!--)(.+)$", stage, re.MULTILINE):
        *files, into = line.split()
        for name in files:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, tmp_path / into, ignore=shutil.ignore_patterns("*.onnx", "__pycache__"))
            else:
                shutil.copy(ROOT / name, tmp_path / into)
    metadata = ProjectMetadata(str(tmp_path), PluginManager())
    assert metadata.core.license_files == ProjectMetadata(str(ROOT), PluginManager()).core.license_files
    assert metadata.version == __version__
    assert (tmp_path / "constraints.txt").exists()

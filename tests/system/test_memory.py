"""Memory by control group, on file trees as Linux mounts them."""

from __future__ import annotations

from pathlib import Path

import pytest

from boxless.system import cgroups
from boxless.system.memory import usable_memory


@pytest.fixture
def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(cgroups, "CGROUPS", tmp_path)
    monkeypatch.setattr(cgroups, "MEMBERSHIP", tmp_path / "membership")
    (tmp_path / "memory").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("membership", "file", "text"),
    [
        ("0::/\n", "memory.max", "50000000\n"),
        ("5:memory:/\n", "memory/memory.limit_in_bytes", "50000000\n"),
    ],
)
def test_a_container_has_what_it_is_granted(groups: Path, membership: str, file: str, text: str) -> None:
    (groups / "membership").write_text(membership)
    (groups / file).write_text(text)
    assert usable_memory() == 50_000_000


def test_without_a_limit_the_machine_counts(groups: Path) -> None:
    (groups / "membership").write_text("0::/\n")
    (groups / "memory.max").write_text("max\n")
    memory = usable_memory()
    assert memory is None or memory > 50_000_000

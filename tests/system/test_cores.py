"""Cores and memory by affinity and control group, on file trees as Linux mounts them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from boxless.system import cores
from boxless.system.cores import usable_cores, usable_memory


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine of 64 cores without limits; its control groups are under `groups`."""
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)), raising=False)
    monkeypatch.setattr(cores, "CGROUPS", tmp_path / "groups")
    monkeypatch.setattr(cores, "MEMBERSHIP", tmp_path / "membership")
    return tmp_path


def write(machine: Path, membership: str, **files: str) -> None:
    (machine / "membership").write_text(membership)
    for name, text in files.items():
        file = machine / "groups" / name.replace("__", "/").replace("_DOT_", ".")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def test_without_limits_all_cores_count(machine: Path) -> None:
    assert usable_cores() == 64
    write(machine, "0::/\n", cpu_DOT_max="max 100000\n")
    assert usable_cores() == 64


def test_affinity(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 5, 7})
    assert usable_cores() == 3


@pytest.mark.parametrize(("quota", "expected"), [("200000", 2), ("150000", 2), ("50000", 1), ("9900000", 64)])
def test_version_2(machine: Path, quota: str, expected: int) -> None:
    write(machine, "0::/\n", cpu_DOT_max=f"{quota} 100000\n")
    assert usable_cores() == expected


def test_a_limit_of_a_group_above_counts(machine: Path) -> None:
    write(machine, "0::/a.slice/b.scope\n", a_DOT_slice__cpu_DOT_max="300000 100000\n")
    assert usable_cores() == 3


def test_version_1(machine: Path) -> None:
    write(
        machine,
        "4:cpu,cpuacct:/docker/x\n1:name=systemd:/docker/x\n",
        cpu__cpu_DOT_cfs_quota_us="400000\n",
        cpu__cpu_DOT_cfs_period_us="100000\n",
    )
    assert usable_cores() == 4


def test_nonsense_is_no_limit(machine: Path) -> None:
    write(machine, "what\n", cpu_DOT_max="much\n")
    assert usable_cores() == 64
    write(machine, "0::/\n", cpu_DOT_max="0 0\n")
    assert usable_cores() == 64


@pytest.fixture
def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(cores, "CGROUPS", tmp_path)
    monkeypatch.setattr(cores, "MEMBERSHIP", tmp_path / "membership")
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

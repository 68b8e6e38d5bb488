"""What a public CI would run is there: it calls nothing but targets of the Makefile."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
TARGETS = set(re.findall(r"^(\w[\w-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def called(command: str) -> list[str]:
    """The targets of a command that may only be make."""
    program, *words = command.split()
    assert program == "make", f"'{command}' is not done by make"
    return [word for word in words if "=" not in word]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=[path.name for path in WORKFLOWS])
def test_a_workflow_calls_targets_that_exist(workflow: Path) -> None:
    jobs: dict[str, Any] = yaml.safe_load(workflow.read_text(encoding="utf-8"))["jobs"]
    commands = [step["run"] for job in jobs.values() for step in job["steps"] if "run" in step]
    assert commands
    for command in commands:
        assert set(called(command)) <= TARGETS, f"'{command}' calls a target that the Makefile lacks"


def test_so_does_the_check_before_anything_lands() -> None:
    script = ROOT / ".ci/run"
    if not script.exists():
        pytest.skip("a source archive, without what checks the repository")
    *_, command = script.read_text(encoding="utf-8").splitlines()
    assert set(called(command)) <= TARGETS


def test_help_names_every_target() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    (phony,) = re.findall(r"^\.PHONY: (.+)$", text, re.MULTILINE)
    assert set(phony.split()) == TARGETS
    helped = set(re.findall(r"\bmake ([\w-]+)", "\n".join(line for line in text.splitlines() if "@echo" in line)))
    assert TARGETS - helped == {"help", "clean"}

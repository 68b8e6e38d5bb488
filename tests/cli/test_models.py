from __future__ import annotations

from tests.command_line import boxless

from boxless import ModelFile
from boxless.models import zoo


def test_lists_size_accuracy_and_licence() -> None:
    done = boxless("models")
    assert done.returncode == 0
    card = ModelFile(zoo.DEFAULT_MODEL).card
    text = " ".join(done.stdout.split())
    for said in ("efficientnet-lite0", "Apache-2.0", f"{card.figures['top1']:.1f}", "ilsvrc-dev"):
        assert said in text


def test_version_and_help() -> None:
    assert boxless("--version").stdout.startswith("boxless ")
    assert "locate" in boxless("--help").stdout
    assert "--preset" in boxless("locate", "--help").stdout

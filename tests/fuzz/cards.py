"""Model files whose card is damaged, down to its bytes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
from tests.export.small import EXACT, classifier, saved
from tests.small_detector import write_detector

from boxless import Localizer, LocateOptions, ModelFile
from boxless.export.attachment import attach
from boxless.models.card import METADATA_KEY, Card

_IMAGE = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)
_OPTIONS = (LocateOptions(top=3, include_absent=True), LocateOptions(classes=(0,)))


def seeds(folder: Path) -> list[tuple[Path, Path]]:
    """Cards of a classifier and of a detector, in a file beside the graph that they are put into."""
    network = attach(saved(classifier(EXACT["gemm"]), folder), folder / "attached.onnx", input_size=(64, 64)).path
    found = []
    for model in (network, write_detector(folder / "detector.onnx")):
        graph = onnx.load(model)
        (entry,) = (each for each in graph.metadata_props if each.key == METADATA_KEY)
        text = entry.value
        del graph.metadata_props[:]
        older = {key: value for key, value in json.loads(text).items() if key != "class_ids"}
        localized = json.loads(text)
        if localized["maps"] != "none":
            localized["presets"]["balanced"]["localization"] = [{"scale": 64, "classes": [0], "source": "anomaly"}]
        for name, data in (("today", json.loads(text)), ("older", older), ("localized", localized)):
            root = folder / f"{model.stem}-{name}"
            root.mkdir()
            (root / "graph.onnx").write_bytes(graph.SerializeToString())
            (root / "card.json").write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
            found.append((root, root / "card.json"))
    return found


def attempt(root: Path, file: Path) -> None:
    """Opens the model and uses it, as `boxless locate`, `models` and `serve` do."""
    content = file.read_bytes()
    model = root / "model.onnx"
    model.write_bytes((root / "graph.onnx").read_bytes() + _metadata(METADATA_KEY.encode(), content))
    card = ModelFile(model, threads=1).card
    assert Card.from_json(card.to_json()) == card, "a card that changes when it is written"
    assert len(repr(card)) < 10_000
    for preset in card.presets:
        localizer = Localizer(model, preset, threads=1)
        for options in _OPTIONS:
            result = localizer.locate(_IMAGE, options)
            json.dumps(result.to_dict(), allow_nan=False)
            assert not any(ord(each) < 32 for row in result.to_rows() for each in row["label"])


def _metadata(key: bytes, value: bytes) -> bytes:
    """An entry of a model's metadata as protobuf writes it, whatever its bytes are."""
    entry = b"\x0a" + _length(len(key)) + key + b"\x12" + _length(len(value)) + value
    return b"\x72" + _length(len(entry)) + entry


def _length(count: int) -> bytes:
    parts = []
    while count > 127:
        parts.append(count & 127 | 128)
        count >>= 7
    return bytes([*parts, count])

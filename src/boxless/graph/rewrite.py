"""Writes a model file anew with another card; the network stays as it is."""

from __future__ import annotations

from pathlib import Path

import onnx

from boxless.card import METADATA_KEY, Card
from boxless.graph.assemble import write_model


def rewrite_card(model: Path, card: Card, out: Path) -> None:
    """Copies a model file and puts another card in it, whole or not at all.

    Args:
        model: a boxless model.
        card: the new card.
        out: the new file; it may be the old one.
    """
    proto = onnx.load(model)
    for prop in proto.metadata_props:
        if prop.key == METADATA_KEY:
            prop.value = card.to_json()
    write_model(proto, out)

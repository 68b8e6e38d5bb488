"""What the page needs to know of a model; one text for the service and for the page without one."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from boxless.models.card import Card
from boxless.options import LocateOptions


def describe(card: Card, default_preset: str | None = None) -> dict[str, Any]:
    """A model as plain data for JSON, without its labels.

    Args:
        card: of the model.
        default_preset: used where none is named; the card's where None.
    """
    return {
        "name": card.name,
        "classes": len(card.labels),
        "maps": card.maps,
        "activation": card.activation,
        "presets": {
            name: {"scales": preset.scales, "threshold": preset.threshold} for name, preset in card.presets.items()
        },
        "defaults": {
            "preset": default_preset or card.default_preset,
            **asdict(LocateOptions()),
        },
        "typical_activation": card.typical_activation,
        "licence": card.licence,
        "source": card.source,
        "figures": dict(card.figures),
        "figures_on": card.figures_on,
    }

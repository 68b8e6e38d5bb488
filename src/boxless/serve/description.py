"""What the page needs to know of a model; one text for the service and for the page without one."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

from boxless.locate_options import LocateOptions
from boxless.models.model_file import ModelFile
from boxless.models.presets import Preset


def describe(network: ModelFile, default_preset: str | None = None) -> dict[str, Any]:
    """A model as plain data for JSON, without its labels."""
    card = network.card
    return {
        "name": card.name,
        "version": hashlib.sha256(Path(network.path).read_bytes()).hexdigest()[:16],
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
        "largest_scale": max(*(card.fixed_size or ()), *map(_largest_scale, card.presets.values()), 0),
        "typical_activation": card.typical_activation,
        "licence": card.licence,
        "source": card.source,
        "figures": dict(card.figures),
        "figures_on": card.figures_on,
    }


def _largest_scale(preset: Preset) -> int:
    """The largest side, in pixels, at which a preset sees an image."""
    return max(*preset.scales, *(each.scale + 2 * each.margin for each in preset.localization), 0)

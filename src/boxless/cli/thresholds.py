"""Thresholds of classes in words, for every command that sets them."""

from __future__ import annotations

from collections.abc import Iterator

from boxless.evaluation.calibrate import Calibration
from boxless.models.card import Card

_LISTED = 20


def by_class(found: Calibration, card: Card) -> Iterator[str]:
    """The calibration of per-class thresholds, in lines, at most about twenty."""
    classes = found.classes
    if classes is None:
        return
    gain = f"{classes.gain.value:+.1f} ({classes.gain.low:+.1f} to {classes.gain.high:+.1f})"
    if not classes.changed:
        yield f"a threshold for each class: none is better on these images ({gain} on images that did not choose)"
        return
    yield (
        f"a threshold for each class: one box right {classes.before.value:.1f} % -> {classes.after.value:.1f} % on "
        f"these images, {gain} on images that did not choose it"
    )
    for k in classes.changed[:_LISTED]:
        yield f"{card.labels[k]}: {classes.old[k]:g} -> {classes.new[k]:g} ({classes.boxed[k]} boxed)"
    if len(classes.changed) > _LISTED:
        yield f"and {len(classes.changed) - _LISTED} more"
    without = [label for k, label in enumerate(card.labels) if not classes.boxed[k] and k not in card.background]
    if without:
        listed = ", ".join(without[:_LISTED]) + (" and more" if len(without) > _LISTED else "")
        yield f"no boxed image of {listed}: kept"

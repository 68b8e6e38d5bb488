"""Which images are learned from, and which are held out to measure on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from boxless.datasets.csv import Columns
from boxless.datasets.dataset import SPLITS
from boxless.datasets.labelled import LabelledImages, read_labelled
from boxless.errors import DatasetError
from boxless.models.class_names import matches

HELD_OUT = 0.2
"""The share of images that is held out where nobody says which."""

_TRAINING_SPLITS = ("", *(name for name, split in SPLITS.items() if split == "train"))
_VALIDATION_SPLITS = tuple(name for kind in ("val", "test") for name, split in SPLITS.items() if split == kind)
"""The first that is there is taken."""


def read_split(
    source: Path, val: str | None = None, seed: int = 0, columns: Columns | None = None
) -> tuple[LabelledImages, LabelledImages]:
    """Reads images to learn from, and others to measure on.

    Args:
        source: see `read_labelled`.
        val: a folder or CSV of the held-out images, the name of a split of the CSV, or a fraction such as 0.2.
            Where None: the CSV's split "val" (or "valid", "validation", "test"), else a fifth of each class.
        seed: of the choice where a fraction is held out.
        columns: how a CSV is to be read, where its heading does not say it.

    Returns:
        (training, validation), both with the classes of the training images.

    Raises:
        DatasetError: if the layout is not known, if `val` is none of these, or if it has classes that training
            lacks.

    Example:
        >>> training, validation = read_split(Path("animals"), "0.2")  # doctest: +SKIP
    """
    if seed < 0:
        raise DatasetError(f"seed {seed} (expected 0 or more)")
    splits = read_labelled(source, columns)
    if val is None:
        there = {name.casefold(): name for name in splits}
        val = next((there[name] for name in _VALIDATION_SPLITS if name in there), str(HELD_OUT))
    if val in splits and val:
        training = _one([splits[name] for name in splits if name.casefold() in _TRAINING_SPLITS], source)
        unused = [name for name in splits if name != val and name.casefold() not in _TRAINING_SPLITS]
        if unused:
            training = replace(training, notes=(*training.notes, f"not used: the split {', '.join(unused)}"))
        return _checked(training, splits[val])
    if Path(val).exists():
        training = _one(list(splits.values()), source)
        return _checked(training, _one(list(read_labelled(Path(val), columns).values()), Path(val)))
    try:
        share = float(val)
    except ValueError:
        named = f", the splits of {source.name} ({', '.join(filter(None, splits))})" if any(splits) else ""
        raise DatasetError(
            f"no images to validate on at '{val}' (expected a folder, a CSV{named}, or a fraction such as 0.2)"
        ) from None
    if not 0 < share < 1:
        raise DatasetError(f"{val} of the images to validate on (expected a fraction between 0 and 1)")
    whole = _one(list(splits.values()), source)
    held_out = _hold_out(whole.targets, share, np.random.default_rng(seed))
    if not held_out.any():
        raise DatasetError(f"{whole.name}: {len(whole)} images are too few to hold {share:.0%} out; name others: --val")
    return whole.only(np.flatnonzero(~held_out)), whole.only(np.flatnonzero(held_out))


def _one(parts: list[LabelledImages], source: Path) -> LabelledImages:
    if not parts:
        raise DatasetError(f"{source}: no images to learn from (expected the split train)")
    return replace(
        parts[0],
        paths=tuple(path for part in parts for path in part.paths),
        targets=np.concatenate([part.targets for part in parts]),
        notes=tuple(note for part in parts for note in part.notes),
    )


def _checked(training: LabelledImages, validation: LabelledImages) -> tuple[LabelledImages, LabelledImages]:
    """Both with the classes of training; those of validation go by name, whatever their numbers were."""
    shown = training.counts > 0
    known = [name for name, shows in zip(training.classes, shown, strict=True) if shows]
    targets = np.zeros((len(validation), len(known)), np.float32)
    lacking: list[str] = []
    for k in np.flatnonzero(validation.counts):
        name = validation.classes[k]
        found = matches(name, known)
        if len(found) == 1:
            targets[:, found[0]] = np.maximum(targets[:, found[0]], validation.targets[:, k])
        else:
            lacking.append(name)
    if lacking:
        raise DatasetError(
            f"{validation.name}: {', '.join(lacking[:5])}{' and more' if len(lacking) > 5 else ''} "
            f"to validate on, but no image to learn from (training has {', '.join(training.classes[:10])}"
            f"{', ...' if len(training.classes) > 10 else ''})"
        )
    several = training.several or validation.several
    return (
        replace(training, classes=tuple(known), targets=training.targets[:, shown], several=several),
        replace(validation, classes=tuple(known), targets=targets, several=several),
    )


def _hold_out(targets: NDArray[np.float32], share: float, random: np.random.Generator) -> NDArray[np.bool_]:
    """Which images are held out: about `share` of each class, and never the last image of a class."""
    held_out = np.zeros(len(targets), bool)
    left = targets.sum(axis=0)
    # Rare classes first: they have the fewest images to choose from.
    for k in np.argsort(left, kind="stable"):
        mine = random.permutation(np.flatnonzero(targets[:, k] > 0))
        wanted = max(1, round(share * len(mine))) - int(held_out[mine].sum())
        for i in mine:
            if wanted <= 0:
                break
            if not held_out[i] and (left[targets[i] > 0] > 1).all():
                held_out[i] = True
                left -= targets[i]
                wanted -= 1
    return held_out

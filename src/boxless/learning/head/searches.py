"""What is learned to find classes that the looks that name are too small for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from boxless.datasets.labelled import LabelledPictures
from boxless.export.backbone import Backbone
from boxless.export.novelty import Gaussian
from boxless.learning.head.features import Engine, here, pooled_features
from boxless.learning.head.finding import Plan, evenly, hot_shares, plans_for
from boxless.learning.head.head import fit_head
from boxless.learning.head.novelty import usual_cells
from boxless.models.model_file import ModelFile
from boxless.system.progress import Progress

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Searches:
    """What was learned.

    Attributes:
        plans: which classes are found how; none where the looks that name find all.
        layers: the weights (K, C) of the finder of each plan.
        usual: what pictures are made of, where a plan asks for it.
    """

    plans: tuple[Plan, ...]
    layers: tuple[Floats, ...]
    usual: Gaussian | None


def learn_searches(
    trunk: Backbone,
    named: Path,
    learned: LabelledPictures,
    side: int,
    asked: int | None = None,
    *,
    seed: int = 0,
    engine: Engine = here,
    progress: Progress = lambda stage, done, total: None,
) -> Searches:
    """Decides how each class is found, and learns what that needs.

    Args:
        trunk: the backbone.
        named: a model file with the layer that names.
        learned: the pictures that it learned from, which can be read.
        side: pixels, at which it names.
        asked: the side at which all classes are to be found, if the user names it.
        seed: of what is drawn by lot.
        engine: what looks at the pictures.
        progress: told the stage, how many pictures are done, and of how many.
    """
    plans = _plans(named, learned, side, asked, progress)
    if not trunk.has_cells:  # then nothing says what is unusual, and the card is not to say that anything does
        plans = tuple(replace(plan, way=replace(plan.way, novelty=False)) for plan in plans)
    layers = []
    for plan in plans:
        some = learned.only(evenly(learned, max(plan.way.pictures, 2 * len(learned.classes)), seed))
        stage = f"features at {plan.side}"

        def done(count: int, stage: str = stage, of: int = len(some)) -> None:
            progress(stage, count, of)

        made = pooled_features(trunk, some.paths, plan.side, engine=engine, done=done)
        layers.append(fit_head(made.pooled, some.targets, several=some.several, seed=seed).weight)
    novel = next((plan.side for plan in plans if plan.way.novelty), None)
    usual = None
    if novel is not None:
        usual = usual_cells(trunk, learned.paths, novel, seed, lambda n, of: progress("what is usual", n, of))
    return Searches(plans, tuple(layers), usual)


def _plans(
    named: Path,
    learned: LabelledPictures,
    side: int,
    asked: int | None,
    progress: Progress,
) -> tuple[Plan, ...]:
    network = ModelFile(named)
    card = network.card
    if card.fixed_size is not None:
        return ()
    shares: dict[int, float] = {}
    if asked is None:
        shares = hot_shares(
            network, card.default_preset, learned, lambda n, of: progress("where the evidence lies", n, of)
        )
    return plans_for(shares, side, asked, tuple(k for k in range(len(card.labels)) if k not in card.background))

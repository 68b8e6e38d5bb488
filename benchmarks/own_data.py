"""Own classes from labels alone: what finds small things, and where boxes are cut. python -m benchmarks.own_data

Ideas are compared on two fifths of the training pictures of `magnetic-tile`, drawn by lot, by layers that were learned
from the other three. What was chosen there is then fitted on all of them by `boxless fit`, and measured once on `val`;
so are thresholds from a few boxes of the training pictures. Writes the tables of docs/own-data.md and
benchmarks/results/own_data.json.

--ideas, --final MODEL: only one of the two parts; MODEL is kept, and taken as it is where it is there already.
--go-on: ideas that an earlier run measured are not measured again.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.facts import DATA, RESULTS, write_results
from boxless.datasets.split import read_split
from boxless.evaluation import Evaluation, Score, measure_model, read_dataset
from boxless.evaluation.box_accuracy import THRESHOLDS, max_box_acc_v2
from boxless.evaluation.class_thresholds import at_thresholds, choose, right_at
from boxless.export.assemble import write_model
from boxless.export.backbone import Backbone, with_head
from boxless.learning.head.features import pooled_features
from boxless.learning.head.finding import WAYS, Way, hot_shares, plans_for, with_plans
from boxless.learning.head.fit import fit
from boxless.learning.head.head import LinearHead, fit_head
from boxless.learning.head.novelty import usual_cells
from boxless.models.card import Card
from boxless.models.model_file import ModelFile
from boxless.models.zoo import DEFAULT_MODEL
from boxless.system.files import write_whole

PAGE = Path(__file__).parent.parent / "docs/own-data.md"
SET = DATA / "magnetic-tile"
BOXES = (1, 2, 5, 10, 20)
DRAWS = 200


_SMALL, _MIDDLE = WAYS
_ALL = 1.0  # a hot share that no class is above


@dataclass(frozen=True)
class Idea:
    """A way to find: a preset of the backbone, what is searched for beside it, and whether boxless does it."""

    words: str
    preset: str = "balanced"
    ways: tuple[Way, ...] = ()
    kept: bool = False


IDEAS = (
    Idea("naming layer, 224", "fast"),
    Idea("naming layer, 224 and 448 (as in the backbone)"),
    Idea("a finder at 448", ways=(replace(_MIDDLE, up_to=_ALL),)),
    Idea("a finder at 896", ways=(replace(_SMALL, up_to=_ALL, refinement_steps=4, sharpness=1, novelty=False),)),
    Idea(
        "a finder at 896, sharpness 2, 16 steps",
        ways=(replace(_SMALL, up_to=_ALL, refinement_steps=16, novelty=False),),
    ),
    Idea("a finder at 896, sharpness 2, 8 steps, times novelty", ways=(replace(_SMALL, up_to=_ALL),)),
    Idea("this for what is small, a finder at 448 for the rest", ways=WAYS, kept=True),
)


def ideas(known: Sequence[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Every idea on pictures that its layers were not learned from: all rows so far, after each.

    Args:
        known: rows of an earlier run, which stay as they are.
    """
    training, _ = read_split(SET / "train", str(SET / "val"))
    seen = np.random.default_rng(0).permutation(len(training)) % 5 >= 2
    learned = training.only(np.flatnonzero(seen))
    unseen = {path.resolve() for path, known in zip(training.paths, seen, strict=True) if not known}
    trunk = Backbone(DEFAULT_MODEL)
    side = trunk.card.preset("fast").scales[0]
    heads: dict[int, LinearHead] = {}

    def head(side: int) -> LinearHead:
        if side not in heads:
            heads[side] = fit_head(pooled_features(trunk, learned.paths, side).pooled, learned.targets, several=False)
        return heads[side]

    card = replace(trunk.card, labels=learned.classes, class_ids=(), background=learned.background, figures={})
    common = card.preset("balanced").threshold
    rows = [row for row in known if row["idea"] in {idea.words for idea in IDEAS}]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "ideas.onnx"
        write_model(with_head(trunk.path, head(side).weight, head(side).bias, card), file)
        shares = hot_shares(ModelFile(file, threads=1), "balanced", learned)
        for idea in (idea for idea in IDEAS if idea.words not in {row["idea"] for row in rows}):
            plans = plans_for(shares, side, ways=idea.ways)
            made = with_plans(card, plans)
            layers = [head(plan.side).weight for plan in plans]
            novel = next((plan.side for plan in plans if plan.way.novelty), None)
            gaussian = usual_cells(trunk, learned.paths, novel) if novel else None
            write_model(with_head(trunk.path, head(side).weight, head(side).bias, made, layers, gaussian), file)
            network = ModelFile(file, threads=1)
            boxed = read_dataset(SET / "train.json", made, None, SET / "train")
            pictures = [each for each in boxed.pictures if each.path.resolve() in unseen]
            scores = list(measure_model(network, idea.preset, pictures, boxed.notes))
            rows.append(
                {"idea": idea.words, "kept": idea.kept, **figures_of(scores, cuts_of(made, idea.preset), common)}
            )
            print(rows[-1], flush=True)
            yield rows


def cuts_of(card: Card, preset: str) -> NDArray[np.float64]:
    """(K,), the stored threshold of each class."""
    return np.array([card.preset(preset).threshold_of(k) for k in range(len(card.labels))])


def figures_of(scores: Sequence[Score], cuts: NDArray[np.float64], common: float) -> dict[str, Any]:
    """One box right, in percent, by where it is cut; and MaxBoxAccV2."""
    curves = [each.overlaps for each in scores if each.overlaps is not None]
    classes = np.array([each.class_index for each in scores])
    right = right_at(curves)
    return {
        "pictures": len(scores),
        "max_box_acc_v2": round(max_box_acc_v2(curves), 1),
        "carried_over": round(float(at_thresholds(right, np.full(len(right), common)).mean()), 1),
        "best_for_all": round(float(right.mean(axis=0).max()), 1),
        "stored": round(float(at_thresholds(right, cuts[classes]).mean()), 1),
        "best_by_class": round(best_by_class(right, classes), 1),
    }


def best_by_class(right: NDArray[np.float64], classes: NDArray[np.int64]) -> float:
    """One box right, in percent, each class cut at the threshold that is best for it here: an oracle figure."""
    best = [right[classes == k].mean(axis=0).max() * (classes == k).sum() for k in np.unique(classes)]
    return float(np.sum(best) / len(right))


def final(model: Path) -> dict[str, Any]:
    """What `boxless fit` makes of all training pictures, on `val`; and thresholds from a few boxes."""
    training, validation = read_split(SET / "train", str(SET / "val"))
    if not model.exists():
        fit(training, validation, model)
    network = ModelFile(model, threads=1)
    held_out = scores_of(network, "val")
    common = ModelFile(DEFAULT_MODEL).card.preset("balanced").threshold
    table = {each.key: each for each in Evaluation.of(*held_out, draws=300).figures}
    one, oracle, top1 = table["max_box_acc_v2"].deployable, table["max_box_acc_v2"].oracle, table["top1"].deployable
    assert one is not None
    assert oracle is not None
    assert top1 is not None
    scores = held_out[-1]
    preset = network.card.preset("balanced")
    cuts = cuts_of(network.card, "balanced")
    return {
        "searches": {search.side: [network.card.labels[k] for k in search.classes] for search in preset.searches},
        "thresholds": dict(zip(network.card.labels, cuts.tolist(), strict=True)),
        "val": {**figures_of(scores, cuts, common), "one_box": one.as_dict(), "oracle": oracle.as_dict(),
                "top1": top1.as_dict()},
        "boxes_a_class": few_boxes(scores_of(network, "train")[-1], scores, cuts, network.card),
    }  # fmt: skip


def scores_of(network: ModelFile, split: str) -> tuple[Any, str, str, list[Score]]:
    """The scores of a split's boxed pictures, as arguments of `Evaluation.of`."""
    boxed = read_dataset(SET / f"{split}.json", network.card, None, SET / split)
    return boxed, "balanced", "as stored", list(measure_model(network, None, boxed.pictures, boxed.notes))


def few_boxes(
    train: Sequence[Score], val: Sequence[Score], cuts: NDArray[np.float64], card: Card
) -> list[dict[str, Any]]:
    """One box right on `val`, in percent, with thresholds from a few boxed pictures of each class of `train`."""
    right, classes = right_at([each.overlaps for each in train if each.overlaps]), _classes(train)
    right_val, classes_val = right_at([each.overlaps for each in val if each.overlaps]), _classes(val)
    random = np.random.default_rng(0)
    rows = []
    for boxes in BOXES:
        found = []
        for _ in range(DRAWS):
            weights = np.zeros((1, len(train)))
            for k in np.unique(classes):
                weights[0, random.permutation(np.flatnonzero(classes == k))[:boxes]] = 1
            chosen = THRESHOLDS[choose(right, classes, cuts, weights)[0]]
            found.append(at_thresholds(right_val, chosen[classes_val]).mean())
        low, middle, high = np.percentile(found, [2.5, 50, 97.5])
        rows.append({"boxes": boxes, "one_box": round(middle, 1), "low": round(low, 1), "high": round(high, 1)})
        print(rows[-1], flush=True)
    return rows


def _classes(scores: Sequence[Score]) -> NDArray[np.int64]:
    return np.array([each.class_index for each in scores], np.int64)


def write_page(data: dict[str, Any]) -> None:
    """Writes the tables of docs/own-data.md."""
    page = PAGE.read_text(encoding="utf-8")
    if "ideas" in data:
        lines = [
            "| what finds | MaxBoxAccV2 % | one box %: threshold carried over | stored | best for all | "
            "best by class | kept |",
            "|---|---|---|---|---|---|---|",
            *(
                f"| {row['idea']} | {row['max_box_acc_v2']} | {row['carried_over']} | {row['stored']} | "
                f"{row['best_for_all']} | {row['best_by_class']} | {'yes' if row['kept'] else ''} |"
                for row in data["ideas"]
            ),
        ]
        page = _between(page, "ideas", "\n".join(lines))
    if "final" in data:
        val, rows = data["final"]["val"], data["final"]["boxes_a_class"]
        searches = "; ".join(
            f"{', '.join(names)} at {side} pixels" for side, names in data["final"]["searches"].items()
        )
        thresholds = ", ".join(f"{name} {cut:g}" for name, cut in data["final"]["thresholds"].items())
        lines = [
            f"Searched for: {searches}. Top-1 {_interval(val['top1'])}, "
            f"MaxBoxAccV2 {_interval(val['oracle'])}, one box {_interval(val['one_box'])}; with the threshold carried "
            f"over it would be {val['carried_over']}, at the best one for all {val['best_for_all']}, at the best of "
            f"each class {val['best_by_class']} (both picked on these pictures). Thresholds: {thresholds}.",
            "",
            "| boxed pictures a class | one box % | 95 % of draws |",
            "|---|---|---|",
            f"| none | {val['stored']} | |",
            *(f"| {row['boxes']} | {row['one_box']} | {row['low']} to {row['high']} |" for row in rows),
        ]
        page = _between(page, "val", "\n".join(lines))
    write_whole(PAGE, lambda beside: beside.write_text(page, encoding="utf-8"))


def _interval(figure: dict[str, float]) -> str:
    return f"{figure['value']:.1f} % ({figure['low']:.1f} to {figure['high']:.1f})"


def _between(page: str, name: str, text: str) -> str:
    begin, end = f"<!-- {name}: written by benchmarks/own_data.py -->\n", f"<!-- end of {name} -->\n"
    before, rest = page.split(begin)
    return f"{before}{begin}\n{text}\n\n{end}{rest.split(end)[1]}"


def main(arguments: Sequence[str]) -> None:
    """Measures, writes the results and the page; what is not measured anew stays as it was."""
    if not SET.is_dir():
        sys.exit(f"no pictures to measure on: {SET} is missing (set BOXLESS_DATA)")
    known = RESULTS / "own_data.json"
    data = json.loads(known.read_text(encoding="utf-8")) if known.exists() else {}
    data.pop("machine", None)
    if "--final" not in arguments:
        for rows in ideas(data.get("ideas", ()) if "--go-on" in arguments else ()):
            data["ideas"] = rows
            write_results("own_data", data)
    if "--final" in arguments:
        data["final"] = final(Path(arguments[arguments.index("--final") + 1]))
    elif "--ideas" not in arguments:
        with tempfile.TemporaryDirectory() as folder:
            data["final"] = final(Path(folder) / "tiles.onnx")
    write_results("own_data", data)
    write_page(data)


if __name__ == "__main__":
    main(sys.argv[1:])

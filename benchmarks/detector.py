"""Detectors taught by labels, against the class maps that taught them, and against the same detector taught by boxes.

    python -m benchmarks.detector --data cards --work DIR --taught-by labels
    python -m benchmarks.detector --data cards --work DIR --taught-by labels --boxes 5
    python -m benchmarks.detector --data cards --work DIR --taught-by boxes
    python -m benchmarks.detector --data cards --work DIR --taught-by labels --backbone darknet19
    python -m benchmarks.detector --data cards --work DIR --measure

Each run can be stopped, and goes on where it was. `--measure` measures what there is in DIR and writes
benchmarks/results/detector.json. `--boxes K` gives the boxes of K training images of each class, as `boxless detector
--boxes` takes them. Boxes are read by `--boxes`, `--taught-by boxes` and `--measure` only.
"""

from __future__ import annotations

import argparse
import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.detector_measures import detections, named_by_detector, naming, precision, right_by_round, time_ratio
from benchmarks.facts import DATA, read, write_results
from benchmarks.meter import Meter, taken
from boxless.datasets.labelled import LabelledImages
from boxless.datasets.split import read_split
from boxless.learning.detector.input_size import DEFAULT_SIZE
from boxless.learning.detector.options import DetectorOptions
from boxless.learning.detector.pseudo_labels import PseudoLabels
from boxless.learning.detector.teacher import class_map_probabilities
from boxless.localizer import Localizer

WIDTHS = {"efficientnet_lite0": 1.0, "darknet19": 0.25}
"""Factors on the numbers of filters: a whole Darknet-19 would take days on two cores."""


@dataclass(frozen=True)
class Data:
    """A data set.

    Attributes:
        labels: the folder or CSV with the labels of images.
        val: the held-out ones; None where the CSV has them.
        boxes: COCO files of training (None where nobody drew any) and held-out images, and their folders.
    """

    labels: str
    val: str | None
    boxes: tuple[tuple[str, str] | None, tuple[str, str]]


def _set(name: str, labels: str | None = None) -> Data:
    boxes = [(f"{name}/{part}.json", f"{name}/{part}") for part in ("train", "val")]
    return Data(labels or f"{name}/train", None if labels else f"{name}/val", (boxes[0], boxes[1]))


SETS = {
    "cards": _set("cards", "cards/labels.csv"),
    "critters": _set("critters"),
    "figures": _set("figures", "figures/labels.csv"),
    "magnetic-tile": _set("magnetic-tile"),
    "steel": _set("steel"),
    "tiny10": Data("tiny10/train", "tiny10/val", (None, ("tiny10/val/annotations.json", "tiny10/val"))),
}


def main() -> None:
    """Trains or measures, as asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", choices=SETS, default="cards")
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--epochs", type=int, help="of the first round; else as many as the command takes")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--taught-by", choices=["labels", "boxes"])
    parser.add_argument("--boxes", type=int, default=0, help="boxed training images of each class")
    parser.add_argument("--backbone", choices=WIDTHS, default="efficientnet_lite0")
    parser.add_argument("--measure", action="store_true")
    asked = parser.parse_args()
    work = asked.work / asked.data
    if asked.taught_by:
        data = SETS[asked.data]
        width = WIDTHS[asked.backbone]
        settings = DetectorOptions(asked.backbone, width=width, rounds=asked.rounds, epochs=asked.epochs)
        name = run_name(asked.taught_by, asked.backbone, asked.boxes)
        work.mkdir(parents=True, exist_ok=True)
        with Meter(work / f"{name}.times"):
            train(data, work, name, asked.taught_by, settings, asked.boxes)
    if asked.measure:
        measure(asked.data, work)


def run_name(by: str, backbone: str = "efficientnet_lite0", boxed: int = 0) -> str:
    """Of a run's files."""
    return "-".join([by, *([backbone] if backbone != "efficientnet_lite0" else []), *([str(boxed)] if boxed else [])])


def train(data: Data, work: Path, name: str, by: str, settings: DetectorOptions, boxed: int) -> None:
    """Trains one detector; the one that boxes teach has as many epochs, in one round."""
    from boxless.cli.training_watch import watched
    from boxless.learning.detector.train import train_detector
    from boxless.learning.head.fit import fit

    training, validation = read_split(DATA / data.labels, str(DATA / data.val) if data.val else None)
    teacher, out = work / (f"teacher-{boxed}.onnx" if boxed else "teacher.onnx"), work / f"{name}.onnx"
    few = few_boxes(data, boxed, work / f"boxes-{boxed}.json") if boxed else None
    with watched(out) as screen:
        if by == "boxes":
            boxes = true_boxes(data, training)
            numbers = range(1, settings.rounds + 1)
            alike = sum(settings.epochs_of(number, len(training), settings.size or DEFAULT_SIZE) for number in numbers)
            once = replace(settings, rounds=1, epochs=alike)
            made = train_detector(training, validation, out, once, boxes, watch=screen)
        else:
            if not teacher.exists():
                fit(training, validation, teacher, boxes=few)
            made = train_detector(training, validation, out, settings, teacher, boxes=few, watch=screen)
            if made.doubt:  # measured all the same
                shutil.copyfile(made.path, out)
    (work / f"{name}.json").write_text(json.dumps(made.as_dict(), indent=1))


def few_boxes(data: Data, count: int, out: Path) -> Path:
    """A COCO file of the boxes of `count` training images of each class, drawn by lot."""
    if data.boxes[0] is None:
        raise SystemExit(f"nobody drew boxes in {data.labels}: leave --boxes out")
    coco = json.loads((DATA / data.boxes[0][0]).read_text())
    folder = DATA / data.boxes[0][1]
    chosen: set[int] = set()
    for category in sorted(each["id"] for each in coco["categories"]):
        mine = sorted({each["image_id"] for each in coco["annotations"] if each["category_id"] == category})
        chosen.update(int(k) for k in np.random.default_rng((0, category)).permutation(mine)[:count])
    images = [
        {**each, "file_name": str((folder / each["file_name"]).resolve())}
        for each in coco["images"]
        if each["id"] in chosen
    ]
    annotations = [each for each in coco["annotations"] if each["image_id"] in chosen]
    out.write_text(json.dumps({**coco, "images": images, "annotations": annotations}))
    return out


def true_boxes(data: Data, images: LabelledImages) -> list[PseudoLabels]:
    """The boxes that people drew in the images."""
    if data.boxes[0] is None:
        raise SystemExit(f"nobody drew boxes in {data.labels}: --taught-by labels")
    coco = json.loads((DATA / data.boxes[0][0]).read_text())
    names = {each["id"]: each["name"] for each in coco["categories"]}
    sizes = {each["id"]: each for each in coco["images"]}
    by_name: dict[str, list[tuple[list[float], int]]] = {}
    for each in coco["annotations"]:
        image = sizes[each["image_id"]]
        x, y, w, h = each["bbox"]
        box = [x / image["width"], y / image["height"], (x + w) / image["width"], (y + h) / image["height"]]
        index = images.classes.index(names[each["category_id"]])
        by_name.setdefault(Path(image["file_name"]).name, []).append((box, index))
    taught = []
    for path in images.paths:
        rows = by_name.get(path.name, [])
        boxes = np.array([box for box, _ in rows], np.float32).reshape(-1, 4)
        taught.append(PseudoLabels.of_truth(boxes, np.array([k for _, k in rows], np.int64), len(images.classes)))
    return taught


def measure(name: str, work: Path) -> None:
    """Measures teacher and detectors on the held-out boxes, and writes the results."""
    data = SETS[name]
    coco = json.loads((DATA / data.boxes[1][0]).read_text())
    folder = DATA / data.boxes[1][1]
    training, held_out = read_split(DATA / data.labels, str(DATA / data.val) if data.val else None)
    truth = true_boxes(data, training) if data.boxes[0] else []
    names = class_map_probabilities(work / "teacher.onnx", held_out, lambda count: None)
    found: dict[str, Any] = {
        "pictures": len(coco["images"]),
        "boxes": len(coco["annotations"]),
        "class maps name": naming(names, held_out),
    }
    for preset in ("fast", "balanced", "best"):
        found[f"class maps, {preset}"] = precision(
            coco, detections(Localizer(work / "teacher.onnx", preset), coco, folder)
        )
    if (work / "teacher-5.onnx").exists():
        localizer = Localizer(work / "teacher-5.onnx")
        found["class maps, 5 boxed images a class"] = precision(coco, detections(localizer, coco, folder))
    for by in ("labels", run_name("labels", boxed=5), "boxes", run_name("labels", "darknet19")):
        file = work / f"{by}.onnx"
        if not file.exists():
            continue
        rounds = sorted((work / f"{by}.training").glob("round-*.onnx"))
        found[f"taught by {by}"] = {
            **precision(coco, detections(Localizer(file), coco, folder)),
            "names": naming(named_by_detector(file, held_out), held_out),
            "by round": [precision(coco, detections(Localizer(each), coco, folder))["AP50"] for each in rounds],
            "training": json.loads((work / f"{by}.json").read_text()),
            "taken": taken(work / f"{by}.times"),
            "boxes taught that are right": right_by_round(truth, training.classes, work / f"{by}.training")
            if truth
            else [],
            "over the bare forward pass": time_ratio(file, folder),
        }
    known = read("detector")
    # Detectors that are not in the folder keep their rows, with the date of their code.
    for key, row in known["data"].get(name, {}).items():
        if key.startswith("taught by") and key not in found:
            found[key] = {"measured": known["machine"]["date"], **row}
    data_sets = {**known["data"], name: found}
    write_results("detector", {"data": data_sets}, part=name, parts=data_sets)
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()

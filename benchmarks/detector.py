"""Detectors taught by labels, against the class maps that taught them, and against the same detector taught by boxes.

    python -m benchmarks.detector --data cards --work DIR --epochs 40 --taught-by labels
    python -m benchmarks.detector --data cards --work DIR --epochs 40 --taught-by boxes
    python -m benchmarks.detector --data cards --work DIR --epochs 24 --taught-by labels --backbone darknet19
    python -m benchmarks.detector --data tiny10 --work DIR --taught-by labels
    python -m benchmarks.detector --data cards --work DIR --measure

Each run can be stopped, and goes on where it was. `--measure` measures what there is in DIR and writes
benchmarks/results/detector.json. Boxes are looked at by `--taught-by boxes` and by `--measure` only.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.facts import DATA, milliseconds
from benchmarks.meter import Meter, taken
from boxless.boxes import iou
from boxless.files import write_whole
from boxless.graph.assemble import NETWORK_PREFIX, tensor_info
from boxless.image import read_picture, resize_pixels
from boxless.localizer import Localizer
from boxless.machine import LEARNING, machine
from boxless.model_file import ModelFile
from boxless.training.detector.settings import Settings
from boxless.training.detector.taught import Taught
from boxless.training.detector.teacher import load_taught
from boxless.training.pictures import LabelledPictures
from boxless.training.split import read_split

RESULTS = Path(__file__).parent / "results" / "detector.json"
WIDTHS = {"efficientnet_lite0": 1.0, "darknet19": 0.25}
"""Factors on the numbers of filters: a whole Darknet-19 would take days on two cores."""

_IOUS = (0.3, 0.5)
_RUNS = 20


@dataclass(frozen=True)
class Data:
    """A data set.

    Attributes:
        labels: the folder or CSV that says what is in pictures.
        val: the held-out ones; None where the CSV says it.
        boxes: COCO files of the learned (None where nobody drew any) and the held-out, and where their pictures are.
        size: at which the detector looks.
    """

    labels: str
    val: str | None
    boxes: tuple[tuple[str, str] | None, tuple[str, str]]
    size: int


SETS = {
    "cards": Data(
        "cards/labels.csv", None, (("cards/train.json", "cards/train"), ("cards/val.json", "cards/val")), 256
    ),
    "magnetic-tile": Data(
        "magnetic-tile/train",
        "magnetic-tile/val",
        (("magnetic-tile/train.json", "magnetic-tile/train"), ("magnetic-tile/val.json", "magnetic-tile/val")),
        256,
    ),
    "tiny10": Data("tiny10/train", "tiny10/val", (None, ("tiny10/val/annotations.json", "tiny10/val")), 256),
}


def main() -> None:
    """Trains or measures, as asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", choices=SETS, default="cards")
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--epochs", type=int, help="of the first round; else as many as the command takes")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--taught-by", choices=["labels", "boxes"])
    parser.add_argument("--backbone", choices=WIDTHS, default="efficientnet_lite0")
    parser.add_argument("--measure", action="store_true")
    asked = parser.parse_args()
    work = asked.work / asked.data
    if asked.taught_by:
        data = SETS[asked.data]
        settings = Settings(asked.backbone, data.size, WIDTHS[asked.backbone], asked.rounds, asked.epochs)
        name = run_name(asked.taught_by, asked.backbone)
        work.mkdir(parents=True, exist_ok=True)
        with Meter(work / f"{name}.times"):
            train(data, work, name, asked.taught_by, settings)
    if asked.measure:
        measure(asked.data, work)


def run_name(by: str, backbone: str) -> str:
    """Of a run's files."""
    return by if backbone == "efficientnet_lite0" else f"{by}-{backbone}"


def train(data: Data, work: Path, name: str, by: str, settings: Settings) -> None:
    """Trains one detector; the one that boxes teach has as many epochs, in one round."""
    from boxless.cli.training_watch import OnScreen
    from boxless.training.detector.train import train_detector
    from boxless.training.fit import fit

    training, validation = read_split(DATA / data.labels, str(DATA / data.val) if data.val else None)
    screen = OnScreen()
    teacher, out = work / "teacher.onnx", work / f"{name}.onnx"
    if by == "boxes":
        boxes = true_boxes(data, training)
        alike = sum(settings.epochs_of(number, len(training)) for number in range(1, settings.rounds + 1))
        once = replace(settings, rounds=1, epochs=alike)
        made = train_detector(training, validation, out, once, boxes, watch=screen)
    else:
        if not teacher.exists():
            fit(training, validation, teacher)
        made = train_detector(training, validation, out, settings, teacher, watch=screen)
    (work / f"{name}.json").write_text(json.dumps(made.as_dict(), indent=1))


def true_boxes(data: Data, pictures: LabelledPictures) -> list[Taught]:
    """The boxes that people drew in the pictures."""
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
        index = pictures.classes.index(names[each["category_id"]])
        by_name.setdefault(Path(image["file_name"]).name, []).append((box, index))
    taught = []
    for path in pictures.paths:
        rows = by_name.get(path.name, [])
        boxes = np.array([box for box, _ in rows], np.float32).reshape(-1, 4)
        taught.append(Taught.of_truth(boxes, np.array([k for _, k in rows], np.int64), len(pictures.classes)))
    return taught


def measure(name: str, work: Path) -> None:
    """Measures teacher and detectors on the held-out boxes, and writes the results."""
    data = SETS[name]
    coco = json.loads((DATA / data.boxes[1][0]).read_text())
    folder = DATA / data.boxes[1][1]
    found: dict[str, Any] = {"pictures": len(coco["images"]), "boxes": len(coco["annotations"])}
    for preset in ("fast", "balanced", "best"):
        found[f"class maps, {preset}"] = precision(
            coco, detections(Localizer(work / "teacher.onnx", preset), coco, folder)
        )
    for by in ("labels", "boxes", run_name("labels", "darknet19")):
        file = work / f"{by}.onnx"
        if not file.exists():
            continue
        rounds = sorted((work / f"{by}.training").glob("round-*.onnx"))
        found[f"taught by {by}"] = {
            **precision(coco, detections(Localizer(file), coco, folder)),
            "by round": [precision(coco, detections(Localizer(each), coco, folder))["AP50"] for each in rounds],
            "training": json.loads((work / f"{by}.json").read_text()),
            "taken": taken(work / f"{by}.times"),
            "boxes taught that are right": right_by_round(data, work / f"{by}.training"),
            "over the bare forward pass": time_ratio(file, folder),
        }
    before = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    data_sets = {**before.get("data", {}), name: found}
    text = json.dumps({"machine": machine(LEARNING), "data": data_sets}, indent=1) + "\n"
    write_whole(RESULTS, lambda beside: beside.write_text(text, encoding="utf-8"))
    print(json.dumps(found, indent=1))


def right_by_round(data: Data, folder: Path) -> list[dict[str, Any]]:
    """Of the boxes that each round was taught in training pictures: how many, and how many are right (IoU 0.5)."""
    if data.boxes[0] is None:
        return []
    training, _ = read_split(DATA / data.labels, str(DATA / data.val) if data.val else None)
    truth = true_boxes(data, training)
    rounds = []
    for file in sorted(folder.glob("boxes-*.npz")):
        counts: dict[str, list[int]] = {}
        for taught, true in zip(load_taught(file), truth, strict=True):
            believed = taught.weights > 0
            for box, candidates in zip(taught.boxes[believed], taught.candidates[believed], strict=True):
                there = len(true) > 0 and float(iou(box[None], true.boxes).max()) >= 0.5
                name = training.classes[int(candidates.argmax())]
                row = counts.setdefault(name, [0, 0])
                row[0] += 1
                row[1] += int(there)
        rounds.append({"boxes": sum(n for n, _ in counts.values()), "right": sum(n for _, n in counts.values()),
                       "by class": counts})  # fmt: skip
    return rounds


def detections(localizer: Localizer, coco: dict[str, Any], folder: Path) -> list[dict[str, Any]]:
    """All boxes of all classes, whatever their scores, as COCO has results."""
    ids = {each["name"]: each["id"] for each in coco["categories"]}
    files = {path.name: path for path in folder.rglob("*.*")}
    paths = [files[Path(each["file_name"]).name] for each in coco["images"]]
    wanted = [label for label in localizer.card.labels if label in ids]
    rows = []
    for image, found in zip(coco["images"], localizer.locate_many(paths, classes=wanted, always_box=True), strict=True):
        for finding in found.findings:
            for box in finding.boxes:
                edges = [box.x0, box.y0, box.x1 - box.x0, box.y1 - box.y0]
                rows.append(
                    {"image_id": image["id"], "category_id": ids[finding.label], "bbox": edges, "score": box.score}
                )
    return rows


def precision(coco: dict[str, Any], rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Average precision in percent, by faster-coco-eval."""
    from faster_coco_eval import COCO, COCOeval_faster

    annotations = [
        {**each, "id": i + 1, "area": each["bbox"][2] * each["bbox"][3], "iscrowd": 0}
        for i, each in enumerate(coco["annotations"])
    ]
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO({**coco, "annotations": annotations})
        judged = COCOeval_faster(truth, truth.loadRes(list(rows)), "bbox")
        judged.params.iouThrs = np.array([*_IOUS, *np.arange(0.55, 0.96, 0.05)])
        judged.evaluate()
        judged.accumulate()
    table = judged.eval["precision"][:, :, :, 0, -1].mean(axis=1)  # (IoU, class)
    table = np.where(table < 0, np.nan, 100 * table)
    names = [each["name"] for each in coco["categories"]]
    return {
        "AP30": round(float(np.nanmean(table[0])), 1),
        "AP50": round(float(np.nanmean(table[1])), 1),
        "AP": round(float(np.nanmean(table[1:])), 1),
        "AP50 by class": {k: round(float(v), 1) for k, v in zip(names, table[1], strict=True) if np.isfinite(v)},
    }


def time_ratio(file: Path, folder: Path) -> float:
    """One picture through the model file over its bare network, backbone and head, in turns: the ratio of medians."""
    model = ModelFile(file, threads=1)
    side = model.card.presets["balanced"].sides[0]
    path = next(iter(sorted(folder.rglob("*.jpg"))))
    pixels = resize_pixels(read_picture(path).pixels, side, side)
    with _bare(file) as bare:
        tasks: dict[str, Callable[[], object]] = {
            "whole": lambda: model.detect(pixels, size=(side, side)),
            "bare": lambda: bare(pixels),
        }
        times = milliseconds(tasks, _RUNS)
    return round(float(np.median(times["whole"]) / np.median(times["bare"])), 3)


@contextlib.contextmanager
def _bare(file: Path) -> Iterator[Any]:
    """The network inside of a model file: from a scaled picture to what each cell says."""
    import onnx
    import onnxruntime as ort

    whole = onnx.load(file)
    graph = onnx.GraphProto(name="bare", initializer=whole.graph.initializer)
    graph.node.extend(node for node in whole.graph.node if node.output[0].startswith(NETWORK_PREFIX))
    inside = {name for node in graph.node for name in node.output}
    ends = {name for node in whole.graph.node for name in node.input if name in inside}
    ends -= {name for node in graph.node for name in node.input}
    graph.input.append(tensor_info("picture_scaled", onnx.TensorProto.FLOAT, "N", 3, "h", "w"))
    graph.output.extend(tensor_info(name, onnx.TensorProto.FLOAT, "N", "y", "x", "c") for name in sorted(ends))
    network = onnx.helper.make_model(graph, opset_imports=whole.opset_import, ir_version=whole.ir_version)
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = ort.InferenceSession(network.SerializeToString(), options, providers=["CPUExecutionProvider"])

    def run(pixels: Any) -> None:  # noqa: ANN401
        session.run(None, {"picture_scaled": pixels[None].transpose(0, 3, 1, 2).astype(np.float32)})

    yield run


if __name__ == "__main__":
    main()

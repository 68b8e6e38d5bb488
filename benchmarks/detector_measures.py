"""What is measured of detectors: boxes against true ones, classes against labels, times against the bare network."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.facts import milliseconds
from boxless.datasets.labelled import LabelledImages
from boxless.export.assemble import NETWORK_PREFIX, tensor_info
from boxless.imaging.read import read_image, resize_pixels
from boxless.learning.detector.evidence import evidence_of
from boxless.learning.detector.pseudo_labels import PseudoLabels
from boxless.learning.detector.teacher import detect, load_pseudo_labels
from boxless.localizer import Localizer
from boxless.maps.boxes import iou
from boxless.maps.class_maps import probabilities
from boxless.models.model_file import ModelFile

_IOUS = (0.3, 0.5)
_RUNS = 20


def naming(said: NDArray[np.float32], held_out: LabelledImages) -> float:
    """The mean over classes of the average precision, in percent, with which held-out images are classified."""
    return round(evidence_of(said, held_out.targets, held_out.background).precision, 1)


def named_by_detector(file: Path, held_out: LabelledImages) -> NDArray[np.float32]:
    """The score of each class's most probable box in each image, (n, K)."""
    model = ModelFile(file, threads=1)
    rows = [probabilities(detect(model, path)[0].logits, "sigmoid") for path in held_out.paths]
    return np.stack(rows).astype(np.float32)


def right_by_round(truth: Sequence[PseudoLabels], classes: Sequence[str], folder: Path) -> list[dict[str, Any]]:
    """Of the boxes that each round was taught in training images: how many, and how many are right (IoU 0.5)."""
    rounds = []
    for file in sorted(folder.glob("boxes-*.npz")):
        counts: dict[str, list[int]] = {}
        for taught, true in zip(load_pseudo_labels(file), truth, strict=True):
            believed = taught.weights > 0
            for box, candidates in zip(taught.boxes[believed], taught.candidates[believed], strict=True):
                there = len(true) > 0 and float(iou(box[None], true.boxes).max()) >= 0.5
                name = classes[int(candidates.argmax())]
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
    for image, found in zip(
        coco["images"], localizer.locate_many(paths, classes=wanted, include_absent=True), strict=True
    ):
        for prediction in found.predictions:
            for box in prediction.boxes:
                edges = [box.x0, box.y0, box.x1 - box.x0, box.y1 - box.y0]
                rows.append(
                    {"image_id": image["id"], "category_id": ids[prediction.label], "bbox": edges, "score": box.score}
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
    """One image through the model file over its bare network, backbone and head, in turns: the ratio of medians."""
    model = ModelFile(file, threads=1)
    side = model.card.presets["balanced"].scales[0]
    path = min(each for each in folder.rglob("*") if each.suffix.lower() in (".jpg", ".jpeg"))
    pixels = resize_pixels(read_image(path).pixels, side, side)
    with _bare(file) as bare:
        tasks: dict[str, Callable[[], object]] = {
            "whole": lambda: model.detect(pixels, size=(side, side)),
            "bare": lambda: bare(pixels),
        }
        times = milliseconds(tasks, _RUNS)
    return round(float(np.median(times["whole"]) / np.median(times["bare"])), 3)


@contextlib.contextmanager
def _bare(file: Path) -> Iterator[Any]:
    """The network inside of a model file: from a scaled image to the output of each cell."""
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

"""How fast maps are scored, and that memory does not grow with them. python -m benchmarks.evaluation"""

from __future__ import annotations

import resource
import time

import numpy as np

from benchmarks.facts import DATA, write_results
from boxless import Localizer, ModelFile
from boxless.datasets.boxed import BoxedImage
from boxless.evaluation import figures, overlaps, read_dataset, score
from boxless.evaluation.box_accuracy import THRESHOLDS
from boxless.evaluation.predict import score_map_of
from boxless.evaluation.score import MapPrediction, Score
from boxless.maps.boxes import boxes_in_map, iou

SLOW_EVERY = 13


def one_threshold_at_a_time(score_map: np.ndarray, image: BoxedImage) -> float:
    """The plain way, which labels the map anew at every threshold; the best overlap at any."""
    best = 0.0
    for threshold in THRESHOLDS:
        found = boxes_in_map(score_map, float(threshold), *image.size)
        if found:
            best = max(best, float(iou(np.array([box.xyxy for box in found], np.float32), image.boxes).max()))
    return best


def main() -> None:
    """Scores the maps of `fast` on ilsvrc-dev both ways, in turns; writes benchmarks/results/evaluation.json."""
    network = ModelFile("efficientnet-lite0")
    localizer = Localizer(network, "fast")
    images = read_dataset(DATA / "ilsvrc-dev", network.card).images
    all_at_once: list[float] = []
    one_by_one: list[float] = []
    memory: list[int] = []
    scores: list[Score] = []
    for number, image in enumerate(images):
        score_map = score_map_of(localizer.locate(image.path, classes=[image.class_index]).predictions[0])
        start = time.perf_counter()
        curves = overlaps(score_map, image.boxes, image.size)
        all_at_once.append(time.perf_counter() - start)
        if number % SLOW_EVERY == 0:
            start = time.perf_counter()
            best = one_threshold_at_a_time(score_map, image)
            one_by_one.append(time.perf_counter() - start)
            assert abs(best - float(curves.any_box.max())) < 1e-5
        scores.append(score(image, MapPrediction(score_map, None)))
        memory.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    start = time.perf_counter()
    figures(scores)
    table = time.perf_counter() - start
    half = len(memory) // 2
    results = {
        "maps": len(images),
        "thresholds": len(THRESHOLDS),
        "all thresholds at once, ms a map": round(float(np.median(all_at_once)) * 1e3, 1),
        "all thresholds at once, s for all": round(sum(all_at_once), 1),
        "one threshold at a time, ms a map": round(float(np.median(one_by_one)) * 1e3, 1),
        "table with 1000 bootstrap draws, s": round(table, 1),
        "memory growth over the second half, kB a map": round((memory[-1] - memory[half]) / (len(memory) - half), 1),
    }
    print(results)
    write_results("evaluation", results)


if __name__ == "__main__":
    main()

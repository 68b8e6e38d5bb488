"""The page and the figure of benchmarks/results/peers.json. python -m benchmarks.frontier"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.provenance import RESULTS, provenance
from boxless.evaluation.plot import COLOURS, Plot
from boxless.system.files import write_whole

DOCS = Path(__file__).parent.parent / "docs"

# Of a cloud of points that lie on each other one gets a label: text, side, pixels lower.
NAMED = {
    "boxless, plain CAM": ("boxless, plain CAM", "end", 0.0),
    "boxless fast": ("boxless fast", "end", -6.0),
    "boxless balanced": ("boxless balanced", "end", -8.0),
    "boxless best": ("boxless best", "start", -4.0),
    "torchcam GradCAMpp": ("torchcam, captum, pytorch-grad-cam", "start", 0.0),
    "pytorch-grad-cam EigenCAM": ("pytorch-grad-cam Eigen-CAM", "start", 0.0),
    "openvino_xai ActivationMap": ("openvino_xai", "end", 0.0),
    "tf-keras-vis Gradcam": ("tf-keras-vis", "end", 0.0),
}


def figure(rows: dict[str, Any]) -> str:
    """Accuracy over milliseconds as SVG: boxless joined by a line, the peers as points."""
    measured = {name: row for name, row in rows.items() if "max_box_acc_v2" in row}
    slowest = max(row["ms"] for row in measured.values())
    ticks = [(float(ms), str(ms)) for ms in (10, 20, 50, 100, 200, 500, 1000) if ms <= 2 * slowest]
    plot = Plot(
        "Boxes against time: the same weights, the same images, one core",
        "milliseconds an image (log scale)", "MaxBoxAccV2, %", (5.0, 2.2 * slowest), (50.0, 80.0), ticks, 5,
        log_x=True, size=(760, 430),
    )  # fmt: skip
    presets = [measured[name] for name in measured if name.startswith("boxless") and "plain" not in name]
    plot.line("", [row["ms"] for row in presets], [row["max_box_acc_v2"] for row in presets], COLOURS[0])
    names = ("boxless", "torchcam", "pytorch-grad-cam", "captum", "tf-keras-vis", "openvino_xai")
    kinds = {name: COLOURS[index % len(COLOURS)] for index, name in enumerate(names)}
    for name, row in measured.items():
        colour = next(colour for kind, colour in kinds.items() if name.startswith(kind))
        low, high = row["interval"]
        plot.span(row["ms"], low, high, colour)
        label, anchor, drop = NAMED.get(name, ("", "start", 0.0))
        plot.point(row["ms"], row["max_box_acc_v2"], label, colour, anchor, drop)
    return plot.svg()


def page(results: dict[str, Any]) -> str:
    """The page in Markdown."""
    rows, machine = results["rows"], results["machine"]
    packages = ", ".join(f"{name} {number}" for name, number in machine["packages"].items())
    lines = [
        "# Beside other class activation maps",
        "",
        "Written by `python -m benchmarks.frontier` from what `make bench-peers` measured. Every method has the same",
        "EfficientNet-Lite0 weights, gets the same decoded image and the class to look for, and hands back a score",
        "map of the image's size; boxless hands back its boxes too. The methods take turns on every image.",
        "",
        "Each peer has its best settings. torchcam, pytorch-grad-cam and captum run on a network that `torch.compile`",
        "compiled, and their gradients stop at the layer they look at: both are faster than without. openvino_xai runs",
        "the network in OpenVINO, with the map as part of the graph. tf-keras-vis has Keras' network and builds a new",
        "model at each call, which nothing can turn off. openvino_xai 1.1 asks for an OpenVINO of 2024; here it runs",
        "with that of 2025.",
        "",
        "Peers make one pass at 224; boxless runs in ONNX Runtime, and `balanced` and `best` make passes at 448 (and",
        "576) too. So compare *plain CAM* with torchcam's CAM for what the runtime gives, and *fast* with *plain CAM*",
        "for what refinement gives. The images are spread over the 650 of `ilsvrc-dev`. Peers work on any layer, and",
        "on networks without global average pooling; boxless does not: take them for those.",
        "",
        "![MaxBoxAccV2 over milliseconds an image](images/frontier.svg)",
        "",
        "| method | ms an image, 1 core | ms, 2 cores | MaxBoxAccV2 % (95 % interval) | one box % | images |",
        "|---|---|---|---|---|---|",
    ]
    for name, row in sorted(rows.items(), key=lambda each: each[1]["ms"]):
        accuracy = "not measured | not measured"
        if "interval" in row:
            low, high = row["interval"]
            accuracy = f"{row['max_box_acc_v2']:.1f} ({low:.1f} to {high:.1f}) | {row['one_box']:.1f}"
        two = f"{row['ms, two cores']:,.0f}" if "ms, two cores" in row else "not measured"
        lines.append(f"| {name} | {row['ms']:,.0f} | {two} | {accuracy} | {row['pictures']} |")
    lines += [
        "",
        f"{machine['processor']}, load {machine['load']} from other work at the start, {machine['date']}; times on two",
        f"cores are of 40 of these images. {packages}.",
        "",
        "*One box*: the one box that a user would get, at the single best threshold on these images for each method",
        "(peers have no stored threshold, so all are measured this way; it flatters all alike). The images are of",
        "`ilsvrc-dev`, on which boxless's presets were chosen; the peers' maps have nothing to choose.",
        "",
        "Why are the maps of so many methods alike? On a network that ends in an average and a linear layer, Grad-CAM,",
        "HiResCAM and XGrad-CAM are CAM up to a scale; `boxless.maps.cam_methods` has the formulas of all of them, and",
        "tests hold them to what the peers' programs find (`tests/golden/peer_maps.npz`). Two differ from their",
        "papers: torchcam 0.5.0 loses the division in Grad-CAM++'s weights, and the sign of pytorch-grad-cam's",
        "Eigen-CAM is whatever the linear algebra library gives. Score-CAM has no closed form: it masks the image",
        "with each of the 1,280 features and runs the whole network each time, so it is timed here but not offered.",
        "Ablation-CAM is faster here than in general: everything before the last feature map is one module, which its",
        "program skips.",
        "",
        provenance(["peers"]),
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    """Writes docs/peers.md and docs/images/frontier.svg."""
    results = json.loads((RESULTS / "peers.json").read_text(encoding="utf-8"))
    svg, text = figure(results["rows"]), page(results)
    write_whole(DOCS / "images/frontier.svg", lambda beside: beside.write_text(svg + "\n", encoding="utf-8"))
    write_whole(DOCS / "peers.md", lambda beside: beside.write_text(text, encoding="utf-8"))


if __name__ == "__main__":
    main()

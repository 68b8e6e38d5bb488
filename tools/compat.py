"""Which classifiers can be attached to: those of keras.applications, torchvision, timm and transformers.

    make compat                        the whole table: docs/compatibility.md and benchmarks/results/compat.json
    python -m tools.compat timm: ...   the rows whose names begin so, the other rows staying as they are
    python -m tools.compat --missing timm:    of these, the rows that are not there yet

Weights are random (batch normalization fitted to one batch of noise, so that numbers stay in range): what is tested
is the architecture, not the accuracy. Each row is computed in a process of its own and written at once.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections import Counter
from contextlib import suppress
from dataclasses import asdict
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from boxless import BoxlessError, ModelFile
from boxless.system.files import write_whole

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks/results/compat.json"
PAGE = ROOT / "docs/compatibility.md"
TIMEOUT = 3600
MOST = 128
"""Pixels a side: those that take any size are tried at no more, to be quick."""

FEW = 2
"""Layers of each stage that models of transformers get: they are alike."""

NAMES: dict[str, tuple[str, ...]] = {
    "keras": (
        *("ResNet50", "ResNet101", "ResNet152", "ResNet50V2", "ResNet101V2", "ResNet152V2"),
        *("DenseNet121", "DenseNet169", "DenseNet201", "InceptionV3", "InceptionResNetV2", "Xception"),
        *("MobileNet", "MobileNetV2", "MobileNetV3Small", "MobileNetV3Large"),
        *(f"EfficientNetB{i}" for i in range(8)),
        *(f"EfficientNetV2{size}" for size in ("B0", "B1", "B2", "B3", "S", "M", "L")),
        *("ConvNeXtTiny", "ConvNeXtSmall", "ConvNeXtBase", "NASNetMobile", "NASNetLarge", "VGG16", "VGG19"),
    ),
    "torchvision": (
        *("resnet18", "resnet50", "resnext50_32x4d", "densenet121", "googlenet", "inception_v3"),
        *("mobilenet_v2", "mobilenet_v3_small", "mobilenet_v3_large", "mnasnet0_5", "mnasnet1_0"),
        *("shufflenet_v2_x0_5", "shufflenet_v2_x1_0", "squeezenet1_0", "squeezenet1_1"),
        *("efficientnet_b0", "efficientnet_b1", "efficientnet_v2_s", "regnet_x_400mf", "regnet_y_400mf"),
        *("convnext_tiny", "swin_t", "swin_v2_t", "maxvit_t", "vit_b_16", "vit_b_32", "alexnet", "vgg11"),
    ),
    "timm": (
        *("resnet18", "resnet50", "resnet26d", "resnext50_32x4d", "seresnet50", "ecaresnet26t", "resnetv2_50"),
        *("efficientnet_b0", "tf_efficientnet_lite0", "tf_efficientnetv2_b0", "efficientnet_b0_gn"),
        *("mobilenetv2_100", "mobilenetv3_small_100", "mobilenetv3_large_100", "mobilenetv4_conv_small"),
        *("convnext_atto", "convnext_tiny", "convnextv2_atto", "convnext_tiny_hnf"),
        *("vit_tiny_patch16_224", "vit_small_patch32_224", "vit_pwee_patch16_reg1_gap_256"),
        *("vit_medium_patch16_gap_240", "vit_relpos_small_patch16_224", "vit_small_patch14_dinov2"),
        *("deit_tiny_patch16_224", "deit3_small_patch16_224", "beit_base_patch16_224", "eva02_tiny_patch14_224"),
        *("swin_tiny_patch4_window7_224", "swinv2_tiny_window8_256", "swinv2_cr_tiny_ns_224"),
        *("maxvit_tiny_tf_224", "coatnet_0_rw_224", "maxxvit_rmlp_nano_rw_256"),
        *("regnetx_002", "regnety_002", "regnetz_b16", "nfnet_f0"),
        *("mobilevit_xxs", "mobilevitv2_050", "fastvit_t8", "efficientvit_b0", "efficientformer_l1", "repvit_m0_9"),
        *("edgenext_xx_small", "ghostnet_100", "hgnetv2_b0", "levit_128s", "poolformer_s12", "caformer_s18"),
        *("mixer_s32_224", "gmlp_s16_224", "xcit_nano_12_p16_224", "pvt_v2_b0", "pit_ti_224", "starnet_s1"),
    ),
    "hf": (
        *("beit", "bit", "clip", "convnext", "convnextv2", "cvt", "data2vec-vision", "deit", "dinov2"),
        *("dinov2_with_registers", "donut-swin", "efficientnet", "focalnet", "hgnet_v2", "hiera", "ijepa"),
        *("levit", "mobilenet_v1", "mobilenet_v2", "mobilevit", "mobilevitv2", "poolformer", "pp_lcnet", "pvt"),
        *("pvt_v2", "regnet", "resnet", "segformer", "siglip", "swiftformer", "swin", "swinv2", "textnet", "vit"),
        "vit_msn",
    ),
}
"""By framework. Of transformers: model types, with their default settings but `FEW`."""

TITLES = {
    "keras": "keras.applications",
    "torchvision": "torchvision.models",
    "timm": "timm",
    "hf": "transformers, `AutoModelForImageClassification`",
}

QUICK = ("keras:MobileNetV2", "keras:MobileNetV3Small")
"""Those that the tests try (tests/export/test_applications.py)."""


def every() -> list[str]:
    """The names of all rows, as of `boxless attach`."""
    return [f"{framework}:{name}" for framework, names in NAMES.items() for name in names]


def export(name: str, file: Path) -> tuple[int, int]:
    """Writes an architecture with random weights as ONNX; the (height, width) that it was exported at."""
    framework, _, short = name.partition(":")
    return _export_keras(short, file) if framework == "keras" else _export_torch(framework, short, file)


def _export_keras(name: str, file: Path) -> tuple[int, int]:
    import keras

    from boxless.export.frameworks import export_keras

    keras.utils.set_random_seed(0)
    build = getattr(keras.applications, name)
    network = build(weights=None)
    height, width = (side or MOST for side in network.input_shape[1:3])
    if height > MOST and not name.startswith(("NASNet", "VGG")):
        height, width = MOST, MOST
        network = build(weights=None, input_shape=(height, width, 3))
    noise = np.random.default_rng(0).normal(size=(2, height, width, 3)).astype(np.float32)
    for layer in network._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    network(noise, training=True)
    export_keras(network, file)
    return height, width


def _export_torch(framework: str, name: str, file: Path) -> tuple[int, int]:
    import torch

    from boxless.export.frameworks import export_torch

    torch.manual_seed(0)
    network, side = {"torchvision": _torchvision, "timm": _timm, "hf": _hugging_face}[framework](name)
    for layer in network.modules():
        if isinstance(layer, torch.nn.Linear) and not layer.weight.any():  # the last layer of mixer and gMLP
            torch.nn.init.normal_(layer.weight, std=0.02)
        if isinstance(layer, torch.nn.modules.batchnorm._BatchNorm):
            layer.momentum = 1.0
    network.train()
    with torch.no_grad():
        network(torch.randn(2, 3, side, side))
    export_torch(network, file, (side, side))
    return side, side


def _torchvision(name: str) -> tuple[Any, int]:
    import torchvision

    whole = dict.fromkeys(("maxvit_t", "vit_b_16", "vit_b_32", "alexnet", "vgg11"), 224)
    side = {"inception_v3": 299, **whole}.get(name, MOST)
    return torchvision.models.get_model(name, weights=None), side


def _timm(name: str) -> tuple[Any, int]:
    import timm

    network = timm.create_model(name, num_classes=1000, exportable=True)
    native = network.pretrained_cfg["input_size"][-1]
    return network, native if network.pretrained_cfg.get("fixed_input_size") else min(native, MOST)


def _hugging_face(name: str) -> tuple[Any, int]:
    import transformers

    from boxless.export.frameworks import logits_only

    config = transformers.AutoConfig.for_model(name)
    declared = getattr(getattr(config, "vision_config", config), "image_size", None) or MOST
    side = declared if isinstance(declared, int) else int(declared[0])
    for each in filter(None, (config, getattr(config, "vision_config", None))):
        if depths := getattr(each, "depths", None):
            each.depths = [min(depth, FEW) for depth in depths]
        elif "num_hidden_layers" in vars(each):  # not by another name of the number of stages
            each.num_hidden_layers = FEW
        if name == "efficientnet":  # by default B7
            config.depth_coefficient = config.width_coefficient = 1.0
            config.hidden_dim = 1280
    # Some types have two classes; that which AutoModelForImageClassification takes is said by the weights.
    classes = import_module("transformers.models.auto.modeling_auto").MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING_NAMES[name]
    chosen = classes if isinstance(classes, str) else classes[0]
    return logits_only(getattr(transformers, chosen)(config)), side


def one(name: str) -> dict[str, Any]:
    """The row of an architecture."""
    from boxless.export import attach
    from boxless.export.frameworks import quiet

    with tempfile.TemporaryDirectory() as folder:
        original, out = Path(folder) / "network.onnx", Path(folder) / "attached.onnx"
        try:
            with quiet():
                size = export(name, original)
        except BoxlessError as error:
            return {"error": str(error)}
        # Exporters raise nearly anything.
        except Exception as error:
            exporter = "tf2onnx" if name.startswith("keras:") else "PyTorch"
            return {"error": f"{exporter} cannot export it to ONNX ({_first_line(error)})"}
        try:
            made = attach(original, out, preprocess="tf", input_size=size)
        except BoxlessError as error:
            return {"error": str(error).replace(f"{original}: ", "")}
        maps = ModelFile(out, threads=1).run(np.zeros((*size, 3), np.uint8), size=size, top=1).class_maps
    return {
        "maps": made.card.maps,
        "fixed_size": made.card.fixed_size,
        "size": list(size),
        "cells": list(maps.shape[1:]),
        "stages": len(made.stages),
        "proof": asdict(made.proof),
    }


def page(rows: dict[str, dict[str, Any]]) -> str:
    """The tables as Markdown."""
    kinds = Counter(row.get("maps", "refused") for row in rows.values())
    counts = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    lines = [
        "# Compatibility",
        "",
        f"{len(rows) - kinds['refused']} of {len(rows)} architectures can be attached, with random weights: {counts}.",
        "`make compat` writes this page. [What the kinds of maps mean](attach.md#what-attach-detects).",
        "",
        "- *logits*: the largest difference from the network's own, as a share of the largest logit; 0 is bit for bit.",
        "- *complete*: the largest difference between the mean of a map plus a constant and the logit, as a share of",
        "  the largest logit.",
        f"- Models of transformers have their default settings, but at most {FEW} layers in each stage.",
        "- *map*: cells of a class map for an image of that size; *stages*: feature maps that refine it.",
    ]
    for framework, names in NAMES.items():
        some = {name: rows[f"{framework}:{name}"] for name in names if f"{framework}:{name}" in rows}
        if not some:
            continue
        attached = sum("error" not in row for row in some.values())
        lines += [
            "",
            f"## {TITLES[framework]}",
            "",
            f"{attached} of {len(some)}.",
            "",
            "| name | maps | logits | complete | image | map | stages |",
            "|---|---|---|---|---|---|---|",
            *(_line(name, row) for name, row in some.items()),
        ]
    return "\n".join(lines) + "\n"


def _line(name: str, row: dict[str, Any]) -> str:
    if "error" in row:
        return f"| {name} | refused: {row['error'].replace('|', '/')} | | | | | |"
    proof = row["proof"]
    complete = "" if proof["completeness"] is None else f"{proof['completeness']:.1e}"
    difference = "0" if proof["bit_for_bit"] else f"{proof['difference']:.1e}"
    size, cells = (" x ".join(map(str, row[key])) for key in ("size", "cells"))
    maps = f"{row['maps']}{', fixed size' if row['fixed_size'] else ''}"
    return f"| {' | '.join((name, maps, difference, complete, size, cells, str(row['stages'])))} |"


def main(prefixes: list[str], missing: bool) -> None:
    """Runs each in a process of its own, and writes the table after each."""
    names = [name for name in every() if not prefixes or name.startswith(tuple(prefixes))]
    if not names:
        sys.exit(f"no such architecture: {', '.join(prefixes)} (expected {', '.join(every())})")
    for framework in ("torch", "torchvision", "timm", "transformers"):  # TensorFlow does not stand a fork
        with suppress(ImportError):
            import_module(framework)
    for name in names:
        if missing and name in _rows():
            continue
        row = _in_a_process(name)
        print(name, row, flush=True)
        rows = _rows() | {name: row}
        rows = {each: rows[each] for each in every() if each in rows}
        write(RESULTS, json.dumps(rows, indent=1) + "\n")
        write(PAGE, page(rows))


def _rows() -> dict[str, dict[str, Any]]:
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else {}


def _in_a_process(name: str) -> dict[str, Any]:
    """The row, from a fork of this process, so that frameworks are imported once and a crash is a row."""
    fork = get_context("fork")
    receiver, sender = fork.Pipe(duplex=False)
    process = fork.Process(target=lambda: sender.send(one(name)))
    process.start()
    sender.close()
    try:
        row: dict[str, Any] = receiver.recv() if receiver.poll(TIMEOUT) else {"error": f"took longer than {TIMEOUT} s"}
    except EOFError:
        process.join()
        row = {"error": f"ended with {process.exitcode}"}
    process.kill()
    process.join()
    return row


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [""])[0].strip()[:160] or type(error).__name__


def write(path: Path, text: str) -> None:
    """Writes a text, whole or not at all."""
    write_whole(path, lambda beside: beside.write_text(text, encoding="utf-8"))


if __name__ == "__main__":
    main([each for each in sys.argv[1:] if each != "--missing"], "--missing" in sys.argv)

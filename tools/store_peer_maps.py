"""Stores what pytorch-grad-cam, torchcam and captum find on a small network: tests/golden/peer_maps.npz.

    .venv-peers/bin/python tools/store_peer_maps.py        (`make bench-peers` makes that environment)

A convolution, ReLU, global average pooling and a linear layer, with random weights. Tests hold the closed forms of
`boxless.maps.cam_methods` to these arrays, so that they need none of the packages.
"""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_grad_cam
import torch
import torchcam.methods
from captum.attr import LayerGradCam
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

FILE = Path(__file__).parent.parent / "tests/golden/peer_maps.npz"
CLASSES = (0, 3)
SIDES = (6, 7)

GRAD_CAM = {
    "gradcam": pytorch_grad_cam.GradCAM,
    "hirescam": pytorch_grad_cam.HiResCAM,
    "xgradcam": pytorch_grad_cam.XGradCAM,
    "layercam": pytorch_grad_cam.LayerCAM,
    "gradcam++": pytorch_grad_cam.GradCAMPlusPlus,
    "ablationcam": pytorch_grad_cam.AblationCAM,
    "eigencam": pytorch_grad_cam.EigenCAM,
}
TORCHCAM = {
    "cam": torchcam.methods.CAM,
    "gradcam": torchcam.methods.GradCAM,
    "xgradcam": torchcam.methods.XGradCAM,
    "layercam": torchcam.methods.LayerCAM,
    "gradcam++": torchcam.methods.GradCAMpp,
}


def network() -> torch.nn.Module:
    """A convolution, ReLU, average pooling, a linear layer: 12 features, 5 classes, all logits positive."""
    torch.manual_seed(0)
    layers = torch.nn.Sequential(
        torch.nn.Conv2d(3, 12, 3, padding=1),
        torch.nn.ReLU(),
        torch.nn.AdaptiveAvgPool2d(1),
        torch.nn.Flatten(),
        torch.nn.Linear(12, 5),
    )
    with torch.no_grad():
        layers[4].weight.mul_(20)  # so that gradients are large beside what keeps denominators from zero
        layers[4].bias.add_(10)
    return layers.eval()


def main() -> None:
    """Runs every method of every package for each class, and stores maps, features and weights."""
    model = network()
    image = torch.randn(1, 3, *SIDES, generator=torch.Generator().manual_seed(1))
    features = model[1](model[0](image)).detach().numpy()[0]
    arrays: dict[str, Any] = {
        "features": features,
        "weight": model[4].weight.detach().numpy(),
        "bias": model[4].bias.detach().numpy(),
        "classes": np.array(CLASSES),
        "logits": model(image).detach().numpy()[0],
    }
    for name, method in GRAD_CAM.items():
        raw, final = [], []
        for index in CLASSES:
            cam, targets = method(model, [model[1]]), [ClassifierOutputTarget(index)]
            final.append(cam(image, targets)[0])
            seen = cam.activations_and_grads
            grads = seen.gradients[0].numpy() if seen.gradients else None
            raw.append(cam.get_cam_image(image, model[1], targets, seen.activations[0].numpy(), grads, False)[0])
        arrays[f"pytorch-grad-cam/{name}/raw"] = np.stack(raw).astype(np.float32)
        arrays[f"pytorch-grad-cam/{name}/final"] = np.stack(final).astype(np.float32)
    for name, method in TORCHCAM.items():
        found = []
        for index in CLASSES:
            options = {"fc_layer": "4"} if name == "cam" else {}
            with method(model, target_layer="1", **options) as extractor:
                found.append(extractor(index, model(image), normalized=False)[0][0].detach().numpy())
        kind = "raw" if name == "cam" else "clipped"  # torchcam clips the others even where it does not scale them
        arrays[f"torchcam/{name}/{kind}"] = np.stack(found).astype(np.float32)
    captum = [LayerGradCam(model, model[1]).attribute(image, target=index)[0, 0] for index in CLASSES]
    arrays["captum/gradcam/raw"] = torch.stack(captum).detach().numpy()
    versions = {name: version(name) for name in ("grad-cam", "torchcam", "captum", "torch")}
    arrays["versions"] = np.array([f"{name} {number}" for name, number in versions.items()])
    FILE.parent.mkdir(exist_ok=True)
    np.savez_compressed(FILE, **arrays)
    print(FILE, f"{FILE.stat().st_size / 1e3:.0f} kB", versions)


if __name__ == "__main__":
    main()

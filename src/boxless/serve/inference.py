"""The Open Inference Protocol, version 2: the graph of a model file as it is, for clients that know the protocol."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from starlette.requests import Request
from starlette.responses import Response

from boxless._version import __version__
from boxless.models.presets import DEFAULT_TOP
from boxless.serve.models import Served
from boxless.serve.options import MOST_CLASSES
from boxless.serve.problems import Problem
from boxless.serve.service import Service, as_json, parsed

_LARGEST_SIDE = 1024
"""Of what the network is made to see, in pixels: memory grows with the fourth power of it."""


@dataclass(frozen=True)
class Tensor:
    """One of a graph's inputs or outputs; -1 in its shape is any number."""

    name: str
    datatype: str
    shape: tuple[int, ...]

    def described(self) -> dict[str, Any]:
        """As the protocol tells it."""
        return {"name": self.name, "datatype": self.datatype, "shape": list(self.shape)}


INPUTS = (
    Tensor("image", "UINT8", (1, -1, -1, 3)),
    Tensor("size", "INT64", (2,)),
    Tensor("classes", "INT64", (-1,)),
    Tensor("top", "INT64", (1,)),
)
OUTPUTS = (  # of which a model may lack some
    Tensor("logits", "FP32", (1, -1)),
    Tensor("chosen", "INT64", (1, -1)),
    Tensor("class_maps", "FP32", (1, -1, -1, -1)),
    Tensor("affinity", "FP32", (1, -1, -1, -1, -1)),
    Tensor("anomaly", "FP32", (1, -1, -1)),
    Tensor("localization_maps", "FP32", (1, -1, -1, -1)),
)
DETECTOR_INPUTS = INPUTS[:2]
DETECTOR_OUTPUTS = (
    OUTPUTS[0],
    Tensor("boxes", "FP32", (1, -1, 4)),
    Tensor("box_scores", "FP32", (1, -1)),
    Tensor("box_classes", "INT64", (1, -1)),
)
_TYPES = {"UINT8": np.uint8, "INT64": np.int64}


def server_metadata() -> dict[str, Any]:
    """What `GET /v2` tells."""
    return {"name": "boxless", "version": __version__, "extensions": []}


def model_metadata(served: Served) -> dict[str, Any]:
    """What `GET /v2/models/{model}` tells."""
    return {
        "name": served.card.name,
        "versions": ["1"],
        "platform": "onnxruntime_onnx",
        "inputs": [tensor.described() for tensor in _inputs(served)],
        "outputs": [tensor.described() for tensor in _outputs(served)],
    }


def _inputs(served: Served) -> tuple[Tensor, ...]:
    return DETECTOR_INPUTS if served.card.detects else INPUTS


def _outputs(served: Served) -> tuple[Tensor, ...]:
    known = DETECTOR_OUTPUTS if served.card.detects else OUTPUTS
    return tuple(tensor for tensor in known if tensor.name in served.network.outputs)


async def infer(service: Service, name: str, request: Request) -> Response:
    """Runs a model's graph once.

    `size`, `classes` and `top` may be left out: what the default preset's first look has, no class, and the default
    number of classes.

    Raises:
        Problem: if the request is refused.
        ClientGone: if the client hangs up.
    """
    served = service.models[name]
    if "inference-header-content-length" in request.headers:
        raise Problem(415, "unknown-media-type", "binary tensors are not read here (expected JSON)")
    body = await service.read(request)
    largest = service.limits.infer_bytes
    return await service.work(request, lambda _: _inferred(served, body, largest))


def _inferred(served: Served, body: bytes, largest: int) -> Response:
    data = parsed(body)
    tensors = _tensors(data.get("inputs"), _inputs(served), largest)
    image = tensors["image"]
    height, width = image.shape[1:3]
    size = tuple(tensors.get("size", np.array(served.card.look_size(served.default.preset.scales[0], height, width))))
    classes, top = tensors.get("classes", np.array([], np.int64)), int(tensors.get("top", [DEFAULT_TOP])[0])
    _check(served, size, classes, top)
    made = _made(served, image[0], (int(size[0]), int(size[1])), classes.tolist(), top)
    answer = {
        "model_name": served.card.name,
        "model_version": "1",
        "id": str(data.get("id", uuid.uuid4())),
        "outputs": [
            {
                "name": tensor.name,
                "datatype": tensor.datatype,
                "shape": [1, *made[tensor.name].shape],
                "data": made[tensor.name].ravel().tolist(),
            }
            for tensor in _outputs(served)
            if tensor.name in _wanted(data.get("outputs"), made)
        ],
    }
    return as_json(answer)


def _made(
    served: Served, pixels: NDArray[np.uint8], size: tuple[int, int], classes: Sequence[int], top: int
) -> dict[str, NDArray[Any]]:
    """The output tensors of one run by name, without their first axis."""
    if served.card.detects:
        found = served.network.detect(pixels, size=size)
        return {
            "logits": found.logits,
            "boxes": found.boxes,
            "box_scores": found.scores,
            "box_classes": found.classes,
        }
    output = served.network.run(pixels, size=size, classes=classes, top=top)
    return {name: getattr(output, name) for name in served.network.outputs}


def _tensors(given: object, expected: Sequence[Tensor], largest: int) -> dict[str, NDArray[Any]]:
    """The input tensors of a request by name."""
    known = {tensor.name: tensor for tensor in expected}
    tensors: dict[str, NDArray[Any]] = {}
    for each in given if isinstance(given, list) else []:
        name = each.get("name") if isinstance(each, dict) else None
        if not isinstance(name, str) or name not in known:
            raise _bad(f"an input that is none of {', '.join(known)}")
        tensors[name] = _tensor(each, known[name], largest)
    if "image" not in tensors:
        raise _bad("no input 'image' (expected UINT8 [1, height, width, 3], RGB)")
    return tensors


def _tensor(given: dict[str, Any], expected: Tensor, largest: int) -> NDArray[Any]:
    name = expected.name
    shape = given["shape"] if isinstance(given.get("shape"), list) else []
    if given.get("datatype") != expected.datatype:
        raise _bad(f"the input '{name}' has the datatype {given.get('datatype')!s:.20} (expected {expected.datatype})")
    fits = (
        len(shape) == len(expected.shape)
        and all(type(side) is int and side >= 0 for side in shape)
        and all(want in (-1, side) for want, side in zip(expected.shape, shape, strict=True))
    )
    if not fits or (name == "image" and 0 in shape):
        raise _bad(
            f"the input '{name}' has the shape {given.get('shape')!s:.60} (expected {list(expected.shape)}, -1 for any)"
        )
    if prod(shape) > largest:
        raise _bad(f"the input '{name}' has the shape {shape!s:.60} (at most {largest:,} values)")
    try:
        flat = np.asarray(given.get("data"), dtype=np.float64).ravel()
    except (TypeError, ValueError, OverflowError):
        raise _bad(f"the data of '{name}' are not numbers") from None
    values = flat.astype(_TYPES[expected.datatype])
    if flat.size != prod(shape) or not np.array_equal(flat, values):
        raise _bad(f"the data of '{name}' do not fit: {flat.size:,} values for {shape}, {expected.datatype}")
    return values.reshape(shape)


def _check(served: Served, size: Sequence[int], classes: NDArray[np.int64], top: int) -> None:
    """Makes sure of what the graph itself would answer with an error of its own, or with much memory."""
    card = served.card
    multiple = card.size_multiple
    if card.fixed_size and tuple(size) != tuple(card.fixed_size):
        raise _bad(f"size is {list(map(int, size))} (this model takes {list(card.fixed_size)} only)")
    if any(side < multiple or side % multiple or side > _LARGEST_SIDE for side in size):
        raise _bad(f"size is {list(map(int, size))} (expected multiples of {multiple}, at most {_LARGEST_SIDE})")
    for each in classes.tolist():
        card.class_index(each)
    if not 0 <= top <= MOST_CLASSES or not 1 <= top + len(classes) <= MOST_CLASSES:
        raise _bad(f"{len(classes)} classes and top {top} (expected 1 to {MOST_CLASSES} together)")


def _wanted(given: object, made: dict[str, Any]) -> set[str]:
    """The names of the outputs that a request asks for; all where it names none."""
    if not given:
        return set(made)
    names: set[str] = set()
    for each in given if isinstance(given, list) else [None]:
        name = each.get("name") if isinstance(each, dict) else None
        if not isinstance(name, str) or name not in made:
            raise _bad(f"no output {name!r:.100} (there are {', '.join(made)})")
        names.add(name)
    return names


def _bad(detail: str) -> Problem:
    return Problem(400, "bad-tensor", detail)

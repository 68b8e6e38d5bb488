"""Writes models with their large weights in memory once: they stay where they are, and are written one by one."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

from boxless.export.assemble import NETWORK_PREFIX
from boxless.export.source import Classifier

_LARGE = 4096


def hollow(tensor: onnx.TensorProto) -> onnx.TensorProto:
    """The tensor, a large one without its numbers: they are moved when the model is whole, so are there once."""
    copy = onnx.TensorProto()
    if np.prod(tensor.dims) <= _LARGE or not tensor.raw_data:
        copy.CopyFrom(tensor)
    else:
        copy.name, copy.data_type, copy.raw_data = tensor.name, tensor.data_type, b""
        copy.dims.extend(tensor.dims)
    return copy


def save_whole(whole: onnx.ModelProto, original: onnx.ModelProto, path: Path) -> None:
    """Writes the model, and behind it one by one the tensors that are hollow in it, with the original's numbers.

    Protobuf messages end to end are one message, their lists joined; so no second copy is held in memory.
    """
    numbers = {f"{NETWORK_PREFIX}{tensor.name}": tensor for tensor in original.graph.initializer}
    empty = [tensor for tensor in whole.graph.initializer if tensor.name in numbers and not _numbers_in(tensor)]
    names = [tensor.name for tensor in empty]
    for tensor in empty:
        whole.graph.initializer.remove(tensor)
    path.write_bytes(whole.SerializeToString())
    with path.open("ab") as file:
        for name in names:
            tensor = numbers[name]
            tensor.name = name
            file.write(onnx.ModelProto(graph=onnx.GraphProto(initializer=[tensor])).SerializeToString())


def _numbers_in(tensor: onnx.TensorProto) -> bool:
    return bool(np.prod(tensor.dims) <= _LARGE or tensor.raw_data or tensor.ByteSize() > np.prod(tensor.dims))


def save_bare(classifier: Classifier, path: Path, tensors: Sequence[str], out: Path) -> None:
    """Writes the classifier with some of its tensors as outputs too."""
    has = {value.name for value in classifier.model.graph.output}
    added = [helper.make_tensor_value_info(each, TensorProto.FLOAT, None) for each in tensors if each not in has]
    more = onnx.ModelProto(graph=onnx.GraphProto(output=added))
    if not classifier.changed:
        # Protobuf messages end to end are one message, their lists joined: nothing is held in memory.
        shutil.copyfile(path, out)
        with out.open("ab") as file:
            file.write(more.SerializeToString())
        return
    classifier.model.graph.output.extend(added)
    onnx.save(classifier.model, out)
    del classifier.model.graph.output[len(has) :]

"""Small classifiers as ONNX graphs, one for each way in which networks end."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper, parser

CHANNELS, CLASSES = 6, 5
FRAME = """
<ir_version: 8, opset_import: ["" : {opset}]>
small (float[N, 3, h, w] x) => (float[N, K] y) {{
    c1 = Conv <strides = [4, 4], pads = [1, 1, 1, 1], kernel_shape = [5, 5]> (x, w1)
    r1 = Relu (c1)
    c2 = Conv <strides = [2, 2], pads = [1, 1, 1, 1], kernel_shape = [3, 3]> (r1, w2)
    r2 = Relu (c2)
    c3 = Conv <strides = [2, 2], pads = [1, 1, 1, 1], kernel_shape = [3, 3]> (r2, w3)
    r3 = Relu (c3)
    c4 = Conv <strides = [2, 2], pads = [1, 1, 1, 1], kernel_shape = [3, 3]> (r3, w4)
    f = Relu (c4)
    {end}
}}
"""
_random = np.random.default_rng(0)


def _noise(*shape: int, scale: float = 0.3) -> np.ndarray:
    return (scale * _random.normal(size=shape)).astype(np.float32)


WEIGHTS = {
    "w1": _noise(4, 3, 5, 5),
    "w2": _noise(5, 4, 3, 3),
    "w3": _noise(6, 5, 3, 3),
    "w4": _noise(CHANNELS, 6, 3, 3),
    "w": _noise(CLASSES, CHANNELS),
    "wt": _noise(CHANNELS, CLASSES),
    "wc": _noise(CLASSES, CHANNELS, 1, 1),
    "b": _noise(CLASSES),
    "big": _noise(CHANNELS * 4, CLASSES),
    "u": _noise(CHANNELS, 8),
    "v": _noise(8, CLASSES),
    "ub": _noise(8),
    "gain8": _noise(8) + np.float32(1),
    "gain": _noise(CHANNELS) + np.float32(1),
    "shift": _noise(CHANNELS),
    "row_gain": _noise(1, CHANNELS) + np.float32(1),
    "row_shift": _noise(1, CHANNELS),
    "mean": _noise(CHANNELS),
    "variance": _noise(CHANNELS) ** 2 + np.float32(0.5),
    "eps": np.array(1e-3, np.float32),
    "three": np.array(3, np.float32),
    "six": np.array(6, np.float32),
    "zero": np.array(0, np.float32),
    "two": np.array(2, np.float32),
    "space": np.array([2, 3], np.int64),
    "last": np.array([1, 2], np.int64),
    "channel": np.array([-1], np.int64),
    "flat": np.array([0, -1], np.int64),
    "row": np.array([3], np.int64),
    "row2": np.array([2], np.int64),
    "first": np.array([0], np.int64),
    "one_axis": np.array([1], np.int64),
    "keep_flat": np.array([0, 0, -1], np.int64),
    "tokens": np.array([0, -1, CHANNELS], np.int64),
    "half": np.array(0.5, np.float32),
    "corner": np.array([2, 3], np.int64),
}

_POOL = "p4 = GlobalAveragePool (f)\n p = Flatten (p4)\n"
_NHWC = "t = Transpose <perm = [0, 2, 3, 1]> (f)\n p = ReduceMean <keepdims = 0> (t, last)\n"
_VIEW = (
    "s = Shape (f)\n n = Gather (s, first)\n to = Concat <axis = 0> (n, channel)\n p4 = GlobalAveragePool (f)\n"
    "p = Reshape (p4, to)\n"
)
_DENSE = "y = Gemm <transB = 1> (p, w, b)"

EXACT = {
    "gemm": _POOL + _DENSE,
    "matmul and add": _POOL + "m = MatMul (p, wt)\n y = Add (m, b)",
    "matmul without bias": _POOL + "y = MatMul (p, wt)",
    "scaled gemm": _POOL + "y = Gemm <alpha = 0.5, beta = 2.0> (p, wt, b)",
    "reshape": "p4 = GlobalAveragePool (f)\n p = Reshape (p4, flat)\n" + _DENSE,
    "squeeze": "p4 = GlobalAveragePool (f)\n p = Squeeze (p4, corner)\n" + _DENSE,
    "reduce mean": "p = ReduceMean <keepdims = 0> (f, space)\n" + _DENSE,
    "identity and dropout": _POOL.replace("p =", "q =") + "i = Identity (q)\n p = Dropout (i)\n" + _DENSE,
    "cast": _POOL.replace("p =", "q =") + "p = Cast <to = 1> (q)\n" + _DENSE,
    "channels last": _NHWC + _DENSE,
    "channels last, kept": _NHWC.replace("keepdims = 0", "keepdims = 1").replace("p =", "q =")
    + "p = Flatten (q)\n"
    + _DENSE,
    "channels last through relu": "t0 = Transpose <perm = [0, 2, 3, 1]> (c4)\n t = Relu (t0)\n"
    "p = ReduceMean <keepdims = 0> (t, last)\n" + _DENSE,
    "1 x 1 convolution behind": "p = GlobalAveragePool (f)\n z = Conv (p, wc, b)\n y = Flatten (z)",
    "network in network": "z = Conv (f, wc, b)\n p = GlobalAveragePool (z)\n y = Flatten (p)",
    "network in network with relu": "z = Conv (f, wc, b)\n a = Relu (z)\n p = GlobalAveragePool (a)\n y = Flatten (p)",
    "batch normalisation": _POOL + "n = BatchNormalization (p, gain, shift, mean, variance)\n"
    "y = Gemm <transB = 1> (n, w, b)",
    "two dense layers": _POOL + "q = MatMul (p, u)\n r = Add (q, ub)\n y = MatMul (r, v)",
    "softmax": _POOL + _DENSE.replace("y =", "l =") + "\n y = Softmax (l)",
    "sigmoid": _POOL + _DENSE.replace("y =", "l =") + "\n y = Sigmoid (l)",
    "log softmax": _POOL + _DENSE.replace("y =", "l =") + "\n y = LogSoftmax (l)",
    "softmax, reshaped": "p = GlobalAveragePool (f)\n z = Conv (p, wc, b)\n s = Softmax <axis = 1> (z)\n"
    "y = Flatten (s)",
    "layer normalisation": _POOL + "n = LayerNormalization (p, gain, shift)\n y = Gemm <transB = 1> (n, w, b)",
    "layer normalisation, spelled out": _POOL + "m = ReduceMean (p, channel)\n d = Sub (p, m)\n s = Mul (d, d)\n"
    "a = ReduceMean (s, channel)\n e = Add (a, eps)\n r = Sqrt (e)\n n = Div (d, r)\n g = Mul (n, gain)\n"
    "h = Add (g, shift)\n y = Gemm <transB = 1> (h, w, b)",
    "layer normalisation, as TensorFlow": _POOL + "m = ReduceMean (p, channel)\n d = Sub (p, m)\n s = Mul (d, d)\n"
    "a = ReduceMean (s, channel)\n e = Add (a, eps)\n r = Sqrt (e)\n i = Reciprocal (r)\n k = Mul (i, gain)\n"
    "g = Mul (p, k)\n mk = Mul (m, k)\n o = Sub (shift, mk)\n h = Add (g, o)\n y = Gemm <transB = 1> (h, w, b)",
    "layer normalisation, as Keras": _NHWC + "m = ReduceMean (p, channel)\n d = Sub (p, m)\n s = Mul (d, d)\n"
    "a = ReduceMean (s, channel)\n e = Add (a, eps)\n r = Sqrt (e)\n i = Reciprocal (r)\n k = Mul (i, row_gain)\n"
    "g = Mul (p, k)\n o = Neg (m)\n mk = Mul (o, k)\n j = Add (mk, row_shift)\n h = Add (g, j)\n"
    "z = MatMul (h, wt)\n y = Add (z, b)",
    "rows, then columns": "r = ReduceMean <keepdims = 0> (f, row)\n p = ReduceMean <keepdims = 0> (r, row2)\n" + _DENSE,
    "flattened, then a mean": "r = Reshape (f, keep_flat)\n p = ReduceMean <keepdims = 0> (r, channel)\n" + _DENSE,
    "a sum over the number of cells": "r = ReduceSum <keepdims = 0> (f, space)\n s = Shape <start = 2> (f)\n"
    "n = ReduceProd <keepdims = 0> (s)\n c = Cast <to = 1> (n)\n p = Div (r, c)\n" + _DENSE,
    "a view with the batch of the shape": "p4 = GlobalAveragePool (f)\n s = Shape (p4)\n n = Gather (s, first)\n"
    "to = Concat <axis = 0> (n, channel)\n p = Reshape (p4, to)\n" + _DENSE,
    "a view with the batch of the feature map": _VIEW + _DENSE,
    "divided by its length": _POOL + "l = ReduceL2 (p, channel)\n c = Clip (l, eps)\n s = Shape (p)\n"
    "e = Expand (c, s)\n n = Div (p, e)\n y = Gemm <transB = 1> (n, w, b)",
    "channels last, a view of tokens": "t = Transpose <perm = [0, 2, 3, 1]> (f)\n r = Reshape (t, tokens)\n"
    "p = ReduceMean <keepdims = 0> (r, one_axis)\n" + _DENSE,
    "weights that are computed": _POOL + "k = Mul (wt, half)\n y = MatMul (p, k)",
    "generalised mean": "e = Clip (f, eps)\n q = Pow (e, three)\n p4 = GlobalAveragePool (q)\n i = Reciprocal (three)\n"
    "g4 = Pow (p4, i)\n p = Flatten (g4)\n" + _DENSE,
    "root of a mean of squares": "q = Pow (f, two)\n p4 = GlobalAveragePool (q)\n g4 = Sqrt (p4)\n p = Flatten (g4)\n"
    + _DENSE,
    "squeeze and excitation before": "q = GlobalAveragePool (f)\n k = Sigmoid (q)\n e = Mul (f, k)\n"
    "p4 = GlobalAveragePool (e)\n p = Flatten (p4)\n" + _DENSE,
}

LINEARISED = {
    "hard-swish": _POOL + "q = MatMul (p, u)\n r = HardSwish (q)\n y = MatMul (r, v)",
    "hard-swish, spelled out": _POOL + "m = MatMul (p, u)\n q = Add (m, ub)\n a = Add (q, three)\n"
    "c = Clip (a, zero, six)\n s = Div (c, six)\n r = Mul (q, s)\n y = MatMul (r, v)",
    "relu": _POOL + "q = MatMul (p, u)\n r = Relu (q)\n y = MatMul (r, v)",
    "square behind pooling": _POOL + "q = Pow (p, two)\n" + "y = Gemm <transB = 1> (q, w, b)",
}

_SPELLED = (
    "m = ReduceMean (p, channel)\n d = Sub (p, m)\n s = Mul (d, d)\n a = ReduceMean (s, channel)\n e = Add (a, eps)\n"
    "r0 = Sqrt (e)\n n0 = Div (d, r0)\n g = Mul (n0, gain)\n n = Add (g, shift)\n"
)
NORMALISED = {
    "tanh, as MaxViT": _POOL + "n = LayerNormalization (p, gain, shift)\n q = MatMul (n, u)\n r = Tanh (q)\n"
    "y = MatMul (r, v)",
    "spelled out, without a layer between": _POOL + _SPELLED + "r = Tanh (n)\n y = MatMul (r, wt)",
    "hard-swish, spelled out": _POOL + _SPELLED + "m2 = MatMul (n, u)\n q = Add (m2, ub)\n a2 = Add (q, three)\n"
    "c = Clip (a2, zero, six)\n s2 = Div (c, six)\n r = Mul (q, s2)\n y = MatMul (r, v)",
    "twice, as CAFormer": _POOL + "n = LayerNormalization (p, gain)\n q = MatMul (n, u)\n q1 = Relu (q)\n"
    "q2 = Mul (q1, q1)\n r = LayerNormalization (q2, gain8)\n y = MatMul (r, v)",
}
"""Behind a layer normalisation, a non-linear layer."""

BATCH_OF_THE_IMAGE = _VIEW.replace("Shape (f)", "Shape (x)") + "q = MatMul (p, u)\n r = Relu (q)\n y = MatMul (r, v)"

REFUSED = {
    "flattened": ("p = Flatten (f)\n y = MatMul (p, big)", "flattened into fully connected layers"),
    "no pooling": ("z = Conv (f, wc, b)\n y = ReduceMax <keepdims = 0> (z, space)", "maximum pooling"),
    "maximum": ("p4 = GlobalMaxPool (f)\n p = Flatten (p4)\n" + _DENSE, "--allow-max-pool"),
    "attention": (
        "t = Transpose <perm = [0, 2, 3, 1]> (f)\n q = ReduceSum <keepdims = 0> (t, last)\n s = Softmax (q)\n"
        "y0 = MatMul (s, wt)\n a = ReduceMax <keepdims = 0> (f, space)\n a2 = MatMul (a, wt)\n y = Add (y0, a2)",
        "attention",
    ),
    "what is not elementwise": (_POOL + "q = CumSum (p, one)\n" + _DENSE.replace("(p,", "(q,"), "stands CumSum"),
    "a bend at the end": (_POOL + _DENSE.replace("y =", "l =") + "\n y = Relu (l)", "behind Relu"),
}


def classifier(end: str, *, opset: int = 18, **weights: np.ndarray) -> onnx.ModelProto:
    """A network of four convolutions, stride 32, that ends so."""
    model = parser.parse_model(FRAME.format(opset=opset, end=end))
    values = {**WEIGHTS, "one": np.array(1, np.int64), **weights}
    used = {name for node in model.graph.node for name in node.input}
    model.graph.initializer.extend(
        numpy_helper.from_array(value, name) for name, value in values.items() if name in used
    )
    return model


def saved(model: onnx.ModelProto, folder: Path, name: str = "small") -> Path:
    """Its file."""
    path = folder / f"{name}.onnx"
    onnx.save(model, path)
    return path

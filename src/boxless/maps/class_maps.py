"""The maths of class maps, in NumPy: the reference that the graph inside a model file is held to.

Averaging and a linear layer commute. For features F (C, h, w), weights W (K, C) and bias b (K,):

    logits = W @ mean_xy(F) + b = mean_xy(W @ F) + b

so `W @ F` (K, h, w) holds one *class map* per class, and the mean of a class map plus its bias is the logit.
Zhou et al., "Learning Deep Features for Discriminative Localization", CVPR 2016, equations 1 and 2.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def class_maps(features: Floats, weight: Floats) -> Floats:
    """The class maps of an image.

    Args:
        features: (C, h, w), the last spatial output of the network.
        weight: (k, C), the rows of the linear layer of the wanted classes.

    Returns:
        (k, h, w), in units of logits.

    Example:
        >>> features = np.array([[[1.0, 0.0]], [[0.0, 2.0]]], np.float32)  # C = 2, h = 1, w = 2
        >>> class_maps(features, np.array([[1.0, 3.0]], np.float32)).tolist()
        [[[1.0, 6.0]]]
    """
    return np.asarray(np.tensordot(weight, features, axes=(1, 0)), dtype=np.float32)


def logits(features: Floats, weight: Floats, bias: Floats) -> Floats:
    """Logits by global average pooling and the linear layer.

    Args:
        features: (C, h, w), the last spatial output of the network.
        weight: (k, C), the rows of the linear layer of the wanted classes.
        bias: (k,), of the same classes.

    Returns:
        (k,), the mean of each class map plus the class's bias.

    Example:
        >>> features = np.array([[[1.0, 0.0]], [[0.0, 2.0]]], np.float32)
        >>> logits(features, np.array([[1.0, 3.0]], np.float32), np.array([0.5], np.float32)).tolist()
        [4.0]
    """
    return np.asarray(weight @ features.mean(axis=(1, 2)) + bias, dtype=np.float32)


def probabilities(logits: Floats, activation: Literal["softmax", "sigmoid", "none"]) -> Floats:
    """Probabilities from logits.

    Args:
        logits: (..., K).
        activation: "softmax" for one class an image, "sigmoid" for any number of them, "none" where the logits are
            probabilities already; they are clipped.

    Returns:
        (..., K) in [0, 1]; they sum to one with softmax.

    Example:
        >>> probabilities(np.array([0.0, 0.0], np.float32), "softmax").tolist()
        [0.5, 0.5]
    """
    if activation == "none":
        return np.asarray(np.clip(logits, 0.0, 1.0), dtype=np.float32)
    if activation == "sigmoid":
        # Below -80 a probability is 0 to 34 digits, and beyond -88 the exponential overflows.
        return np.asarray(1.0 / (1.0 + np.exp(-np.maximum(logits, -80.0))), dtype=np.float32)
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=-1, keepdims=True), dtype=np.float32)


def normalise(maps: Floats) -> Floats:
    """Maps as score maps: clipped at zero, divided by their maximum, so in [0, 1].

    A map without a positive value comes back as zeros: it is never stretched to pretend that there is something.
    (Stretching from minimum to maximum, the usual way, shows an object in every image.)

    Args:
        maps: (..., h, w).

    Returns:
        (..., h, w) in [0, 1].

    Example:
        >>> normalise(np.array([[-1.0, 2.0, 4.0]], np.float32)).tolist()
        [[0.0, 0.5, 1.0]]
    """
    positive = np.maximum(maps, 0.0)
    peak = positive.max(axis=(-2, -1), keepdims=True)
    return np.asarray(positive / np.where(peak > 0, peak, 1.0), dtype=np.float32)

"""The family of class activation maps on a network that ends in global average pooling and a linear layer.

There the gradient of a logit by a feature is the same at all n = h * w positions,

    d logit_k / d F[c, y, x] = W[k, c] / n

so what its authors' programs find with a backward pass, or with a thousand forward passes, is a formula. Score-CAM
is not among them: it masks the image with each of the C features and asks the whole network C times.

Every function takes

- features (C, h, w), the last spatial output of the network,
- weight (k, C) and bias (k,), the rows of the linear layer of the wanted classes,

and gives maps (k, h, w) as the method's paper has them before it clips at zero and scales.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from boxless.maps.class_maps import class_maps, logits

Floats = NDArray[np.float32]
Method = Callable[[Floats, Floats, Floats], Floats]


def cam(features: Floats, weight: Floats, bias: Floats) -> Floats:
    """CAM: W @ F.

    Zhou et al., "Learning Deep Features for Discriminative Localization", CVPR 2016, equation 2.

    Args:
        features: (C, h, w), the last spatial output of the network.
        weight: (k, C), the rows of the linear layer of the wanted classes.
        bias: (k,), of the same classes; unused here.

    Returns:
        (k, h, w), in logits.

    Example:
        >>> features = np.array([[[1.0, 0.0]], [[0.0, 2.0]]], np.float32)
        >>> cam(features, np.array([[1.0, -1.0]], np.float32), np.zeros(1, np.float32)).tolist()
        [[[1.0, -2.0]]]
    """
    return class_maps(features, weight)


def grad_cam(features: Floats, weight: Floats, bias: Floats) -> Floats:
    """Grad-CAM, HiResCAM and XGrad-CAM: all three are CAM / n here.

    Grad-CAM (Selvaraju et al., ICCV 2017, equations 1 and 2) weights features by their mean gradients; HiResCAM
    (Draelos and Carin, arXiv 2011.08891, equation 4) multiplies them position by position; XGrad-CAM (Fu et al., BMVC
    2020, equation 8) weights each position by its share of the feature, and the shares sum to one.

    Args:
        features, weight, bias: as for `cam`.

    Returns:
        (k, h, w), before it is clipped at zero.

    Example:
        >>> features = np.array([[[1.0, 0.0]], [[0.0, 2.0]]], np.float32)
        >>> grad_cam(features, np.array([[1.0, -1.0]], np.float32), np.zeros(1, np.float32)).tolist()
        [[[0.5, -1.0]]]
    """
    return cam(features, weight, bias) / np.float32(features[0].size)


def layer_cam(features: Floats, weight: Floats, bias: Floats) -> Floats:
    """LayerCAM: features times their positive gradients, which is CAM / n without negative weights.

    Jiang et al., TIP 2021, equation 7.

    Args:
        features, weight, bias: as for `cam`.

    Returns:
        (k, h, w).

    Example:
        >>> features = np.array([[[1.0, 0.0]], [[0.0, 2.0]]], np.float32)
        >>> layer_cam(features, np.array([[1.0, -1.0]], np.float32), np.zeros(1, np.float32)).tolist()
        [[[0.5, 0.0]]]
    """
    return grad_cam(features, np.maximum(weight, 0.0), bias)


def grad_cam_plus_plus(features: Floats, weight: Floats, bias: Floats) -> Floats:
    """Grad-CAM++: features weighted by alpha times their positive gradients.

    Chattopadhay et al., WACV 2018, equation 19, with g = W / n and S the sum of a feature:

        alpha = g^2 / (2 g^2 + S g^3),   weights = sum over positions of alpha * max(g, 0)

    A denominator is kept from zero with 1e-6, as in pytorch-grad-cam; since gradients of an average are small,
    that shows.

    Args:
        features, weight, bias: as for `cam`.

    Returns:
        (k, h, w).

    Example:
        >>> features = np.array([[[1.0, 0.0]], [[0.0, 2.0]]], np.float32)
        >>> (grad_cam_plus_plus(features, np.array([[1.0, -1.0]], np.float32), np.zeros(1, np.float32)) > 0).tolist()
        [[[True, False]]]
    """  # fmt: skip
    places = features[0].size
    gradient = weight / np.float32(places)
    total = features.sum(axis=(1, 2))
    alpha = gradient**2 / (2 * gradient**2 + total * gradient**3 + 1e-6)
    return cam(features, places * alpha * np.maximum(gradient, 0.0), bias)


def ablation_cam(features: Floats, weight: Floats, bias: Floats) -> Floats:
    """Ablation-CAM: features weighted by the share of the logit that is lost without them.

    Desai and Ramaswamy, WACV 2020, equation 1. Without feature c the logit is lower by W[k, c] * mean(F[c]), so no
    pass is needed for each of the C.

    Args:
        features, weight: as for `cam`.
        bias: (k,), of the same classes.

    Returns:
        (k, h, w).

    Example:
        >>> features = np.array([[[1.0, 0.0]], [[0.0, 2.0]]], np.float32)
        >>> ablation_cam(features, np.array([[1.0, 0.5]], np.float32), np.zeros(1, np.float32)).tolist()
        [[[0.5, 1.0]]]
    """
    lost = weight * features.mean(axis=(1, 2))
    return cam(features, lost / logits(features, weight, bias)[:, None], bias)


def eigen_cam(features: Floats, weight: Floats, bias: Floats) -> Floats:
    """The features' first principal component over positions, the same for each class.

    Muhammad and Yeasin, "Eigen-CAM", IJCNN 2020, centred as in pytorch-grad-cam. A principal component has no
    sign of its own: here it is the one that grows with the sum of all features; elsewhere it is what the linear
    algebra library happens to give.

    Args:
        features, weight, bias: as for `cam`; of `weight` only the number of classes counts.

    Returns:
        (k, h, w), the same map k times.

    Example:
        >>> features = np.array([[[1.0, 0.0]], [[0.0, 2.0]]], np.float32)
        >>> (eigen_cam(features, np.array([[1.0, 0.5]], np.float32), np.zeros(1, np.float32)) > 0).tolist()
        [[[False, True]]]
    """
    flat = features.reshape(len(features), -1).T.astype(np.float64)  # (n, C)
    centred = flat - flat.mean(axis=0)
    # The n x n products have the same first component as the C x C ones, and n is smaller.
    values, vectors = np.linalg.eigh(centred @ centred.T)
    component = vectors[:, -1] * np.sqrt(max(float(values[-1]), 0.0))
    sign = -1.0 if component @ flat.sum(axis=1) < 0 else 1.0
    one = (sign * component).astype(np.float32).reshape(1, *features.shape[1:])
    return np.repeat(one, len(weight), axis=0)


METHODS: dict[str, Method] = {
    "cam": cam,
    "gradcam": grad_cam,
    "hirescam": grad_cam,
    "xgradcam": grad_cam,
    "layercam": layer_cam,
    "gradcam++": grad_cam_plus_plus,
    "ablationcam": ablation_cam,
    "eigencam": eigen_cam,
}
"""By the name under which `boxless evaluate --method` takes them."""

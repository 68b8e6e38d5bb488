"""What the papers report, to stand beside what is measured. Percent everywhere."""

from __future__ import annotations

NIN = "Lin, Chen and Yan, *Network in Network*, [arXiv 1312.4400](https://arxiv.org/abs/1312.4400)"

NIN_TEST_ERROR = {"gap": 10.41, "fc_dropout": 10.88, "fc": 11.59}
"""CIFAR-10 without augmentation, by head: tables 1 and 5."""

CAM = (
    "Zhou, Khosla, Lapedriza, Oliva and Torralba, *Learning Deep Features for Discriminative Localization*, CVPR 2016, "
    "[arXiv 1512.04150](https://arxiv.org/abs/1512.04150)"
)

CAM_LOCALIZATION_ERROR = {"gap": 56.40, "gmp": 57.78}
"""ILSVRC validation, top-1 localization error of GoogLeNet-GAP and GoogLeNet-GMP: table 2."""

"""Options of detector training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from boxless.errors import TrainingError, UnknownNetworkError
from boxless.learning.detector.input_size import DEFAULT_SIZE
from boxless.networks.detector import detector
from boxless.networks.detector_backbones import BACKBONES, STRIDES

_SHOWN = 30_000
"""Images of 256 pixels shown in the first round by default: the whole training then takes an hour on two cores."""

_FEWEST, _MOST = 4, 40


@dataclass(frozen=True)
class DetectorOptions:
    """Options of detector training.

    Attributes:
        backbone: of `boxless.networks.detector_backbones.BACKBONES`.
        size: the input side, in pixels; None chooses it from the pseudo-boxes, see
            `boxless.learning.detector.input_size.input_size_for`.
        width: factor on the numbers of filters of darknet19.
        rounds: the most training rounds: the first on class maps, later ones on the detector's own boxes.
        epochs: epochs of the first round; later rounds have half as many. None shows as many pixels in the first
            round as 30,000 images of 256 pixels have, in 4 to 40 epochs.
        batch: images per step.
        rate: the peak learning rate; later rounds have half of it.
        seed: the random seed.
    """

    backbone: str = "efficientnet_lite0"
    size: int | None = None
    width: float = 1.0
    rounds: int = 3
    epochs: int | None = None
    batch: int = 8
    rate: float = 1e-3
    seed: int = 0

    def __post_init__(self) -> None:
        if self.backbone not in BACKBONES:
            raise UnknownNetworkError(f"no backbone '{self.backbone}' (expected {' or '.join(BACKBONES)})")
        last = STRIDES[-1]
        if self.size is not None and (self.size % last or self.size < 2 * last):
            near = max(2, round(self.size / last)) * last
            raise TrainingError(f"size {self.size} (expected a multiple of {last}, such as {near})")
        if not 0 < self.width <= 4:
            raise TrainingError(f"width {self.width:g} (expected a factor such as 0.5, up to 4)")
        if self.width != 1 and self.backbone != "darknet19":
            raise TrainingError(f"{self.backbone} has no width (leave it out, or take darknet19)")
        if self.rounds < 1:
            raise TrainingError(f"rounds {self.rounds} (expected 1 or more)")

    def epochs_of(self, number: int, images: int, size: int) -> int:
        """The epochs of a training round.

        Args:
            number: of the round, from 1.
            images: how many images are learned from.
            size: their input side, in pixels.

        Returns:
            `epochs`, or what shows the pixels of about 30,000 images of 256 pixels; half of it in later rounds.
        """
        first = self.epochs
        if first is None:
            shown = _SHOWN * (DEFAULT_SIZE / size) ** 2
            first = min(_MOST, max(_FEWEST, round(shown / max(1, images))))
        return first if number == 1 else max(1, first // 2)

    def network(self, classes: int) -> Any:  # noqa: ANN401
        """The untrained detector, with pretrained weights of its backbone if there are any.

        Args:
            classes: how many.

        Returns:
            A Keras model.
        """
        return detector(self.backbone, classes, width=self.width)

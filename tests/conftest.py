"""What tests share: where images are, and one opened localizer."""

from __future__ import annotations

import gc
import os
import signal
import warnings
from collections.abc import Iterator
from pathlib import Path

import onnxruntime
import pytest
from hypothesis import settings

from boxless import Box, Localization, Localizer, Prediction
from boxless.models.zoo import DEFAULT_MODEL

ROOT = Path(__file__).parent.parent

# A shell's jobs in the background ignore Ctrl-C, and so would the programs that tests start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("any machine", deadline=None)  # a busy one is no failure
settings.load_profile("any machine")


@pytest.fixture(scope="session", autouse=True)
def _patient_threads() -> Iterator[None]:
    """Where workers of pytest-xdist share the cores, threads of ONNX Runtime that wait leave them to others."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        yield
        return

    class Patient(onnxruntime.SessionOptions):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.add_session_config_entry("session.intra_op.allow_spinning", "0")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(onnxruntime, "SessionOptions", Patient)
        yield


@pytest.fixture(scope="session")
def images() -> Path:
    """The folder of the images that the repository ships."""
    return ROOT / "examples/pictures"


@pytest.fixture(scope="session")
def coffee(images: Path) -> Path:
    """An image of one espresso."""
    return images / "coffee.jpg"


@pytest.fixture(scope="session")
def localizer() -> Localizer:
    """The embedded model in float32, which gives the same on every processor."""
    return Localizer(DEFAULT_MODEL, threads=1)


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real images with boxes; tests that need it are skipped where it is missing."""
    folder = Path(os.environ.get("BOXLESS_DATA", ROOT.parent / "shared/data"))
    if not folder.is_dir():
        pytest.skip(f"no real images to test on: {folder} is missing (set BOXLESS_DATA)")
    return folder


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    """A Ray cluster of two cores on this machine; its tests belong to the xdist group "ray"."""
    ray = pytest.importorskip("ray", reason="needs the extra ray")
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    try:
        ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    except Exception as error:
        pytest.skip(f"no Ray cluster can be started here: {error}")
    yield
    ray.shutdown()
    with warnings.catch_warnings():  # Ray does not wait for the processes that it stops
        warnings.simplefilter("ignore")
        gc.collect()


@pytest.fixture(scope="session")
def four_boxes() -> Localization:
    """Four boxes of two classes."""

    def prediction(label: str, index: int, *scores: float) -> Prediction:
        some = tuple(Box(10 * index, k, 10 * index + 5, k + 3, score) for k, score in enumerate(scores))
        return Prediction(label, index, scores[0], 9.0, True, some, None, 40, 40)

    predictions = (prediction("cat", 2, 0.9, 0.5, 0.2), prediction("dog", 1, 0.6))
    return Localization("a.jpg", 40, 40, "m", "p", predictions, "a.jpg", 10.0)

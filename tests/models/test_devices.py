from __future__ import annotations

import numpy as np
import onnxruntime as ort
import pytest

from boxless import Localizer, ModelFile, ModelFileError
from boxless.models.devices import PROVIDERS, Device, available, providers


def test_the_processor_is_always_there() -> None:
    assert available()["cpu"]
    assert providers("cpu") == ["CPUExecutionProvider"]
    assert ModelFile("efficientnet-lite0", device="cpu").device == "cpu"


def test_cuda_computes_in_full_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ort, "get_available_providers", lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"])
    assert providers("cuda") == [("CUDAExecutionProvider", {"use_tf32": "0"}), "CPUExecutionProvider"]


def test_the_refusal_says_what_there_is_and_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ort, "get_available_providers", lambda: ["CPUExecutionProvider", "CoreMLExecutionProvider"])
    with pytest.raises(
        ModelFileError, match=r" has cpu, coreml only: .* install onnxruntime-gpu \(in the place of onnxruntime\)$"
    ):
        providers("cuda")


def test_an_unknown_device_is_refused() -> None:
    with pytest.raises(ModelFileError, match=r"no device 'tpu' \(expected cpu, cuda, openvino, coreml, directml\)"):
        Localizer(device="tpu")


@pytest.mark.parametrize("device", [name for name in PROVIDERS if name != "cpu"])
def test_each_device(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a list of providers in the place of ONNX Runtime's own."""
    monkeypatch.setattr(ort, "get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(
        ModelFileError, match=f"the device {device} needs {PROVIDERS[device].package}, .* cpu only: .*pip"
    ):
        ModelFile("efficientnet-lite0", device=device)
    name = PROVIDERS[device].name
    monkeypatch.setattr(ort, "get_available_providers", lambda: [name, "CPUExecutionProvider"])
    first, last = providers(device)
    assert (first if isinstance(first, str) else first[0]) == name
    assert last == "CPUExecutionProvider"
    # It is on the list, and this machine has none: ONNX Runtime would take the processor without a word.
    monkeypatch.setattr(ort, "InferenceSession", lambda path, options, providers: Session())
    with pytest.raises(ModelFileError, match=f"has {device}, but cannot use it here .* in this machine\\?\\)$"):
        ModelFile("efficientnet-lite0", device=device)


def test_a_session_gets_the_providers_and_on_the_processor_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[object, bool]] = []

    def session(path: object, options: ort.SessionOptions, providers: object) -> Session:
        try:
            bounded = options.get_session_config_entry("session.use_env_allocators") == "1"
        except RuntimeError:  # there is no such entry
            bounded = False
        asked.append((providers, bounded))
        return Session()

    monkeypatch.setattr(ort, "get_available_providers", lambda: ["CoreMLExecutionProvider", "CPUExecutionProvider"])
    monkeypatch.setattr(ort, "InferenceSession", session)
    with pytest.raises(ModelFileError, match="cannot use it here"):
        ModelFile("efficientnet-lite0", device="coreml")
    with pytest.raises(AttributeError):  # the stand-in has no metadata
        ModelFile("efficientnet-lite0", device="cpu")
    assert asked == [
        (["CoreMLExecutionProvider", "CPUExecutionProvider"], False),
        (["CPUExecutionProvider"], True),
    ]


class Session:
    def get_providers(self) -> list[str]:
        return ["CPUExecutionProvider"]


@pytest.mark.skipif(
    "OpenVINOExecutionProvider" not in ort.get_available_providers(), reason="needs onnxruntime-openvino"
)
def test_openvino_agrees_with_the_processor() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (224, 224, 3), np.uint8)
    said = [ModelFile("efficientnet-lite0", device=each).run(pixels, size=(224, 224)) for each in ("cpu", "openvino")]
    assert said[1].logits == pytest.approx(said[0].logits, abs=2e-3 * float(np.abs(said[0].logits).max()))
    assert said[1].class_maps == pytest.approx(said[0].class_maps, abs=2e-3 * float(np.abs(said[0].class_maps).max()))


def test_a_model_on_a_device_is_pickled_with_it() -> None:
    assert ModelFile("efficientnet-lite0").__reduce__()[1][2] == "cpu"


def test_a_device_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOXLESS_DEVICE", "tpu")
    with pytest.raises(ModelFileError, match="no device 'tpu'"):
        ModelFile("efficientnet-lite0")
    assert ModelFile("efficientnet-lite0", device="cpu").device == "cpu"

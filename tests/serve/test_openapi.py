"""The OpenAPI document keeps its word: Schemathesis makes requests of it, and checks the answers against it."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from tests.serve.running import LIMITS, Running, running

schemathesis = pytest.importorskip("schemathesis", reason="no Schemathesis: pip install schemathesis")

from hypothesis import HealthCheck, given, settings, strategies  # noqa: E402
from schemathesis import GenerationMode  # noqa: E402
from schemathesis.config import SchemathesisConfig  # noqa: E402

ROOT = Path(__file__).parent.parent.parent
COFFEE = (ROOT / "examples/pictures/coffee.jpg").read_bytes()

# What a schema cannot say: which bytes are an image. The rest is made of the document alone.
schemathesis.openapi.media_type("image/*", strategies.just(COFFEE))
schemathesis.openapi.format("binary", strategies.just(COFFEE))
schemathesis.openapi.format("byte", strategies.just(base64.b64encode(COFFEE).decode()))


CONFIG = {
    "checks": {
        # A class that no model has is refused with 422, and no schema lists a thousand labels.
        "positive_data_acceptance": {"expected-statuses": ["2xx", 404, 422]},
    }
}


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_answers_are_as_described(mode: GenerationMode) -> None:
    with running(LIMITS, preset="fast") as service:
        address = f"http://127.0.0.1:{service.port}/openapi.json"
        schema = schemathesis.openapi.from_url(address, config=SchemathesisConfig.from_dict(CONFIG))
        operations = [each.ok() for each in schema.get_all_operations()]
        assert len(operations) == 6
        for operation in operations:
            if mode is GenerationMode.NEGATIVE and not operation.path.startswith("/v1/locate"):
                continue  # nothing can be said wrongly

            @settings(max_examples=12, deadline=None, database=None, derandomize=True,
                      suppress_health_check=list(HealthCheck))  # fmt: skip
            @given(case=operation.as_strategy(generation_mode=mode))
            def check(case: Any) -> None:  # noqa: ANN401
                case.call_and_validate()

            check()


def test_types_are_said(service: Running) -> None:
    paths = service.ask("/openapi.json").json["paths"]
    assert list(paths["/metrics"]["get"]["responses"]["200"]["content"]) == ["text/plain"]
    options = {each["name"]: each["schema"] for each in paths["/v1/locate"]["post"]["parameters"]}
    assert options["model"]["enum"] == [each["name"] for each in service.ask("/v1/models").json["models"]]
    assert "200" in paths["/v1/models"]["get"]["responses"]
    for path, methods in paths.items():
        for method in methods.values():
            assert method["responses"]["200"]["content"], path


def test_every_field_of_an_answer_is_described(service: Running) -> None:
    paths = service.ask("/openapi.json").json["paths"]

    def described(path: str, method: str) -> Any:  # noqa: ANN401
        return paths[path][method]["responses"]["200"]["content"]["application/json"]["schema"]["properties"]

    model = described("/v1/models", "get")["models"]["items"]["properties"]
    assert model.keys() == service.ask("/v1/models").json["models"][0].keys()
    assert set(model["activation"]["enum"]) == {"softmax", "sigmoid", "none"}
    located = described("/v1/locate", "post")
    answer = service.ask("/v1/locate?preset=fast&maps=true", COFFEE).json
    assert located.keys() == answer.keys()
    assert located["predictions"]["items"]["properties"].keys() == answer["predictions"][0].keys()

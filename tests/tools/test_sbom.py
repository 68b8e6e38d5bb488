"""The bill of materials of a release."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("cyclonedx", reason="needs the extra release")

from cyclonedx.exception import MissingOptionalDependencyException
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from tools.sbom import bill

from boxless.models import zoo


@pytest.fixture(scope="module")
def text() -> str:
    return str(JsonV1Dot6(bill(1_700_000_000)).output_as_string(indent=2))


def test_it_is_valid_and_the_same_again(text: str) -> None:
    assert text == JsonV1Dot6(bill(1_700_000_000)).output_as_string(indent=2)
    try:
        problem = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    except MissingOptionalDependencyException:
        pytest.skip("needs the packages of cyclonedx-python-lib[json-validation]")
    assert problem is None


def test_it_names_what_the_wheel_holds_of_others_with_licences_and_checksums(text: str) -> None:
    parts = {each["name"]: each for each in json.loads(text)["components"]}
    shipped = {*zoo.models(), "Noto Sans", "inferno"}
    assert shipped == {name for name, each in parts.items() if "hashes" in each}
    assert {"numpy", "onnxruntime", "pillow"} <= parts.keys()
    unlicensed = [name for name, each in parts.items() if not each.get("licenses")]
    assert not unlicensed

"""What is in a release and what it needs, as a CycloneDX bill of materials: python -m tools.sbom FILE."""

from __future__ import annotations

import hashlib
import os
import sys
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import Distribution, distribution
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement

from boxless import ModelFile, __version__
from boxless.imaging.fonts import OWN
from boxless.models import zoo
from boxless.serve.alone import WEB

CLASSIFIERS = {
    "License :: OSI Approved :: Apache Software License": "Apache-2.0",
    "License :: OSI Approved :: BSD License": "BSD-3-Clause",
    "License :: OSI Approved :: ISC License (ISCL)": "ISC",
    "License :: OSI Approved :: MIT License": "MIT",
}
"""What packages say that name no SPDX expression."""


def bill(epoch: int) -> Bom:
    """Of boxless as it is installed here: what its wheel holds of others, and every package that it needs to locate.

    Args:
        epoch: of the release, in seconds; the same sources and packages give the same bytes.
    """
    made = Bom()
    made.metadata.timestamp = datetime.fromtimestamp(epoch, UTC)
    boxless = Component(
        name="boxless",
        version=__version__,
        bom_ref="boxless",
        licenses=[LicenseFactory().make_from_string("Apache-2.0 AND OFL-1.1")],
        purl=PackageURL("pypi", name="boxless", version=__version__),
    )
    made.metadata.component = boxless
    parts = {each.name: each for each in [*_shipped(), *map(_package, _needed("boxless"))]}
    made.components.update(parts.values())
    made.register_dependency(boxless, parts.values())
    text = repr(sorted((each.name, each.version) for each in parts.values()))
    made.serial_number = uuid.uuid5(uuid.NAMESPACE_URL, f"boxless {__version__} {epoch} {text}")
    return made


def _shipped() -> Iterator[Component]:
    """What the wheel holds of others: weights, the font, colours."""
    licences = LicenseFactory()
    for name, path in zoo.models().items():
        card = ModelFile(name).card
        yield Component(
            name=name,
            bom_ref=name,
            type=ComponentType.MACHINE_LEARNING_MODEL,
            description=card.source,
            licenses=[licences.make_from_string(card.licence)],
            hashes=[_hash(path)],
        )
    yield Component(
        name="Noto Sans",
        bom_ref="Noto Sans",
        version="2.004",
        type=ComponentType.FILE,
        description="a part of the font; see NOTICE",
        licenses=[licences.make_from_string("OFL-1.1")],
        hashes=[_hash(OWN)],
    )
    yield Component(
        name="inferno",
        bom_ref="inferno",
        type=ComponentType.DATA,
        description="the colours of heat in the page; see NOTICE",
        licenses=[licences.make_from_string("CC0-1.0")],
        hashes=[_hash(WEB / "inferno.js")],
    )


def _hash(path: Path) -> HashType:
    return HashType(alg=HashAlgorithm.SHA_256, content=hashlib.sha256(path.read_bytes()).hexdigest())


def _needed(package: str) -> list[Distribution]:
    """Every package that one needs without extras, and what those need, as installed here, by name."""
    found: dict[str, Distribution] = {}
    open_ends = [package]
    while open_ends:
        for text in distribution(open_ends.pop()).requires or ():
            need = Requirement(text)
            name = need.name.lower().replace("_", "-")
            if name not in found and (need.marker is None or need.marker.evaluate({"extra": ""})):
                found[name] = distribution(name)
                open_ends.append(name)
    return [found[name] for name in sorted(found)]


def _package(package: Distribution) -> Component:
    about = package.metadata
    told = [*(about.get_all("License-Expression") or ())]
    told += [CLASSIFIERS[each] for each in about.get_all("Classifier") or () if each in CLASSIFIERS]
    told += about.get_all("License") or ()
    said = next(iter(told), None)
    return Component(
        name=about["Name"],
        bom_ref=about["Name"],
        version=package.version,
        description=next(iter(about.get_all("Summary") or ()), None),
        licenses=[LicenseFactory().make_from_string(said)] if said else [],
        purl=PackageURL("pypi", name=about["Name"].lower(), version=package.version),
    )


def main(file: Path) -> None:
    """Writes it; SOURCE_DATE_EPOCH is the release's time."""
    text = JsonV1Dot6(bill(int(os.environ["SOURCE_DATE_EPOCH"]))).output_as_string(indent=2)
    file.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

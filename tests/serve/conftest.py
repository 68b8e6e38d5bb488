"""One running service for the tests that leave it as it is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.importorskip("fastapi", reason="no service without FastAPI: pip install 'boxless[serve]'")

from tests.serve.running import Running, running


@pytest.fixture(scope="session")
def service() -> Iterator[Running]:
    with running() as started:
        yield started

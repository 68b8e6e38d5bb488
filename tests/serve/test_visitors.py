"""Who may ask: strangers' pages reach a service of this machine under other names, or from elsewhere."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from benchmarks.page import served
from tests.serve.browsing import PATIENCE
from tests.serve.running import Running, running

from boxless.serve.guard import allowed_hosts

if TYPE_CHECKING:
    from playwright.sync_api import Page


@pytest.fixture(scope="module")
def named() -> Iterator[Running]:
    """A service that answers to one more name."""
    with running(allow_hosts=["Box.Example"]) as started:
        yield started


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:1", "[::1]:8000", "LOCALHOST.", "box.example:443"])
def test_its_own_names_are_answered(named: Running, host: str) -> None:
    assert named.ask("/v1/models", host=host).status == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "localhost.evil.example", "127.0.0.1.evil", "[", ""]
)
@pytest.mark.parametrize("path", ["/v1/models", "/", "/metrics", "/nowhere"])
def test_a_rebound_name_reads_nothing(named: Running, host: str, path: str) -> None:
    answer = named.ask(path, host=host)
    assert (answer.status, answer.kind) == (421, "unknown-host")
    assert "--allow-host" in answer.json["detail"]


def test_health_checks_know_no_name(named: Running) -> None:
    assert named.ask("/health/ready", host="10.1.2.3").status == 200


def test_a_request_without_a_host(service: Running) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=10)
    connection._http_vsn, connection._http_vsn_str = 10, "HTTP/1.0"  # type: ignore[attr-defined]
    connection.putrequest("GET", "/v1/models", skip_host=True)
    connection.endheaders()
    assert connection.getresponse().status == 421
    connection.close()


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://["},
        {"origin": "http://localhost:3000"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site", "origin": "http://other.example"},
    ],
    ids=str,
)
def test_other_sites_pages_run_nothing(named: Running, coffee: Path, headers: dict[str, str]) -> None:
    answer = named.ask("/v1/locate?preset=fast", coffee.read_bytes(), host="box.example", **headers)
    assert (answer.status, answer.kind) == (403, "foreign-origin")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "https://box.example"},
        {"sec_fetch_site": "same-origin", "origin": "https://behind-a-proxy.example"},
        {"sec_fetch_site": "none"},
    ],
    ids=str,
)
def test_programs_and_its_own_page_may_ask(named: Running, coffee: Path, headers: dict[str, str]) -> None:
    assert named.ask("/v1/locate?preset=fast", coffee.read_bytes(), host="box.example", **headers).status == 200


def test_other_machines_call_it_by_any_name() -> None:
    assert allowed_hosts([], bound="0.0.0.0", loopback=False) is None
    names = allowed_hosts(["box.example"], bound="0.0.0.0", loopback=False)
    assert names == frozenset(["box.example", "localhost", "127.0.0.1", "::1", "0.0.0.0"])


def test_a_form_on_a_strangers_page(page: Page, service: Running, tmp_path: Path) -> None:
    """What was possible: a form needs no leave to be sent anywhere, and its answer costs as much."""
    address = f"http://127.0.0.1:{service.port}/v1/locate"
    (tmp_path / "index.html").write_text(
        f'<form method="post" action="{address}" enctype="multipart/form-data"><input name="image" value="x">'
        "<button>Win a prize</button></form>"
    )
    before = service.counter('boxless_refusals_total{kind="foreign-origin"}')
    page.set_default_timeout(PATIENCE)
    with served(tmp_path) as stranger:
        page.goto(stranger.replace("127.0.0.1", "localhost"))
        with page.expect_response(address) as answered:
            page.get_by_role("button").click()
        assert answered.value.status == 403
    assert service.counter('boxless_refusals_total{kind="foreign-origin"}') == before + 1

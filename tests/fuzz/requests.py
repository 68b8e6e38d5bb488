"""Requests to a service, of which the bytes are damaged, or the JSON in their body."""

from __future__ import annotations

import base64
import io
import json
import re
import socket
import threading
from contextlib import suppress
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from boxless.models.zoo import DEFAULT_MODEL
from boxless.serve import problems
from boxless.serve.guard import allowed_hosts
from boxless.serve.limits import Limits
from boxless.serve.models import Models
from boxless.serve.server import Server, listen
from boxless.serve.service import Service

_LIMITS = Limits(
    workers=1, body_bytes=1_000_000, max_pixels=1_000_000, head_seconds=0.1, body_seconds=0.1, write_seconds=2
)
_SECONDS = 100.0
"""For which a connection waits: on a busy machine longer than an attempt may take, which `run` measures."""

_REFUSALS = (501, 503, 505)
"""Answers from 500 on that are no faults: what is not supported, and what comes too fast."""


def seeds(folder: Path) -> list[tuple[Path, Path]]:
    """A request of each kind as it goes over the wire; and bodies of JSON, which `attempt` puts behind a right head."""
    pixels = np.random.default_rng(0).integers(0, 255, (24, 36, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    image = file.getvalue()
    text = base64.b64encode(image).decode()
    form = b"".join(
        b'--limit\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n' % part
        for part in ((b"top", b"", b"2"), (b"image", b'; filename="a.png"\r\nContent-Type: image/png', image))
    )
    form += b"--limit--\r\n"
    asked: dict[str, bytes] = {
        "page": _request("GET", "/"),
        "head": _request("HEAD", "/"),
        "models": _request("GET", "/v1/models"),
        "labels": _request("GET", f"/v1/models/{DEFAULT_MODEL}/labels"),
        "openapi": _request("GET", "/openapi.json"),
        "metrics": _request("GET", "/metrics"),
        "ready": _request("GET", "/health/ready"),
        "locate": _request("POST", "/v1/locate?preset=fast&top=2&class=espresso", image, "image/png"),
        "drawn": _request("POST", "/v1/locate?preset=fast&maps=true", image, "image/png", "Accept: image/jpeg"),
        "form": _request("POST", "/v1/locate?preset=fast", form, "multipart/form-data; boundary=limit"),
        "chunked": _request("POST", "/v1/locate?preset=fast", None, "image/png", "Transfer-Encoding: chunked")
        + b"%x\r\n%s\r\n0\r\n\r\n" % (len(image), image),
    }
    found = []
    for name, content in asked.items():
        (folder / f"{name}.http").write_bytes(content)
        found.append((folder, folder / f"{name}.http"))
    bodies = {
        "plain": {"image": text, "preset": "fast"},
        "options": {"image": text, "preset": "fast", "top": 2, "class": ["espresso", 3], "min_probability": 0.1,
                    "include_absent": True, "nms": 0.5, "maps": True, "model": DEFAULT_MODEL},
    }  # fmt: skip
    for name, body in bodies.items():
        (folder / f"{name}.json").write_text(json.dumps(body), encoding="utf-8")
        found.append((folder, folder / f"{name}.json"))
    return found


def attempt(root: Path, file: Path) -> None:
    """Sends it; what comes back is an answer, or the connection is closed."""
    content = file.read_bytes()
    if file.suffix == ".json":
        content = _request("POST", "/v1/locate", content, "application/json")
    answer = _answer(content)
    if not answer:
        return  # it was closed, as it may be to what is no request
    head, _, body = answer.partition(b"\r\n\r\n")
    status = int(head.split(b" ", 2)[1])
    assert status < 500 or status in _REFUSALS, f"{status}: {body[:500]!r}"
    length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
    if b"application/json" in head.lower() and status == 200 and length and body:
        json.loads(body[: int(length[1])], parse_constant=_no_json)  # behind it may be the answer to what came behind


def _no_json(name: str) -> None:
    raise AssertionError(f"{name} in JSON")


def _request(method: str, path: str, body: bytes | None = b"", kind: str = "", *headers: str) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "Connection: close", *headers]
    lines += [f"Content-Type: {kind}"] if kind else []
    lines += [f"Content-Length: {len(body)}"] if body else []
    return "\r\n".join([*lines, "", ""]).encode() + (body or b"")


def _answer(content: bytes) -> bytes:
    """All that the service says before it closes the connection."""
    parts = []
    with socket.create_connection(("127.0.0.1", _port()), timeout=_SECONDS) as client, suppress(ConnectionError):
        client.sendall(content)
        while part := client.recv(65_536):
            parts.append(part)
    return b"".join(parts)


@cache
def _port() -> int:
    """Of a service that lives as long as this process. It waits for nobody long: many damaged requests make it wait."""
    problems._LINGER_SECONDS = 0.05
    listening = listen("127.0.0.1", 0)
    server = Server(
        Service(Models([DEFAULT_MODEL], None, _LIMITS.max_pixels), _LIMITS),
        None,
        allowed_hosts((), bound="127.0.0.1", loopback=True),
    )
    server.config.timeout_keep_alive = 0.05  # type: ignore[assignment]
    threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True).start()
    return int(listening.getsockname()[1])

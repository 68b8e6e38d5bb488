"""A service that runs while a test does, and a client of a few lines."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from boxless.models.zoo import DEFAULT_MODEL
from boxless.serve.folder import Folder
from boxless.serve.guard import allowed_hosts
from boxless.serve.limits import Limits
from boxless.serve.models import Models
from boxless.serve.server import Server, listen
from boxless.serve.service import Service

LIMITS = Limits(workers=2)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401
        return json.loads(self.body)

    @property
    def kind(self) -> str:
        """Of the problem; and every refusal is to be a whole problem document."""
        assert self.headers["content-type"] == "application/problem+json", self.body
        document = self.json
        assert document["status"] == self.status
        assert document["title"] and document["detail"]
        return str(document["type"]).removeprefix("urn:boxless:problem:")


@dataclass(frozen=True)
class Running:
    port: int
    service: Service

    def ask(self, path: str, body: bytes | None = None, method: str | None = None, **headers: str) -> Answer:
        """Asks once; headers are named as Python names them: content_type."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method or ("GET" if body is None else "POST"), path, body, named)
            got = connection.getresponse()
            return Answer(got.status, {name.lower(): value for name, value in got.getheaders()}, got.read())
        finally:
            connection.close()

    def counter(self, line: str) -> float:
        """A line of /metrics, by its beginning; 0 if there is none."""
        lines = self.ask("/metrics").body.decode().splitlines()
        return next((float(each.rpartition(" ")[2]) for each in lines if each.startswith(line)), 0.0)


@contextmanager
def running(
    limits: Limits = LIMITS,
    token: str | None = None,
    preset: str | None = None,
    models: Sequence[str] = (DEFAULT_MODEL,),
    allow_hosts: Sequence[str] = (),
    folder: Path | None = None,
) -> Iterator[Running]:
    """A service of models at a free port of the loopback."""
    opened = Models(models, preset, limits.max_pixels)
    service = Service(opened, limits, None if folder is None else Folder(folder, opened))
    listening = listen("127.0.0.1", 0)
    server = Server(service, token, allowed_hosts(allow_hosts, bound="127.0.0.1", loopback=True))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield Running(listening.getsockname()[1], service)
    finally:
        server.should_exit = True
        thread.join(30)
        assert not thread.is_alive(), "the service does not stop"
        listening.close()


def form(content: bytes, filename: str = "picture.jpg", field: str = "image", **fields: str) -> dict[str, Any]:
    """A body of multipart/form-data and its type, for `ask`."""
    boundary = "limit-of-a-part"
    parts = [f'--{boundary}\r\nContent-Disposition: form-data; name="{name.rstrip("_")}"\r\n\r\n{value}\r\n'.encode()
             for name, value in fields.items()]  # fmt: skip
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"; filename="{filename}"\r\n'
    parts.append(head.encode() + b"Content-Type: image/jpeg\r\n\r\n" + content + b"\r\n")
    body = b"".join(parts) + f"--{boundary}--\r\n".encode()
    return {"body": body, "content_type": f"multipart/form-data; boundary={boundary}"}

"""Runs a service: a socket of its own, one process, a graceful stop."""

from __future__ import annotations

import errno
import ipaddress
import logging
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

import uvicorn

from boxless.errors import ServeError
from boxless.serve.app import application
from boxless.serve.connection import connection_class
from boxless.serve.folder import Folder
from boxless.serve.guard import allowed_hosts
from boxless.serve.limits import Limits
from boxless.serve.models import Models
from boxless.serve.service import Service
from boxless.system.text import printable


def serve(
    models: Sequence[str],
    *,
    preset: str | None = None,
    host: str,
    port: int,
    token: str | None,
    limits: Limits,
    allow_hosts: Sequence[str] = (),
    folder: Path | None = None,
) -> None:
    """Serves models until the process is asked to stop (SIGINT, SIGTERM); running requests are finished first.

    Args:
        models: names or paths; the first is used where a request names none.
        preset: used where a request names none; each model's default where None.
        host: the address to listen at; one that is not the loopback's is warned of where there is no token.
        port: 0 for any that is free.
        token: that requests have to bear; None where anybody may ask.
        limits: of requests.
        allow_hosts: names that requests may call the service by, besides this machine's own; see
            `boxless.serve.guard.allowed_hosts`.
        folder: of images on this machine that the page shows, located in the background; None for none.

    Raises:
        ImageError: if there are no images in the folder.
        ModelFileError, UnknownPresetError: for models and preset.
        ServeError: if the address cannot be had.

    Example:
        >>> from boxless.serve import Limits, serve
        >>> serve(["mine.onnx"], host="127.0.0.1", port=8000, token=None, limits=Limits())  # doctest: +SKIP
    """
    with listen(host, port) as listening:
        opened = Models(models, preset, limits.max_pixels)
        service = Service(opened, limits, None if folder is None else Folder(folder, opened))
        _configure_log()
        address, bound = listening.getsockname()[:2]
        shown = f"[{address}]" if ":" in address else address
        names = printable(", ".join(each["name"] for each in service.models.described()))
        loopback = ipaddress.ip_address(address.partition("%")[0]).is_loopback
        hosts = allowed_hosts(allow_hosts, bound=address, loopback=loopback)
        if token is None and not loopback:
            sys.stderr.write(
                f"warning: {address} can be reached from other machines, and there is no token: anybody may ask. "
                "Set one: BOXLESS_TOKEN=...\n"
            )
        sys.stderr.write(f"boxless serves {printable(names)} at http://{shown}:{bound}  (stop it with Ctrl-C)\n")
        if service.folder is not None:
            sys.stderr.write(f"It shows {len(service.folder)} images of {printable(str(folder))}.\n")
        sys.stderr.flush()
        Server(service, token, hosts).run(sockets=[listening])


class Server(uvicorn.Server):
    """Answers requests until it is asked to stop."""

    def __init__(self, service: Service, token: str | None = None, hosts: frozenset[str] | None = None) -> None:
        config = uvicorn.Config(
            application(service, token, hosts),
            http=connection_class(service.limits),
            ws="none",
            lifespan="off",
            access_log=False,
            log_level="warning",
            log_config=None,
            server_header=False,
            timeout_graceful_shutdown=int(service.limits.stop_seconds),
        )
        super().__init__(config)
        self._service = service

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Says that no more requests are taken, then lets uvicorn end those under way."""
        self._service.ready = False
        super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Ends the requests under way, then the workers."""
        await super().shutdown(sockets)
        self._service.workers.stop()
        if self._service.folder is not None:
            self._service.folder.stop()


def listen(host: str, port: int) -> socket.socket:
    """A socket that waits for connections; ServeError, with what to do, if the address cannot be had."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise ServeError(f"--host {host}: {error.strerror or error} (expected an address of this machine)") from None
    listening = socket.socket(family, kind, protocol)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(address)
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise ServeError(_why_not(error, host, port)) from None
    return listening


def _why_not(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"port {port} of {host} is taken by another program; take another one: boxless serve --port {port + 1} "
            "(or --port 0 for any that is free)"
        )
    if error.errno == errno.EACCES:
        return f"port {port} of {host} is not for ordinary users (expected one from 1024): boxless serve --port 8000"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{host} is no address of this machine; for this machine alone: 127.0.0.1, for all of its own: 0.0.0.0"
    return f"{host}:{port} cannot be listened at ({error.strerror or error})"


def _configure_log() -> None:
    """Sends warnings and errors to standard error, one line each, tracebacks indented under theirs."""
    handler = logging.StreamHandler()
    handler.setFormatter(PlainFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])


class PlainFormatter(logging.Formatter):
    r"""Formats records so that a line that is not indented is a record of the service's own.

    Paths, labels and file names may hold line breaks and escape sequences, and reach the log in messages and in
    tracebacks. Whatever is not printable is written as Python would: `\n`, `\x1b`.
    """

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name is logging's
        """The line of a record."""
        return printable(super().formatMessage(record))

    def formatException(self, ei: object) -> str:  # noqa: N802
        """A traceback, each line indented."""
        text = super().formatException(ei)  # type: ignore[arg-type]
        return "\n".join("    " + printable(line) for line in text.split("\n"))

    def formatStack(self, stack_info: str) -> str:  # noqa: N802
        """A stack, each line indented."""
        return "\n".join("    " + printable(line) for line in stack_info.split("\n"))

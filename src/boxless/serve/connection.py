"""One connection, with an end to every wait: uvicorn's own, and the timers that it lacks."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from boxless.serve.limits import Limits
from boxless.serve.problems import MEDIA_TYPE, Problem

_KERNEL_BUFFER = 256 * 1024
"""Bytes of an answer that the kernel keeps for a reader. What it lets go of tells that somebody reads; by itself it
keeps megabytes, of which a slow reader takes nothing visible for minutes."""


def connection_class(limits: Limits) -> type[asyncio.Protocol]:
    """The protocol for `uvicorn.Config(http=...)`: a class, since uvicorn makes the connections."""

    class Connection(_Connection):
        limits_of_service = limits

    return Connection


class _Connection(H11Protocol):
    """Ends a connection that sends no request, or takes no answer, for too long. uvicorn waits for both for ever."""

    limits_of_service = Limits()

    def __init__(self, *arguments: Any, **named: Any) -> None:  # noqa: ANN401
        super().__init__(*arguments, **named)
        self._head_timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Takes the connection, unless there are too many."""
        super().connection_made(transport)
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _KERNEL_BUFFER)
        if len(self.connections) > self.limits_of_service.connections:
            self._refuse(
                Problem(503, "too-many-connections", f"{len(self.connections)} connections are open; try again",
                        {"Retry-After": "1"})
            )  # fmt: skip
            return
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stops the timers."""
        super().connection_lost(exc)
        for timer in (self._head_timer, self._write_timer):
            if timer is not None:
                timer.cancel()

    def data_received(self, data: bytes) -> None:
        """Takes bytes; what is no whole head yet has to become one before long."""
        super().data_received(data)
        if self._between_requests():
            self._wait_for_head()
        elif self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def on_response_complete(self) -> None:
        """Goes on to the next request."""
        super().on_response_complete()
        if self.conn.trailing_data[0] and self._between_requests():
            self._wait_for_head()

    def send_400_response(self, msg: str) -> None:
        """Refuses what is no HTTP."""
        self._refuse(Problem(400, "broken-request", msg.rstrip(".")))

    def timeout_keep_alive_handler(self) -> None:
        """Closes an idle connection, and cuts it off if the last answer is never taken."""
        super().timeout_keep_alive_handler()
        if self._write_timer is None:
            self._wait_for_reader()

    def pause_writing(self) -> None:
        """The client takes nothing at the moment."""
        super().pause_writing()
        self._wait_for_reader()

    def resume_writing(self) -> None:
        """It does again."""
        super().resume_writing()
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

    def _wait_for_reader(self) -> None:
        self._write_timer = self.loop.call_later(
            self.limits_of_service.write_seconds, self._reader_is_slow, self.transport.get_write_buffer_size()
        )

    def _reader_is_slow(self, left_before: int) -> None:
        """Cuts off who takes nothing; who keeps reading, however slowly, has as long again."""
        if self.transport.get_write_buffer_size() < left_before:
            self._wait_for_reader()
        else:
            self.transport.abort()

    def _between_requests(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _wait_for_head(self) -> None:
        if self._head_timer is None and not self.transport.is_closing():
            self._head_timer = self.loop.call_later(self.limits_of_service.head_seconds, self._head_is_late)

    def _head_is_late(self) -> None:
        self._head_timer = None
        if self._between_requests() and not self.transport.is_closing():
            seconds = self.limits_of_service.head_seconds
            self._refuse(Problem(408, "too-slow", f"no whole request within {seconds:g} s"))

    def _refuse(self, problem: Problem) -> None:
        """Answers beside the application, and closes."""
        body = json.dumps(problem.document()).encode()
        head = [f"HTTP/1.1 {problem.status} {problem.document()['title']}", f"content-type: {MEDIA_TYPE}",
                f"content-length: {len(body)}", "connection: close",
                *(f"{name}: {value}" for name, value in problem.headers.items())]  # fmt: skip
        self.transport.write("\r\n".join(head).encode() + b"\r\n\r\n" + body)
        self.transport.close()

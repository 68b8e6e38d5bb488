"""What one request may take, so that none of them takes everything."""

from __future__ import annotations

from dataclasses import dataclass, field

from boxless.system.cores import usable_cores


@dataclass(frozen=True)
class Limits:
    """The limits of a service.

    Attributes:
        workers: images worked on at a time, one a core.
        queue: images that may wait for a worker; more are refused.
        readings: bodies that may arrive at a time; with `body_bytes` it bounds the memory that bodies take.
        connections: open ones, busy or idle.
        body_bytes: of a request's body.
        max_pixels: of an image; larger ones are refused before they are decoded.
        large_bytes: an image that takes more than this once decoded (pixels x channels x bytes a sample) is large. One
            large image is decoded at a time, so decoded images take at most the largest one plus
            `(workers - 1) * large_bytes`.
        large_queue: large images that may wait; more are refused, so that they never fill the queue.
        drawn_pixels: of an answer that is an image; larger images are answered smaller.
        head_seconds: within which a connection has to send a request's head.
        body_seconds: within which a body has to arrive, and one more for each `body_rate` bytes of it.
        body_rate: bytes a second; slower clients are cut off.
        answer_seconds: from a body's last byte to the answer.
        write_seconds: for which a client may take nothing of its answer.
        stop_seconds: that running requests have when the service is asked to stop.
    """

    workers: int = field(default_factory=usable_cores)
    queue: int = 64
    readings: int = 32
    connections: int = 512
    body_bytes: int = 32_000_000
    max_pixels: int = 64_000_000
    large_bytes: int = 96_000_000
    large_queue: int = 8
    drawn_pixels: int = 12_000_000
    head_seconds: float = 10.0
    body_seconds: float = 10.0
    body_rate: int = 50_000
    answer_seconds: float = 60.0
    write_seconds: float = 30.0
    stop_seconds: float = 20.0

"""Metrics of a service, for Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from boxless._version import __version__
from boxless.serve.workers import Workers

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """The metrics of one service, in their own registry."""

    def __init__(self, workers: Workers) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter("boxless_requests", "Answered requests.", ("route", "status"), registry=self._registry)
        self.refusals = Counter(
            "boxless_refusals", "Refused requests, by the kind of problem.", ("kind",), registry=self._registry
        )
        self.gone = Counter(
            "boxless_clients_gone", "Clients that hung up before their answer.", registry=self._registry
        )
        self.seconds = Histogram(
            "boxless_stage_seconds", "Seconds of requests to locate, by stage: read, wait, locate, encode.", ("stage",),
            buckets=_SECONDS, registry=self._registry,
        )  # fmt: skip
        Gauge("boxless_info", "Which boxless.", ("version",), registry=self._registry).labels(__version__).set(1)
        queue = Gauge("boxless_images_waiting", "Images that wait for a worker.", registry=self._registry)
        queue.set_function(lambda: workers.waiting)
        running = Gauge("boxless_images_running", "Images that are worked on.", registry=self._registry)
        running.set_function(lambda: workers.running)

    def text(self) -> bytes:
        """All of them, in Prometheus's text format."""
        return generate_latest(self._registry)

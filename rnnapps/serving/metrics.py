"""What the server counts, for Prometheus; requests under the names that TensorFlow Serving gives them."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from rnnapps.serving.registry import Registry

__all__ = ["Metrics"]

_MICROSECONDS = tuple(100 * 2**power for power in range(20))
_ROWS = tuple(2**power for power in range(13))


class Metrics:
    """All counters of one server."""

    def __init__(self) -> None:
        self._all = CollectorRegistry()
        # TensorFlow Serving's counter has no suffix `_total`, which the library would give to one of its own.
        self._requests = Gauge(
            ":tensorflow:serving:request_count",
            "Requests by model and status.",
            ["model_name", "status"],
            registry=self._all,
        )
        self._latency = Histogram(
            ":tensorflow:serving:request_latency",
            "Microseconds of a request.",
            ["model_name", "API", "entrypoint"],
            buckets=_MICROSECONDS,
            registry=self._all,
        )
        self._batches = Histogram(
            "rnnapps_batch_rows", "Rows that ran together.", ["model_name"], buckets=_ROWS, registry=self._all
        )
        self._waiting = Gauge("rnnapps_waiting_rows", "Rows that wait for a run.", ["model_name"], registry=self._all)
        self._available = Gauge(
            "rnnapps_version_available", "1 where a version answers.", ["model_name", "version"], registry=self._all
        )
        self._sessions = Gauge("rnnapps_stream_sessions", "Sessions of streams that are kept.", registry=self._all)
        name, text = "rnnapps_process_deaths", "Processes of models that ended by themselves."
        self._deaths = Counter(name, text, ["model_name"], registry=self._all)

    def observe_request(self, model: str, status: str, *, seconds: float, entrypoint: str) -> None:
        """Counts a request; `model` is empty where it named none that exists."""
        self._requests.labels(model, status).inc()
        self._latency.labels(model, "Predict", entrypoint).observe(1e6 * seconds)

    def observe_batch(self, model: str, rows: int) -> None:
        """Counts a run."""
        self._batches.labels(model).observe(rows)

    def observe_death(self, model: str) -> None:
        """Counts a process that ended by itself."""
        self._deaths.labels(model).inc()

    def render(self, registry: Registry, sessions: int) -> bytes:
        """The page that Prometheus reads."""
        self._waiting.clear()
        self._available.clear()
        for version in registry:
            model, number = version.place.model, str(version.place.number)
            self._waiting.labels(model).inc(version.waiting_rows)
            self._available.labels(model, number).set(version.state == "AVAILABLE")
        self._sessions.set(sessions)
        page: bytes = generate_latest(self._all)
        return page

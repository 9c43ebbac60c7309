"""What REST and gRPC have in common: admission, time, the model, the answer, and what is counted of it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from rnnapps.serving.metrics import Metrics
from rnnapps.serving.options import ServeOptions
from rnnapps.serving.refusal import Code, Refusal
from rnnapps.serving.registry import Registry
from rnnapps.serving.served_signature import ServedSignature
from rnnapps.serving.served_version import ServedVersion
from rnnapps.types import Arrays

__all__ = ["Service", "Target"]

LOG = logging.getLogger("rnnapps.serving")


@dataclass(frozen=True)
class Target:
    """Whom a request asks.

    Attributes:
        model: name of the model.
        version: its version; None for the newest.
        label: of a version, instead.
    """

    model: str
    version: int | None = None
    label: str = ""


class Service:
    """Answers requests.

    Args:
        registry: the models.
        options: limits.
        metrics: what is counted.
    """

    def __init__(self, registry: Registry, options: ServeOptions, metrics: Metrics) -> None:
        self.registry, self.options, self.metrics = registry, options, metrics
        self.draining = False
        self._running = 0

    @asynccontextmanager
    async def request(self, model: str, entrypoint: str, *, limited: bool = True) -> AsyncIterator[None]:
        """Lets a request in, stops it when its time is over, and counts it.

        Args:
            model: the name that it asks for.
            entrypoint: REST, GRPC or Stream.
            limited: whether it counts among the requests of which there may be so many; streams have their own limit.

        Raises:
            Refusal: the server is full or stopping, the time is over, or whatever the request itself raises.
        """
        started, status = time.monotonic(), "OK"
        try:
            self._let_in(limited)
            self._running += limited
            try:
                async with asyncio.timeout(self.options.request_seconds):
                    yield
            except TimeoutError:
                message = f"took longer than {self.options.request_seconds:g} s; ask for less, or for fewer rows"
                raise Refusal(Code.DEADLINE_EXCEEDED, message) from None
            finally:
                self._running -= limited
        except Refusal as refusal:
            status = refusal.code.grpc
            raise
        except asyncio.CancelledError:
            status = "CANCELLED"
            raise
        except Exception:
            status = "INTERNAL"
            raise
        finally:
            self._count(model, status, entrypoint, time.monotonic() - started)

    def find(self, target: Target) -> ServedVersion:
        """The version that is asked; raises Refusal if there is none."""
        return self.registry.find(target.model, target.version, target.label)

    async def answer(self, version: ServedVersion, signature: ServedSignature, inputs: Arrays) -> Arrays:
        """Checks the inputs against the signature and the limits, and runs them.

        Raises:
            Refusal: they do not fit, or cannot be answered now.
        """
        rows = signature.rows(inputs)
        if rows > self.options.rows:
            message = f"{rows} rows found, at most {self.options.rows} in a request expected; send several requests"
            raise Refusal(Code.INVALID_ARGUMENT, message)
        return await version.ask(signature, inputs)

    def _let_in(self, limited: bool) -> None:
        if self.draining:
            raise Refusal(Code.UNAVAILABLE, "the server is being stopped", retry_seconds=1)
        if limited and self._running >= self.options.requests:
            message = f"{self._running} requests are being answered already; try again later"
            raise Refusal(Code.RESOURCE_EXHAUSTED, message, retry_seconds=1)

    def _count(self, model: str, status: str, entrypoint: str, seconds: float) -> None:
        known = model if model in self.registry.models else ""
        self.metrics.observe_request(known, status, seconds=seconds, entrypoint=entrypoint)
        if self.options.log_requests:
            told = {"model": known, "status": status, "entrypoint": entrypoint, "milliseconds": round(1e3 * seconds, 2)}
            LOG.info("request", extra=told)

"""What stands between the socket and the model, without either."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from rnnapps.serving.predictions import Predictions
from rnnapps.serving.refusal import Code, Refusal
from rnnapps.serving.served_signature import ServedSignature, TensorKind
from rnnapps.types import Arrays

KIND = TensorKind(np.dtype(np.int32), (None,))
SIGNATURE = ServedSignature("serving_default", {"value": KIND}, {"twice": KIND})
PREDICT = "/v1/models/toy/versions/3:predict"


class Service:
    """Doubles numbers, but 13."""

    options = SimpleNamespace(body_mib=1)

    def __init__(self) -> None:
        self.asked: list[Any] = []

    @asynccontextmanager
    async def request(self, model: str, entrypoint: str) -> AsyncIterator[None]:
        assert (model, entrypoint) == ("toy", "REST")
        yield

    def find(self, target: Any) -> Any:
        self.asked.append(target)
        return SimpleNamespace(signature=lambda name: SIGNATURE)

    async def answer(self, version: Any, signature: ServedSignature, inputs: Arrays) -> Arrays:
        if (inputs["value"] == 13).any():
            raise Refusal(Code.RESOURCE_EXHAUSTED, "thirteen", retry_seconds=7)
        return {"twice": 2 * inputs["value"]}


def asked(
    messages: list[Any], *, method: str = "POST", path: str = PREDICT, headers: Any = ()
) -> tuple[list[Any], Any]:
    """What is sent to who says these messages, and the service."""
    sent: list[Any] = []
    service = Service()

    async def other(scope: Any, receive: Any, send: Any) -> None:
        await send(f"other {scope['path']}")

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path, "raw_path": path.encode(), "headers": list(headers)}
    asyncio.run(Predictions(other, service)(scope, receive, send))  # type: ignore[arg-type]
    return sent, service


def body(*parts: bytes) -> list[Any]:
    more = [True] * (len(parts) - 1) + [False]
    return [{"type": "http.request", "body": part, "more_body": on} for part, on in zip(parts, more, strict=True)]


def test_a_body_of_several_parts_is_one() -> None:
    (head, answer), service = asked(body(b'{"instances": ', b"[1, 2", b"1]}"))
    assert head["status"] == 200 and json.loads(answer["body"]) == {"predictions": [2, 42]}
    assert dict(head["headers"]) == {
        b"content-type": b"application/json",
        b"content-length": str(len(answer["body"])).encode(),
    }
    assert (service.asked[0].model, service.asked[0].version) == ("toy", 3)


def test_a_refusal_says_when_to_come_again() -> None:
    (head, answer), _ = asked(body(b'{"inputs": [13]}'))
    assert head["status"] == 429 and json.loads(answer["body"]) == {"error": "thirteen"}
    assert dict(head["headers"])[b"retry-after"] == b"7"


def test_nobody_is_answered_who_has_left() -> None:
    sent, service = asked([*body(b'{"inputs": [1', b"]}")[:1], {"type": "http.disconnect"}])
    assert not sent and not service.asked


@pytest.mark.parametrize("declared", [True, False])
def test_a_large_body_is_refused_before_it_is_read_to_its_end(declared: bool) -> None:
    parts = body(*[b" " * 2**19] * 4)
    messages = list(parts)
    (head, _), _ = asked(messages, headers=[(b"content-length", b"2097152")] if declared else [])
    assert head["status"] == 413
    assert len(messages) == (4 if declared else 1)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", PREDICT),
        ("POST", "/v1/models/toy:classify"),
        ("POST", "/v1/models/toy"),
        ("POST", "/v1/models/a/b:predict"),
    ],
)
def test_whatever_else_is_asked_goes_on(method: str, path: str) -> None:
    sent, service = asked([], method=method, path=path)
    assert sent == [f"other {path}"] and not service.asked

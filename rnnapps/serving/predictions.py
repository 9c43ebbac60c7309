"""Predict over REST: what is asked most goes straight from the socket to the model.

A web framework's layers around each request take as long as reading it, batching it and writing its answer together.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from starlette.types import ASGIApp, Receive, Scope, Send

from rnnapps.serving.json_answers import answer_body, error_body
from rnnapps.serving.json_requests import parse_request
from rnnapps.serving.refusal import Code, Refusal
from rnnapps.serving.service import Service, Target

__all__ = ["MODEL_PATH", "Predictions", "path_of", "refusal_headers", "target_of"]

MODEL_PATH = r"/v1/models/(?P<model>[^/:]+)(?:/versions/(?P<version>\d{1,18})|/labels/(?P<label>[^/:]+))?"
"""How a path names a model, and a version of it by number or label."""

_PREDICT = re.compile(MODEL_PATH + ":predict", re.IGNORECASE)
_LARGE = 1024**2
"""Bytes of a body that is read by another thread, so that other requests go on."""


class Predictions:
    """Answers requests to predict, and hands everything else on.

    Args:
        app: whatever else the server answers.
        service: knows the models.
    """

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app, self._service = app, service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        asked = scope["type"] == "http" and scope["method"] == "POST" and _PREDICT.fullmatch(path_of(scope))
        if not asked:
            await self._app(scope, receive, send)
            return
        headers, status = [(b"content-type", b"application/json")], 200
        try:
            body = await self._answered(scope, receive, target_of(asked))
        except Refusal as refusal:
            body, status = error_body(refusal.message), refusal.code.value
            headers += [(name.lower().encode(), value.encode()) for name, value in refusal_headers(refusal).items()]
        except _Gone:
            return
        headers.append((b"content-length", b"%d" % len(body)))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _answered(self, scope: Scope, receive: Receive, target: Target) -> bytes:
        service = self._service
        async with service.request(target.model, "REST"):
            body = await _read(scope, receive, service.options.body_mib << 20)
            version = service.find(target)
            parsed = await _maybe_elsewhere(len(body) > _LARGE, parse_request, body, version.signature)
            outputs = await service.answer(version, parsed.signature, parsed.inputs)
            large = sum(array.size for array in outputs.values()) > _LARGE // 8
            written: bytes = await _maybe_elsewhere(large, answer_body, outputs, parsed.layout)
            return written


class _Gone(Exception):
    """The client has left before it had asked."""


def path_of(scope: Scope) -> str:
    """The path as it was asked, with what is escaped in it."""
    path: str = scope.get("raw_path", scope["path"].encode()).decode(errors="replace")
    return path


def target_of(match: re.Match[str]) -> Target:
    """Whom a path names."""
    version = match["version"]
    return Target(unquote(match["model"]), int(version) if version else None, unquote(match["label"] or ""))


def refusal_headers(refusal: Refusal) -> dict[str, str]:
    """What the head of an answer tells of a refusal."""
    return {"Retry-After": str(refusal.retry_seconds)} if refusal.retry_seconds else {}


async def _maybe_elsewhere(elsewhere: bool, function: Callable[..., Any], *arguments: Any) -> Any:
    """Calls a function, in another thread where it would take long."""
    return await asyncio.to_thread(function, *arguments) if elsewhere else function(*arguments)


async def _read(scope: Scope, receive: Receive, most: int) -> bytes:
    """The body, up to so many bytes; raises Refusal for more."""
    too_large = Refusal(Code.TOO_LARGE, f"the body is larger than {most >> 20} MiB; send several requests")
    declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    if declared.isdigit() and int(declared) > most:
        raise too_large
    parts, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Gone
        part = message.get("body", b"")
        size += len(part)
        if size > most:
            raise too_large
        parts.append(part)
        more = message.get("more_body", False)
    return b"".join(parts)

"""Streams over WebSockets: JSON in, JSON out, one row a message, the states kept by the server.

`/v1/models/NAME[/versions/N|/labels/L]:stream?signature_name=step&session=MINE`
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from urllib.parse import urlsplit

import orjson
from starlette.websockets import WebSocket, WebSocketDisconnect

from rnnapps.serving.json_answers import to_json
from rnnapps.serving.json_requests import Json, parse_json, to_array
from rnnapps.serving.predictions import target_of
from rnnapps.serving.refusal import Code, Refusal
from rnnapps.serving.rest import STREAM
from rnnapps.serving.served_signature import ServedSignature
from rnnapps.serving.sessions import STREAMED, Session, Sessions
from rnnapps.serving.snapshots import read_snapshot, snapshot_bytes
from rnnapps.types import Arrays

__all__ = ["stream"]

_POLICY, _GOING_AWAY = 1008, 1001
_FINAL = frozenset({Code.NOT_FOUND, Code.INTERNAL})
"""After these a session cannot go on."""


async def stream(socket: WebSocket, sessions: Sessions, idle_seconds: float) -> None:
    """Serves one connection until its client leaves, or says nothing for long.

    Args:
        socket: not yet accepted.
        sessions: where its session is, or will be.
        idle_seconds: how long a client may say nothing.
    """
    if not _same_origin(socket):
        await socket.close(_POLICY)  # a page of another site, in the name of whoever looks at it
        return
    await socket.accept()
    try:
        session = _open(socket, sessions)
    except Refusal as refusal:
        await _say(socket, _told(refusal))
        await socket.close(_POLICY)
        return
    try:
        await _say(socket, _opened(session))
        await _serve(socket, sessions, session, idle_seconds)
    except (WebSocketDisconnect, RuntimeError):
        pass  # the client has gone, perhaps while it was told something
    finally:
        sessions.leave(session)


def _open(socket: WebSocket, sessions: Sessions) -> Session:
    match = STREAM.fullmatch(socket.scope.get("raw_path", socket.url.path.encode()).decode(errors="replace"))
    if match is None:
        raise Refusal(Code.NOT_FOUND, f"Malformed request: {socket.url.path}; streams are at /v1/models/NAME:stream")
    asked = socket.query_params
    return sessions.open(target_of(match), asked.get("signature_name", STREAMED), asked.get("session", ""))


async def _serve(socket: WebSocket, sessions: Sessions, session: Session, idle_seconds: float) -> None:
    """Answers message by message."""
    while True:
        try:
            async with asyncio.timeout(idle_seconds):
                message = await socket.receive()
        except TimeoutError:
            await socket.close(_GOING_AWAY, "idle")
            return
        if message["type"] == "websocket.disconnect":
            return
        content = message.get("bytes") or (message.get("text") or "").encode()
        try:
            await _say(socket, await _answer(sessions, session, parse_json(content)))
        except Refusal as refusal:
            await _say(socket, _told(refusal))
            if refusal.code in _FINAL:
                await socket.close(_GOING_AWAY)
                return


async def _answer(sessions: Sessions, session: Session, message: dict[str, Json]) -> Json:
    """The answer to one message, which asks for one thing."""
    match message:
        case {"inputs": dict(inputs), **rest} if not rest:
            outputs = await sessions.step(session, _arrays(session.signature, session, inputs))
            return _outputs(session, outputs)
        case {"begin": dict(inputs), **rest} if not rest:
            signature = session.version.signature(session.names.begins or session.signature.name)
            return _outputs(session, await sessions.begin(session, _arrays(signature, session, inputs)))
        case {"snapshot": True, **rest} if not rest:
            return {"snapshot": base64.b64encode(snapshot_bytes(session.snapshot())).decode(), "steps": session.steps}
        case {"restore": str(text), **rest} if not rest:
            session.restore(read_snapshot(_decoded(text)))
            return {"restored": True, "steps": session.steps}
        case {"reset": True, **rest} if not rest:
            session.reset()
            return {"reset": True, "steps": session.steps}
    expected = '{"inputs": {...}}, {"snapshot": true}, {"restore": "..."} or {"reset": true} expected'
    raise Refusal(Code.INVALID_ARGUMENT, f"keys {sorted(message)} found, {expected}")


def _outputs(session: Session, outputs: Arrays) -> Json:
    """The only row of an answer, without the states."""
    kept = set(session.names.after.values())
    shown = {name: array for name, array in sorted(outputs.items()) if name not in kept}
    return {"outputs": {name: to_json(name, array)[0] for name, array in shown.items()}, "steps": session.steps}


def _arrays(signature: ServedSignature, session: Session, inputs: dict[str, Json]) -> Arrays:
    """One row of inputs as arrays of one row."""
    kinds = signature.inputs
    for name in inputs:
        if name not in kinds or name in session.names.after:
            expected = sorted(set(kinds) - set(session.names.after))
            raise Refusal(Code.INVALID_ARGUMENT, f"input {name!r} found, {expected} expected")
    return {name: to_array([value], kinds[name], f"input {name!r}") for name, value in inputs.items()}


def _opened(session: Session) -> Json:
    """What a client is told first."""
    place = session.version.place
    inputs = {name: str(kind) for name, kind in session.signature.inputs.items() if name not in session.names.after}
    return {
        "session": session.name,
        "model": place.model,
        "version": place.number,
        "signature_name": session.signature.name,
        "inputs": inputs,
        "begins": session.names.begins,
        "steps": session.steps,
    }


def _told(refusal: Refusal) -> Json:
    return {"error": refusal.message, "code": refusal.code.grpc}


async def _say(socket: WebSocket, message: Json) -> None:
    await socket.send_text(orjson.dumps(message, option=orjson.OPT_SERIALIZE_NUMPY).decode())


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Refusal(Code.INVALID_ARGUMENT, "restore: Unable to base64 decode") from None


def _same_origin(socket: WebSocket) -> bool:
    """Whether it is no page of another site that asks; programs name no origin."""
    origin = socket.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == socket.headers.get("host")

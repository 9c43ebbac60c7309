"""Streams: sessions that carry the states of a signature such as `step` from one message to the next.

The states stay with the server, so that a model's process that dies costs a stream nothing but time. A session holds
one row of states, however long it lasts.
"""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np

from rnnapps.contract.tensor_names import PROBLEM
from rnnapps.serving.refusal import Code, Refusal
from rnnapps.serving.served_signature import ServedSignature
from rnnapps.serving.served_version import ServedVersion
from rnnapps.serving.service import Service, Target
from rnnapps.serving.snapshots import Snapshot, keep_snapshot, kept_path, read_snapshot
from rnnapps.serving.states import StateNames, state_names
from rnnapps.types import Arrays

__all__ = ["STREAMED", "Session", "Sessions"]

LOG = logging.getLogger("rnnapps.serving")
Request = TypeVar("Request")
STREAMED = "step"
"""The signature that streams run where they name none."""
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_GONE = ("UNLOADING", "END")


@dataclass(eq=False)
class Session:
    """A stream and what its model remembers of it.

    Attributes:
        name: what its client calls it.
        named: whether the client gave the name, and may come back for it.
        version: the version that its states belong to.
        signature: what each message runs.
        states: state input -> array `(1, ...)`.
        steps: messages that were answered.
        used: when the last one was, by the clock of the loop.
        connected: whether a client is there.
    """

    name: str
    named: bool
    version: ServedVersion
    signature: ServedSignature
    names: StateNames
    states: Arrays = field(default_factory=dict)
    steps: int = 0
    used: float = 0.0
    connected: bool = True

    def snapshot(self) -> Snapshot:
        """What is kept of it."""
        place = self.version.place
        return Snapshot(place.model, place.number, self.signature.name, self.steps, dict(self.states))

    def restore(self, snapshot: Snapshot) -> None:
        """Goes on from what was kept; raises Refusal where that is of another model, version or signature."""
        place = self.version.place
        found = (snapshot.model, snapshot.version, snapshot.signature)
        if found != (place.model, place.number, self.signature.name):
            told = (
                f"a snapshot of {found[0]}/{found[1]} {found[2]!r} found, of {place} {self.signature.name!r} expected"
            )
            raise Refusal(Code.INVALID_ARGUMENT, told)
        states = self.names.checked(snapshot.states) if snapshot.states else self.names.zeros()
        self.states, self.steps = states, snapshot.steps

    def reset(self) -> None:
        """Forgets everything."""
        self.states, self.steps = self.names.zeros(), 0


class Sessions:
    """All sessions of a server.

    Args:
        service: runs the messages; its options say how many sessions there may be, for how long, and where they
            are kept.
    """

    def __init__(self, service: Service) -> None:
        self._service, self._options = service, service.options
        self._sessions: dict[tuple[str, str], Session] = {}
        self._folder = Path(self._options.sessions) if self._options.sessions else None
        self._reading: set[asyncio.Task[object]] = set()
        self._closing = False

    def __len__(self) -> int:
        """How many are kept in memory."""
        return len(self._sessions)

    def open(self, target: Target, signature: str, name: str) -> Session:
        """Begins a session, or goes on with one.

        Args:
            target: the model.
            signature: what each message runs.
            name: that of a session to begin or to go on with; empty for a new one that nobody comes back to.

        Raises:
            Refusal: there are too many, the name is none, another client is in it, or the signature has no states.
        """
        if name and not _NAME.fullmatch(name):
            raise Refusal(Code.INVALID_ARGUMENT, f"session {name!r}: 1 to 64 letters, digits, - and _ expected")
        if known := self._sessions.get((target.model, name)):
            return self._rejoin(known, signature)
        if len(self._sessions) >= self._options.streams:
            message = f"{len(self._sessions)} sessions are open already; try again later"
            raise Refusal(Code.RESOURCE_EXHAUSTED, message, retry_seconds=1)
        session = self._begin(target, signature, name)
        session.used = asyncio.get_running_loop().time()
        self._sessions[target.model, session.name] = session
        return session

    async def step(self, session: Session, inputs: Arrays) -> Arrays:
        """Answers one message: one row of inputs, without the states or with all of them.

        Returns:
            All outputs, those of states among them. A row with a problem leaves the states as they were.

        Raises:
            Refusal: the inputs do not fit, or cannot be answered now, or ever again.
        """
        session.used, names = asyncio.get_running_loop().time(), session.names
        given = {name: inputs[name] for name in names.after if name in inputs}
        states = names.checked(given) if given else session.states
        if not states:
            message = f"the states of this stream begin with an answer of {names.begins!r}; ask for it first"
            raise Refusal(Code.INVALID_ARGUMENT, message)
        asked = {**names.defaults, **session.signature.with_lengths(inputs), **states}
        return await self._advance(session, session.signature, asked)

    async def begin(self, session: Session, inputs: Arrays) -> Arrays:
        """Takes the first states from an answer of the signature that makes them, to one row of its inputs.

        Raises:
            Refusal: the states begin as zeros, or as for `step`.
        """
        session.used = asyncio.get_running_loop().time()
        if not session.names.begins:
            message = f"the states of {session.signature.name!r} begin as zeros; there is nothing to ask first"
            raise Refusal(Code.INVALID_ARGUMENT, message)
        signature = session.version.signature(session.names.begins)
        return await self._advance(session, signature, signature.with_lengths(inputs))

    async def _advance(self, session: Session, signature: ServedSignature, inputs: Arrays) -> Arrays:
        """Runs one row, and takes the states from its answer."""
        if session.version.state in _GONE:
            message = f"{session.version.place}, which this session began with, is no longer served; begin another"
            raise Refusal(Code.NOT_FOUND, message)
        if signature.rows(inputs) != 1:
            raise Refusal(Code.INVALID_ARGUMENT, "a message of a stream has one row")
        async with self._service.request(session.version.place.model, "Stream", limited=False):
            outputs = await session.version.ask(signature, inputs)
        if not _problem(outputs):
            session.states = session.names.taken(outputs)
            session.steps += 1
        return outputs

    def leave(self, session: Session) -> None:
        """The client has gone: one that gave a name may come back, as long as its version is served."""
        session.connected = False
        if not session.named or session.version.state in _GONE:
            self._sessions.pop((session.version.place.model, session.name), None)

    async def next_of(self, requests: AsyncIterator[Request]) -> Request:
        """The next request of a stream.

        Raises:
            StopAsyncIteration: the client has said all.
            Refusal: the server is being stopped while there is none.
        """
        task = asyncio.current_task()
        assert task is not None
        self._reading.add(task)
        try:
            if self._closing:
                raise _stopping()
            return await anext(requests)
        except asyncio.CancelledError:
            if self._closing:
                raise _stopping() from None
            raise
        finally:
            self._reading.discard(task)

    def close(self) -> None:
        """Ends every stream that waits for its client; others end with the answer that they are at."""
        self._closing = True
        for task in self._reading:
            task.cancel()

    async def watch(self) -> None:
        """Drops sessions that nobody came back to, for ever."""
        while True:
            await asyncio.sleep(min(30.0, self._options.stream_seconds / 4))
            self.drop_idle()

    def drop_idle(self) -> None:
        """Drops what nobody has used for long, into its file if there is a folder for them."""
        now = asyncio.get_running_loop().time()
        for key, session in list(self._sessions.items()):
            if not session.connected and now - session.used >= self._options.stream_seconds:
                self._keep(session)
                del self._sessions[key]

    def keep_all(self) -> None:
        """Writes every session that a client may come back to, if there is a folder for them."""
        for session in self._sessions.values():
            self._keep(session)

    def _begin(self, target: Target, signature: str, name: str) -> Session:
        snapshot = self._kept(target, name)
        version = self._service.find(Target(target.model, snapshot.version) if snapshot else target)
        chosen = version.signature(signature)
        names = state_names(chosen, version.told.get(signature))
        session = Session(name or secrets.token_urlsafe(12), bool(name), version, chosen, names)
        session.reset()
        if snapshot is not None:
            session.restore(snapshot)
        return session

    def _rejoin(self, session: Session, signature: str) -> Session:
        if session.connected:
            raise Refusal(
                Code.RESOURCE_EXHAUSTED, f"session {session.name!r}: another client is in it", retry_seconds=1
            )
        if session.signature.name != signature:
            message = f"session {session.name!r}: it runs {session.signature.name!r}, not {signature!r}"
            raise Refusal(Code.INVALID_ARGUMENT, message)
        session.connected = True
        return session

    def _kept(self, target: Target, name: str) -> Snapshot | None:
        """What a file holds of a session, if there is one."""
        if not name or self._folder is None:
            return None
        path = kept_path(self._folder, target.model, name)
        try:
            return read_snapshot(path.read_bytes())
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Refusal(Code.INTERNAL, f"session {name!r}: its file cannot be read ({error.strerror})") from error

    def _keep(self, session: Session) -> None:
        if self._folder is None or not session.named:
            return
        place = session.version.place
        try:
            keep_snapshot(kept_path(self._folder, place.model, session.name), session.snapshot())
        except OSError as error:
            LOG.error("session lost", extra={"model": str(place), "reason": str(error)})


def _stopping() -> Refusal:
    return Refusal(Code.UNAVAILABLE, "the server is being stopped", retry_seconds=1)


def _problem(outputs: Arrays) -> bool:
    """Whether the row was refused."""
    problem = outputs.get(PROBLEM)
    return problem is not None and any(np.ravel(problem).tolist())

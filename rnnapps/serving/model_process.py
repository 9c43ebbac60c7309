"""One process of a model, seen from the server: started, asked, ended."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from rnnapps.errors import ExportError
from rnnapps.export.isolated import child_environment
from rnnapps.serving.frames import HEADER_BYTES, body_bytes, decode, encode
from rnnapps.serving.job import Job
from rnnapps.serving.refusal import Code, Refusal
from rnnapps.types import Arrays

__all__ = ["ModelProcess", "Ready"]

_CODES = {3: Code.INVALID_ARGUMENT, 4: Code.DEADLINE_EXCEEDED, 8: Code.RESOURCE_EXHAUSTED, 12: Code.UNIMPLEMENTED}
_STOP_SECONDS = 5.0
AGAIN_SECONDS = 1
"""After how long a client may try again when a model's process has ended: it loads in about a second."""


@dataclass(frozen=True)
class Ready:
    """What a process tells once its model is loaded.

    Attributes:
        signatures: a serialised SignatureDefMap.
        widths: signature -> the fields of each `Width`.
        warmup_requests: how many were run.
        seconds: that loading took in the process.
        confinement: what is in force.
    """

    signatures: bytes
    widths: dict[str, list[dict[str, Any]]]
    warmup_requests: int
    seconds: float
    confinement: str


class ModelProcess:
    """A process that has loaded one version; make one with `start`.

    Attributes:
        ready: what it told.
        pid: its number.
        ended: set when it has ended.
    """

    def __init__(self, process: asyncio.subprocess.Process, ready: Ready) -> None:
        self.ready, self.pid, self.ended = ready, process.pid, asyncio.Event()
        self._process, self._numbers = process, itertools.count()
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._writing = asyncio.Lock()
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def start(cls, job: Job, *, timeout_seconds: float) -> ModelProcess:
        """Starts a process and waits until the model is loaded.

        Raises:
            ExportError: the model is refused, the process ended, or it took too long.
        """
        command = (sys.executable, "-m", "rnnapps.serving.worker", json.dumps(asdict(job)))
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=child_environment(os.path.abspath(job.folder)),
            start_new_session=True,  # Ctrl-C in a terminal is the server's, which then ends its models
        )
        try:
            async with asyncio.timeout(timeout_seconds):
                told = await _frame(process)
        except TimeoutError:
            await _end(process, at_once=True)
            raise ExportError(f"{job.folder}: was not loaded within {timeout_seconds:g} s") from None
        except BaseException:
            await _end(process, at_once=True)
            raise
        if told is None or told.pop("event", "") != "ready":
            await _end(process)
            reason = told.get("error") if told else f"the process that loads it {_ending(process.returncode)}"
            raise ExportError(reason if told else f"{job.folder}: {reason}")
        return cls(process, Ready(**told))

    async def run(self, signature: str, inputs: Arrays) -> Arrays:
        """Runs a signature; any number of runs may be asked at the same time.

        Raises:
            Refusal: TensorFlow refuses the inputs, or the process has ended.
        """
        number = next(self._numbers)
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        try:
            if self.ended.is_set():
                raise self._gone()
            await self._write({"id": number, "signature": signature, "inputs": inputs})
            answer = await future
        finally:
            self._waiting.pop(number, None)
        if "error" in answer:
            raise Refusal(_CODES.get(answer["code"], Code.INTERNAL), answer["error"])
        outputs: Arrays = answer["outputs"]
        return outputs

    def kill(self) -> None:
        """Ends the process at once."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    async def stop(self) -> None:
        """Ends the process when it has answered what it was asked, or after some seconds."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await self._process.wait()
        except TimeoutError:
            self.kill()
        await self.ended.wait()

    @property
    def ending(self) -> str:
        """How it ended, for a sentence that begins with "the process"."""
        return _ending(self._process.returncode)

    async def _write(self, message: Mapping[str, Any]) -> None:
        stream = self._process.stdin
        assert stream is not None
        try:
            async with self._writing:
                stream.write(encode(message))
                await stream.drain()
        except (ConnectionError, RuntimeError):
            raise self._gone() from None

    async def _read(self) -> None:
        """Hands every answer to whoever waits for it, until the process ends."""
        try:
            while (answer := await _frame(self._process)) is not None:
                future = self._waiting.get(answer.get("id", -1))
                if future is not None and not future.done():
                    future.set_result(answer)
        finally:
            await _end(self._process)
            self.ended.set()
            for future in self._waiting.values():
                if not future.done():
                    future.set_exception(self._gone())

    def _gone(self) -> Refusal:
        message = f"the model's process {self.ending}; it is being started again"
        return Refusal(Code.UNAVAILABLE, message, retry_seconds=AGAIN_SECONDS)


async def _frame(process: asyncio.subprocess.Process) -> dict[str, Any] | None:
    """The next message of a process; None at its end, or for what is no message."""
    assert process.stdout is not None
    try:
        return decode(await process.stdout.readexactly(body_bytes(await process.stdout.readexactly(HEADER_BYTES))))
    except (asyncio.IncompleteReadError, ConnectionError, ValueError, TypeError, MemoryError):
        return None


async def _end(process: asyncio.subprocess.Process, *, at_once: bool = False) -> None:
    """Makes sure that a process has ended.

    By the system's `kill`: that of the object looks for an ending by itself, and then nobody learns which it was.
    """
    try:
        async with asyncio.timeout(0 if at_once else 1.0):
            await process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
        await process.wait()


def _ending(code: int | None) -> str:
    if code is None:
        return "is ending"
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"

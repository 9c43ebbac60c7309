"""One version of a model: loaded, asked, started again when its process dies, unloaded."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from rnnapps.contract.served import ServedSignature as Told
from rnnapps.errors import ExportError
from rnnapps.export.batching_settings import BatchingSettings, read_batching
from rnnapps.export.signature_file import read_signatures
from rnnapps.serving.batcher import Batcher
from rnnapps.serving.job import Job
from rnnapps.serving.model_process import AGAIN_SECONDS, ModelProcess
from rnnapps.serving.options import ServeOptions
from rnnapps.serving.refusal import Code, Refusal
from rnnapps.serving.served_signature import ServedSignature
from rnnapps.types import Arrays

if TYPE_CHECKING:
    from tensorflow_serving.apis.get_model_metadata_pb2 import SignatureDefMap

__all__ = ["DEFAULT_SIGNATURE", "Observer", "Place", "ServedVersion", "State"]

State = Literal["START", "LOADING", "AVAILABLE", "UNLOADING", "END"]
DEFAULT_SIGNATURE = "serving_default"
LOG = logging.getLogger("rnnapps.serving")
_ALONE = BatchingSettings(max_batch_size=1, num_batch_threads=4, max_enqueued_batches=1000)
_LONGEST_PAUSE = 30.0
_STEADY_SECONDS = 60.0


class Observer(Protocol):
    """Who counts what happens."""

    def observe_batch(self, model: str, rows: int) -> None:
        """So many rows have run together."""

    def observe_death(self, model: str) -> None:
        """A process has ended by itself."""


@dataclass(frozen=True)
class Place:
    """Which version it is.

    Attributes:
        model: name of the model.
        number: the version.
        folder: its folder.
    """

    model: str
    number: int
    folder: Path

    def __str__(self) -> str:
        return f"{self.model}/{self.number}"


def _told(folder: Path) -> Mapping[str, Told]:
    """What the export says of its signatures; an older one says nothing."""
    try:
        return read_signatures(folder).signatures
    except ExportError:
        return {}


class ServedVersion:
    """A version.

    Attributes:
        place: which one it is.
        state: as TensorFlow Serving names it.
        error: why it is not served, if so.
        signatures: name -> signature, once it was loaded.
        definitions: the same as protocol buffers.
        told: name -> what the export says of each in words; empty where it says nothing.
        pid: of its process; 0 while there is none.
    """

    def __init__(self, place: Place, options: ServeOptions, observer: Observer) -> None:
        self.place, self.error, self.pid = place, "", 0
        self.state: State = "START"
        self.signatures: dict[str, ServedSignature] = {}
        self.definitions: SignatureDefMap | None = None
        self.told: Mapping[str, Told] = {}
        self._options = options
        self._settings = _ALONE
        self._process: ModelProcess | None = None
        self._supervisor: asyncio.Task[None] | None = None
        self._observer = observer
        self._batcher = Batcher(self._run, self._settings, self._observe)

    async def load(self) -> bool:
        """Loads it; returns whether it is served now. If not, `error` says why, and so does one line of the log."""
        self.state = "LOADING"
        try:
            shared = self._batching()
            # Alone, a request may be of any size, and large ones are not cut.
            self._settings = shared or replace(_ALONE, max_batch_size=self._options.rows)
            self.told = _told(self.place.folder)
            process = await self._start()
            self._describe(process)
        except (ExportError, KeyError, OSError) as error:
            self.state, self.error = "END", " ".join(str(error).split())
            LOG.error("refused", extra={"model": str(self.place), "reason": self.error})
            return False
        self._batcher = Batcher(self._run, self._settings, self._observe, together=shared is not None)
        self._adopt(process)
        self._supervisor = asyncio.create_task(self._supervise())
        return True

    async def unload(self) -> None:
        """Answers what runs, then ends the process."""
        self.state = "UNLOADING"
        if self._supervisor is not None:
            self._supervisor.cancel()
            await asyncio.wait([self._supervisor])
        if self._process is not None:
            await self._batcher.drain()
            await self._process.stop()
            LOG.info("unloaded", extra={"model": str(self.place)})
        self.state, self.pid = "END", 0

    def signature(self, name: str) -> ServedSignature:
        """The signature of that name; raises Refusal if there is none."""
        if name not in self.signatures:
            message = (
                f'Serving signature name: "{name}" not found in signature def; there are {sorted(self.signatures)}'
            )
            raise Refusal(Code.INVALID_ARGUMENT, message)
        return self.signatures[name]

    async def ask(self, signature: ServedSignature, inputs: Arrays) -> Arrays:
        """The answer to a request whose shapes were checked.

        Raises:
            Refusal: it cannot be answered now, or not at all.
        """
        if self.state == "UNLOADING" or (self.state == "END" and not self.pid):
            raise Refusal(Code.UNAVAILABLE, f"{self.place} is being unloaded", retry_seconds=AGAIN_SECONDS)
        rows = len(next(iter(inputs.values()), ()))
        if not rows:
            return await self._run(signature.name, inputs)
        return await self._batcher.ask(signature, inputs)

    @property
    def answers(self) -> bool:
        """Whether it is one to be asked: it is loaded, or was, and its process is being started again."""
        return bool(self.signatures) and self.state in ("AVAILABLE", "LOADING")

    @property
    def waiting_rows(self) -> int:
        """Rows that wait for a run."""
        return self._batcher.waiting_rows

    def _observe(self, rows: int) -> None:
        self._observer.observe_batch(self.place.model, rows)

    def _batching(self) -> BatchingSettings | None:
        """The settings of the export; None where each request is to run by itself."""
        found = read_batching(self.place.folder)
        return found if self._options.batching else None

    async def _start(self) -> ModelProcess:
        memory, threads = self._options.memory_mib << 20, self._settings.num_batch_threads
        job = Job(str(self.place.folder), [], memory, threads, learn=not self.signatures)
        return await ModelProcess.start(job, timeout_seconds=self._options.load_seconds)

    def _describe(self, process: ModelProcess) -> None:
        """Takes over the signatures that a process has told."""
        from tensorflow_serving.apis.get_model_metadata_pb2 import SignatureDefMap

        self.definitions = SignatureDefMap.FromString(process.ready.signatures)
        self.signatures = {
            name: ServedSignature.of(name, definition, process.ready.widths.get(name, ()))
            for name, definition in self.definitions.signature_def.items()
        }

    def _adopt(self, process: ModelProcess) -> None:
        self._process, self.pid, self.state, self.error = process, process.pid, "AVAILABLE", ""
        ready = process.ready
        told = {"seconds": round(ready.seconds, 2), "warmup_requests": ready.warmup_requests, "pid": process.pid}
        LOG.info("loaded", extra={"model": str(self.place), **told, "confinement": ready.confinement})

    async def _supervise(self) -> None:
        """Starts the process again whenever it dies, at once at first, then less and less often."""
        loop, pause = asyncio.get_running_loop(), 0.0
        while self._process is not None:
            begun = loop.time()
            await self._process.ended.wait()
            self.state, self.pid, self.error = "LOADING", 0, f"its process {self._process.ending}"
            self._observer.observe_death(self.place.model)
            LOG.error("died", extra={"model": str(self.place), "reason": self.error})
            pause = 0.0 if loop.time() - begun > _STEADY_SECONDS else pause
            while self.state == "LOADING":
                await asyncio.sleep(pause)
                pause = min(max(0.5, 2 * pause), _LONGEST_PAUSE)
                try:
                    self._adopt(await self._start())
                except (ExportError, OSError) as error:
                    self.error = " ".join(str(error).split())
                    LOG.error("not restarted", extra={"model": str(self.place), "reason": self.error})

    async def _run(self, signature: str, inputs: Arrays) -> Arrays:
        """Runs a batch; a process that does not answer is ended, and started again."""
        process = self._process
        if process is None or self.state not in ("AVAILABLE", "UNLOADING"):
            reason = self.error or "it is being loaded"
            raise Refusal(Code.UNAVAILABLE, f"{self.place} cannot answer now: {reason}", retry_seconds=AGAIN_SECONDS)
        try:
            async with asyncio.timeout(2 * self._options.request_seconds):
                return await process.run(signature, inputs)
        except TimeoutError:
            process.kill()
            message = f"{self.place} has not answered for {2 * self._options.request_seconds:g} s; it is started again"
            raise Refusal(Code.DEADLINE_EXCEEDED, message) from None

"""Micro-batching: rows that are asked at about the same time run together.

A batch leaves as soon as its class of rows has none running, with whatever has arrived by then, so that a lone client
waits for nobody; while one runs, the next one gathers, for as long as `batch_timeout_micros` says. As many batches run
at the same time as `num_batch_threads` says, but no more than there are processors.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from rnnapps.export.batching_settings import BatchingSettings
from rnnapps.serving.pieces import ALONE, Key, Piece, cut, gather, join, parts_of, whole
from rnnapps.serving.refusal import Code, Refusal
from rnnapps.serving.served_signature import ServedSignature
from rnnapps.types import Arrays

__all__ = ["Batcher", "processors"]

Run = Callable[[str, Arrays], Awaitable[Arrays]]


@dataclass(eq=False)
class _Waiting:
    """A piece in the queue."""

    piece: Piece
    since: float
    answer: asyncio.Future[Arrays]


@dataclass
class _Queue:
    """What waits of one class of rows of one signature."""

    signature: ServedSignature
    pieces: deque[_Waiting] = field(default_factory=deque)
    rows: int = 0
    running: int = 0
    considered: bool = False
    timer: asyncio.TimerHandle | None = None


class Batcher:
    """The queues of one version of a model.

    Args:
        run: runs a signature on a batch.
        settings: how many rows, how long, how many at once.
        observe: is told the rows of each batch that has run.
        together: whether requests share runs; if not, each runs as it came.
    """

    def __init__(
        self,
        run: Run,
        settings: BatchingSettings,
        observe: Callable[[int], None] = lambda rows: None,
        *,
        together: bool = True,
    ) -> None:
        self._run, self._settings, self._observe = run, settings, observe
        self._together = together
        self._queues: dict[tuple[str, Key], _Queue] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._waiting_rows = 0
        # More runs than processors would only take turns, each of them with fewer rows.
        self._most_running = min(settings.num_batch_threads, processors())

    async def ask(self, signature: ServedSignature, inputs: Arrays) -> Arrays:
        """The answer to a request of at least one row.

        Raises:
            Refusal: too much waits already, or the run failed.
        """
        pieces = cut(signature, inputs, self._settings.max_batch_size) if self._together else [whole(inputs)]
        rows = sum(len(piece.rows) for piece in pieces)
        if self._waiting_rows + rows > self._settings.max_enqueued_batches * self._settings.max_batch_size:
            message = f"{self._waiting_rows} rows wait already; try again later"
            raise Refusal(Code.RESOURCE_EXHAUSTED, message, retry_seconds=1)
        loop = asyncio.get_running_loop()
        waiting = [_Waiting(piece, loop.time(), loop.create_future()) for piece in pieces]
        for item in waiting:
            self._enqueue(signature, item)
        try:
            return join(pieces, await asyncio.gather(*(item.answer for item in waiting)))
        finally:
            for item in waiting:
                item.answer.cancel()

    @property
    def waiting_rows(self) -> int:
        """Rows that wait for a run."""
        return self._waiting_rows

    async def drain(self) -> None:
        """Returns when nothing runs and nothing waits."""
        while self._running or self._waiting_rows:
            await (asyncio.wait(self._running) if self._running else asyncio.sleep(0))

    def _enqueue(self, signature: ServedSignature, item: _Waiting) -> None:
        name = (signature.name, item.piece.key)
        queue = self._queues.setdefault(name, _Queue(signature))
        queue.pieces.append(item)
        queue.rows += len(item.piece.rows)
        self._waiting_rows += len(item.piece.rows)
        if queue.rows >= self._settings.max_batch_size:
            self._consider(queue)
        elif not queue.considered:
            # What else has arrived by now enters the queue first.
            queue.considered = True
            asyncio.get_running_loop().call_soon(self._consider, queue)

    def _consider(self, queue: _Queue) -> None:
        """Starts whatever of a queue may leave now, and sets a timer for what may leave later."""
        queue.considered = False
        while queue.pieces and len(self._running) < self._most_running:
            if not self._may_leave(queue):
                self._set_timer(queue)
                return
            self._start(queue)

    def _may_leave(self, queue: _Queue) -> bool:
        if not queue.running or queue.pieces[0].piece.key == ALONE:
            return True
        return queue.rows >= self._settings.max_batch_size or self._waited(queue) >= self._patience

    def _waited(self, queue: _Queue) -> float:
        return asyncio.get_running_loop().time() - queue.pieces[0].since

    @property
    def _patience(self) -> float:
        return self._settings.batch_timeout_micros / 1e6

    def _set_timer(self, queue: _Queue) -> None:
        if queue.timer is None:
            wait = max(0.0, self._patience - self._waited(queue))
            queue.timer = asyncio.get_running_loop().call_later(wait, self._ring, queue)

    def _ring(self, queue: _Queue) -> None:
        queue.timer = None
        self._consider(queue)

    def _start(self, queue: _Queue) -> None:
        """Runs the first rows of a queue together."""
        batch: list[_Waiting] = []
        rows = 0
        while queue.pieces:
            item = queue.pieces[0]
            if batch and (item.piece.key == ALONE or rows + len(item.piece.rows) > self._settings.max_batch_size):
                break
            queue.pieces.popleft()
            queue.rows -= len(item.piece.rows)
            self._waiting_rows -= len(item.piece.rows)
            if not item.answer.cancelled():
                batch.append(item)
                rows += len(item.piece.rows)
        if not batch:
            return
        queue.running += 1
        task = asyncio.create_task(self._answer(queue, batch, rows))
        self._running.add(task)

    async def _answer(self, queue: _Queue, batch: list[_Waiting], rows: int) -> None:
        pieces = [item.piece for item in batch]
        try:
            inputs = gather(pieces, self._settings.allowed_batch_sizes)
            outputs = await self._run(queue.signature.name, inputs)
            for item, answer in zip(batch, parts_of(queue.signature, pieces, outputs), strict=True):
                if not item.answer.done():
                    item.answer.set_result(answer)
            self._observe(rows)
        except Exception as error:
            await self._fail(queue, batch, error)
        finally:
            queue.running -= 1
            self._running.discard(asyncio.current_task())  # type: ignore[arg-type]
            self._consider_all()

    async def _fail(self, queue: _Queue, batch: list[_Waiting], error: Exception) -> None:
        """Tells the error; where it may be the fault of one request, the others run again without it."""
        blamed = isinstance(error, Refusal) and error.code is Code.INVALID_ARGUMENT
        for item in batch:
            if blamed and len(batch) > 1 and not item.answer.done():
                with contextlib.suppress(Exception):
                    outputs = await self._run(queue.signature.name, gather([item.piece]))
                    item.answer.set_result(parts_of(queue.signature, [item.piece], outputs)[0])
            if not item.answer.done():
                item.answer.set_exception(error)

    def _consider_all(self) -> None:
        """Looks at every queue, the longest waiting first; forgets the empty ones."""
        for name, queue in sorted(self._queues.items(), key=lambda item: _since(item[1])):
            self._consider(queue)
            if not queue.pieces and not queue.running and queue.timer is None:
                del self._queues[name]


def processors() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _since(queue: _Queue) -> float:
    return queue.pieces[0].since if queue.pieces else float("inf")

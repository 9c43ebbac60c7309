"""Ctrl-C, SIGTERM and SIGHUP as a polite request to stop: finish the step, save, say how to resume."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

__all__ = ["StopNow", "StopSignals"]

NAMES = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM", signal.SIGHUP: "SIGHUP"}


class StopNow(Exception):
    """Raised by a signal inside `StopSignals.breaking`."""


class StopSignals:
    """While entered, remembers SIGINT, SIGTERM and SIGHUP instead of ending the process.

    A second signal acts as if this class were not there. Outside the main thread, where Python delivers no signals,
    entering changes nothing.

    Args:
        note: is told in one line that a signal arrived.
    """

    def __init__(self, note: Callable[[str], None]) -> None:
        self.note = note
        self.received: signal.Signals | None = None
        self._break = False
        self._previous: dict[signal.Signals, Any] = {}

    def __enter__(self) -> StopSignals:
        if threading.current_thread() is threading.main_thread():
            self._previous = {number: signal.signal(number, self._receive) for number in NAMES}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    @property
    def name(self) -> str:
        """What a person calls the signal received."""
        return NAMES[self.received] if self.received else "no signal"

    @property
    def exit_code(self) -> int:
        """128 + the number of the signal received, the convention of shells."""
        return 128 + (self.received or 0)

    @contextlib.contextmanager
    def breaking(self) -> Iterator[None]:
        """Inside, a signal raises StopNow at once: for work that can be repeated, such as an evaluation."""
        if self.received:
            raise StopNow
        self._break = True
        try:
            yield
        finally:
            self._break = False

    def _receive(self, number: int, frame: FrameType | None) -> None:
        """Notes the first signal; a second one ends the process at once."""
        again = self.received is not None
        self.received = signal.Signals(number)
        if again:
            self.__exit__()
            signal.raise_signal(number)
            return
        self.note(f"{self.name}: stopping after this step and saving; a second one stops at once without saving")
        if self._break:
            raise StopNow

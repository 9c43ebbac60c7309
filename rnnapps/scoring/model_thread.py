"""A model for code that waits for its answers, as the workers of an engine do."""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import Coroutine
from typing import Any, TypeVar

from rnnapps.scoring.model import Model

__all__ = ["ModelThread"]

Result = TypeVar("Result")


class ModelThread:
    """A model in its process, asked through a thread; several threads may ask at the same time.

    Args:
        model: not yet started.

    Attributes:
        model: started.

    Raises:
        ExportError: the model is refused.
    """

    def __init__(self, model: Model) -> None:
        self.model, self._loop = model, asyncio.new_event_loop()
        thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        thread.start()
        # However the owner goes, at the end of the interpreter too, the model's process ends first.
        self.close = weakref.finalize(self, _close, model, self._loop, thread)
        try:
            self.run(model.__aenter__())
        except BaseException:
            self.close()
            raise

    def run(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        """Runs something that asks the model, and waits for what it gives."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()


def _close(model: Model, loop: asyncio.AbstractEventLoop, thread: threading.Thread) -> None:
    asyncio.run_coroutine_threadsafe(model.__aexit__(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()

"""Sending a request again where that may help."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from rnnapps.client.options import ClientOptions
from rnnapps.errors import ServingError

__all__ = ["with_retries"]

Result = TypeVar("Result")
_FIRST_PAUSE = 0.1


def with_retries(attempt: Callable[[], Result], options: ClientOptions) -> Result:
    """What an attempt returns, the first that succeeds.

    Pauses are what the server asks for, or grow from a tenth of a second, each by chance up to a half shorter, so that
    many clients do not come back at once.

    Args:
        attempt: asks the server; answering twice must harm nobody, as is so of models without memory.
        options: how often, and how long to wait.

    Raises:
        ServingError: that of the last attempt, or of the first that it is no use to repeat.
    """
    for number in range(options.retries):
        try:
            return attempt()
        except ServingError as error:
            pause = _pause(error, number, options)
            if pause is None:
                raise
        time.sleep(pause)
    return attempt()


def _pause(error: ServingError, number: int, options: ClientOptions) -> float | None:
    """Seconds before the next attempt; None where there should be none."""
    if not error.again:
        return None
    if error.retry_seconds is not None:
        return error.retry_seconds if error.retry_seconds <= options.longest_wait_seconds else None
    pause: float = min(_FIRST_PAUSE * 2**number, options.longest_wait_seconds)
    return pause * random.uniform(0.5, 1.0)

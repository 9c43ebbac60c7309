"""Keeps what other packages tell while they convert off the terminal."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import sys
from collections.abc import Iterator

__all__ = ["quiet"]

LEVELS = {"tensorflow": logging.ERROR, "tf2onnx": logging.CRITICAL}
"""Loggers, and how grave what they say must be. TensorFlow warns of collections of the process's default graph, such as
tables that another model has made, whenever it looks at any graph, and of what it will do without one day."""


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Nothing is printed or logged within it, not even by a compiler, which writes pages past Python's streams."""
    before = {name: logging.getLogger(name).level for name in LEVELS}
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [os.dup(stream) for stream in (1, 2)]
    nothing = os.open(os.devnull, os.O_WRONLY)
    try:
        for name, level in LEVELS.items():
            logging.getLogger(name).setLevel(level)
        for stream in (1, 2):
            os.dup2(nothing, stream)
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            yield
    finally:
        for stream, copy in zip((1, 2), kept, strict=True):
            os.dup2(copy, stream)
            os.close(copy)
        os.close(nothing)
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)

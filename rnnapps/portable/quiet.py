"""Keeps what other packages log while they convert off the terminal."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

__all__ = ["quiet_loggers"]


@contextlib.contextmanager
def quiet_loggers(**levels: int) -> Iterator[None]:
    """Lets the loggers of these names say nothing below these levels.

    TensorFlow warns of collections of the process's default graph, such as tables that another model has made, whenever
    it looks at any graph.
    """
    before = {name: logging.getLogger(name).level for name in levels}
    try:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
        yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)

"""Parts of a graph that are rarely run, kept apart from the rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import tensorflow as tf

__all__ = ["apart"]

Result = TypeVar("Result")


def apart(function: Callable[[], Result]) -> Callable[[], Result]:
    """The function as one operation of the graph that is traced, for a branch that is seldom taken.

    TensorFlow writes out the branches of `tf.cond` in the graph around it, and walks over every operation of the one
    that is not taken: 300 of them cost as much as a small network does for one step. Outside of graphs, the function
    itself.
    """
    if tf.executing_eagerly():
        return function
    called: Callable[[], Result] = tf.function(function, autograph=False, experimental_attributes={"_noinline": True})
    return called

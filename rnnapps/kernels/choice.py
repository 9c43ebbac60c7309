"""Which kernel runs a recurrent layer: decided from shapes alone, before anything runs."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING, Literal

import tensorflow as tf
from tensorflow.python.ops import control_flow_util  # the only place that knows whether XLA will compile a trace

from rnnapps.errors import ConfigError
from rnnapps.kernels.portable_graph import in_portable_graph

if TYPE_CHECKING:
    from rnnapps.kernels.step import KernelCell

__all__ = ["KERNELS", "Kernel", "check_kernel", "gains_as_one_program", "in_xla_program", "kernel_for", "shards_for"]

SHARD_ROWS = 16
SHARED_WEIGHT = 2 << 20  # elements of a matrix

Kernel = Literal["auto", "xla", "graph", "parallel", "reference"]
KERNELS = ("auto", "xla", "graph", "parallel", "reference")


def kernel_for(
    *,
    batch: int | None,
    time: int | None,
    training: bool = False,
    inside_xla: bool = False,
    traced: bool = True,
    by_chunks: bool = False,
) -> Kernel:
    """The kernel that `kernel="auto"` stands for.

    - "xla": the loops are compiled programs, one for each part of the batch (`shards_for`); where shapes are static.
      Within a step that XLA compiles whole, they are part of its program.
    - "graph": the loops are TensorFlow loops; where shapes vary, as in an export, and in calls outside of any function
      that ask for no gradient, where compiling would cost more than it gains; and for cells with a matrix memory, most
      of whose work are large products (`chunkwise`), for which TensorFlow uses all cores and XLA one.
    - "parallel": a scan over parts of the sequence side by side; linear cells only, never chosen by itself: measured on
      two cores, the compiled sequential loop moves less memory and trains faster at every length.
    - "reference": a plain Python loop; a single step, which needs no loop, and graphs that leave TensorFlow
      (`portable_graph`).

    Args:
        batch: number of rows, None where it varies.
        time: number of steps, None where it varies.
        training: whether gradients will be wanted.
        inside_xla: whether the caller is being compiled by XLA already.
        traced: whether the caller is a function that is traced once and called often.
        by_chunks: whether the cell is a `MatrixLinearCell`.
    """
    if time == 1 or (time is not None and in_portable_graph()):
        return "reference"
    if inside_xla:
        return "xla"
    static = batch is not None and time is not None
    return "xla" if static and (training or traced) and not by_chunks else "graph"


def shards_for(batch: int | None, cell: KernelCell) -> int:
    """Into how many parts compiled loops cut a batch, so that each processor core runs the loop of one part.

    A loop's matrix products are too small to keep more than one core busy. Parts of fewer than 16 rows cost more than
    they gain, and so do matrices that no longer fit a core's share of the cache: each part reads them for itself.

    Args:
        batch: number of rows, None where it varies.
        cell: the built cell.
    """
    largest = max((math.prod(weight.shape) for weight in cell.weights), default=0)
    if batch is None or largest > SHARED_WEIGHT:
        return 1
    cores = tf.config.threading.get_intra_op_parallelism_threads() or len(os.sched_getaffinity(0))
    fitting = [parts for parts in range(2, cores + 1) if batch % parts == 0 and batch // parts >= SHARD_ROWS]
    return max(fitting, default=1)


def gains_as_one_program(batch: int | None) -> bool:
    """Whether a training step is fastest as one XLA program, its loops inside.

    So it is for batches too small for `shards_for` to cut in two. Larger ones spend their time in products over all
    time steps, for which TensorFlow's own kernels are faster; then only the loops are compiled.
    """
    return batch is not None and batch < 2 * SHARD_ROWS


def check_kernel(kernel: str) -> Kernel:
    """Returns a valid kernel name.

    Raises:
        ConfigError: it is not one of KERNELS.
    """
    if kernel not in KERNELS:
        raise ConfigError(f"kernel: expected one of {', '.join(KERNELS)}, got {kernel!r}")
    return kernel  # type: ignore[return-value]


def in_xla_program() -> bool:
    """Whether the graph being traced, or one around it, belongs to a function with `jit_compile=True`."""
    graph: tf.Graph = tf.compat.v1.get_default_graph()
    return not tf.executing_eagerly() and bool(control_flow_util.GraphOrParentsInXlaContext(graph))

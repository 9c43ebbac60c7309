"""What is kept apart is one operation of its branch, which TensorFlow does not write out, and computes the same."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from rnnapps.kernels.apart import apart


def many_sines(value: tf.Tensor) -> tf.Tensor:
    for _ in range(20):
        value = tf.sin(value)
    return value


def test_a_branch_kept_apart_is_one_operation() -> None:
    def choose(value: tf.Tensor) -> tf.Tensor:
        return tf.cond(value > 1, apart(lambda: many_sines(value)), lambda: value)

    run = tf.function(choose, autograph=False).get_concrete_function(tf.TensorSpec((), tf.float32))
    functions = run.graph.as_graph_def().library.function
    holding = [function for function in functions if any(node.op == "Sin" for node in function.node_def)]
    assert len(holding) == 1 and holding[0].attr["_noinline"].b
    callers = [function for function in functions if any(node.op == "PartitionedCall" for node in function.node_def)]
    assert len(callers) == 1 and callers[0] is not holding[0]
    np.testing.assert_array_equal(run(tf.constant(2.0)), many_sines(tf.constant(2.0)))
    assert float(run(tf.constant(0.5))) == float(choose(tf.constant(0.5))) == 0.5

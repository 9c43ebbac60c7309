from __future__ import annotations

import pytest
import tensorflow as tf

from rnnapps.export.inference import _reason


def test_an_error_in_the_graph_says_what_is_wrong() -> None:
    @tf.function
    def checked(number: tf.Tensor) -> tf.Tensor:
        with tf.control_dependencies([tf.debugging.assert_less(number, 3, "number must be below 3")]):
            return tf.identity(number)

    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        checked(tf.constant(5))
    assert "number must be below 3" in _reason(caught.value)


def test_other_errors_say_their_first_line_or_their_name() -> None:
    assert _reason(ValueError("too long\nby far")) == "too long"
    assert _reason(ValueError()) == "ValueError"

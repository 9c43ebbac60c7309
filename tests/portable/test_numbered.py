"""Words become numbers where an endpoint leaves TensorFlow."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from rnnapps.contract.endpoint import Endpoint
from rnnapps.portable.numbered import numbered
from rnnapps.portable.static import static_graph
from rnnapps.portable.write import leaving
from tests.portable.native import endpoint_of

LEVELS = (("red", "green"), ("hot", "mild", "cold"))


def function(name: Any, levels: Any, x: Any) -> dict[str, Any]:
    """What each word adds; words come as texts or as numbers."""

    def placed(given: Any, words: Any) -> Any:
        known = tf.constant(words) if given.dtype == tf.string else tf.range(1, len(words) + 1)
        return tf.reduce_sum(tf.cast(given[..., None] == known, tf.float32) * tf.range(1.0, len(words) + 1.0), axis=-1)

    columns = [placed(levels[..., column], own) * 10.0**column for column, own in enumerate(LEVELS)]
    return {"y": x + 100 * placed(name, ("a", "b"))[:, None] + tf.add_n(columns)}


EXAMPLES = {
    "name": np.array([b"b", b"other", b"a"], object),
    "levels": np.array([[[b"green", b"cold"]], [[b"red", b"new"]], [[b"", b"hot"]]], object),
    "x": np.zeros((3, 1), np.float32),
}
ENDPOINT = Endpoint(
    function,
    {
        "name": tf.TensorSpec((None,), tf.string),
        "levels": tf.TensorSpec((None, None, 2), tf.string),
        "x": tf.TensorSpec((None, 1), tf.float32),
    },
    EXAMPLES,
    meanings={"name": "what it is called (batch,)"},
    words={"name": [("a", "b")], "levels": LEVELS, "absent": [("c",)]},
)


def test_numbers_of_words_give_what_the_words_give() -> None:
    own = numbered(ENDPOINT)
    assert own.input_signature["name"].dtype == own.input_signature["levels"].dtype == tf.int32
    np.testing.assert_array_equal(own.examples["name"], [2, 0, 1])
    np.testing.assert_array_equal(own.examples["levels"], [[[2, 3]], [[1, 0]], [[0, 1]]])
    assert own.meaning("name") == "what it is called (batch,); as a number: 1 a, 2 b; 0 any other"
    static = static_graph("step", own, 1)
    assert set(static.inputs) == {"name", "levels", "x"}
    expected = function(*map(tf.constant, EXAMPLES.values()))["y"].numpy()
    np.testing.assert_array_equal([case.outputs["y"][0] for case in static.cases], expected)
    np.testing.assert_array_equal(expected, [[232], [1], [110]])


@pytest.mark.parametrize("begins", ["", "first"])
def test_what_a_step_begins_with_leaves_with_it_and_what_stands_for_it_elsewhere_is_taken(begins: str) -> None:
    plain = endpoint_of(lambda x: {"y": x}, {"x": np.zeros((1, 2), np.float32)})
    other = replace(plain, summary="elsewhere")
    found = leaving({"first": plain, "step": replace(plain, begins=begins, elsewhere=other), "score": plain})
    assert list(found) == ([begins, "step"] if begins else ["step"])
    assert found["step"].summary == "elsewhere"

"""How wide answers are is learned from examples."""

from __future__ import annotations

import numpy as np

from rnnapps.errors import ExportError
from rnnapps.serving.served_signature import ServedSignature, TensorKind, Width
from rnnapps.serving.widths import widths_of
from rnnapps.types import Arrays

FLOATS, INTEGERS = np.dtype(np.float32), np.dtype(np.int32)
INPUTS = {"values": TensorKind(FLOATS, (None, None)), "lengths": TensorKind(INTEGERS, (None,))}
EXAMPLES = {"values": np.ones((5, 4), np.float32), "lengths": np.array([1, 2, 4, 3, 4], np.int32)}


class Model:
    """Answers with arrays whose second dimension is what a rule says."""

    def __init__(self, rule: str) -> None:
        self.rule = rule

    def run(self, signature: str, inputs: Arrays) -> Arrays:
        size, most = inputs["values"].shape[1], int(inputs["lengths"].max())
        width = {"as many": size, "one more": size + 1, "counted": most + 2, "halved": size // 2, "odd": most**2 + size}
        count = inputs["lengths"] + (1 if self.rule == "counted" else 0)
        return {"out": np.zeros((len(inputs["lengths"]), width[self.rule])), "count": count}


def learned(rule: str, examples: Arrays = EXAMPLES) -> Width:
    outputs = {"out": TensorKind(FLOATS, (None, None)), "count": TensorKind(INTEGERS, (None,))}
    (width,) = widths_of(Model(rule), ServedSignature("s", INPUTS, outputs), examples)
    return width


def test_each_rule_is_found() -> None:
    assert learned("as many") == Width("out", 1, "follows", "inputs/values", 0)
    assert learned("one more") == Width("out", 1, "follows", "inputs/values", 1)
    assert learned("counted") == Width("out", 1, "counted", "outputs/count", 1)
    assert learned("halved") == Width("out", 1, "shape")


def test_what_nothing_explains_is_unknown() -> None:
    assert learned("odd").kind == "unknown"
    assert learned("as many", {}).kind == "unknown"
    same = {**EXAMPLES, "lengths": np.full(5, 4, np.int32)}
    assert learned("halved", same).kind == "unknown"  # that all are as wide says nothing if all are alike


def test_examples_that_fail_explain_nothing() -> None:
    class Failing(Model):
        def run(self, signature: str, inputs: Arrays) -> Arrays:
            raise ExportError("no")

    outputs = {"out": TensorKind(FLOATS, (None, None))}
    (width,) = widths_of(Failing("odd"), ServedSignature("s", INPUTS, outputs), EXAMPLES)
    assert width.kind == "unknown"


def test_an_output_without_open_dimensions_needs_no_run() -> None:
    outputs = {"out": TensorKind(FLOATS, (None, 3))}
    assert widths_of(Model("none"), ServedSignature("s", INPUTS, outputs), EXAMPLES) == []

"""Bad rows get a problem and disturb no other; requests without rows or places are answered."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from rnnapps.contract.endpoint import Endpoint, RowRule
from rnnapps.errors import ExportError
from rnnapps.export.answers import BATCH, Answer, Example, check_answers, plan
from rnnapps.export.arrays import Arrays, as_array
from rnnapps.export.row_by_row import NO_ANSWER, row_by_row
from rnnapps.export.row_rules import between, ids_below, is_text, lengths_fit, text_within

LENGTHS = "lengths must be from 1 to 4, and at most the length of rows"
NUMBERS = "rows holds values that are no finite numbers, or too large"


def inverse_means(rows: Any, lengths: Any) -> dict[str, Any]:
    """Raises for rows of no length, as many an operation does; ends in infinity where the mean is 0."""
    with tf.control_dependencies([tf.debugging.assert_positive(lengths), tf.debugging.assert_positive(tf.size(rows))]):
        mask = tf.sequence_mask(lengths, tf.shape(rows)[1])
    mean = tf.reduce_sum(tf.where(mask, rows, 0.0), axis=1) / tf.cast(lengths, tf.float32)
    return {"inverse": 1 / mean, "text": tf.strings.as_string(mean), "steps": tf.where(mask, 1, 0)}


SIGNATURE = {"rows": tf.TensorSpec((None, None), tf.float32), "lengths": tf.TensorSpec((None,), tf.int32)}
EXAMPLES = {"rows": np.arange(1, 16, dtype=np.float32).reshape(5, 3), "lengths": np.array([3, 1, 2, 3, 1], np.int32)}
RULES = (lengths_fit("rows", least=1, most=4),)
ENDPOINT = Endpoint(inverse_means, SIGNATURE, EXAMPLES, rules=RULES, most_steps={"rows": 4}, neutral={"rows": 1.0})
ANSWER = tf.function(row_by_row("means", ENDPOINT).function, input_signature=None, autograph=False)
GRAPH = ANSWER.get_concrete_function(
    **{name: tf.TensorSpec(spec.shape, spec.dtype, name) for name, spec in SIGNATURE.items()}
)


def ask(rows: Any, lengths: Any) -> Arrays:
    answer = GRAPH(rows=tf.constant(rows, tf.float32), lengths=tf.constant(lengths, tf.int32))
    return {name: as_array(value.numpy()) for name, value in answer.items()}


@pytest.mark.parametrize(
    ("row", "length", "problem"),
    [
        ([2.0, 2.0, 2.0], 0, LENGTHS),
        ([2.0, 2.0, 2.0], 4, LENGTHS),
        ([2.0, 2.0, 2.0], -(2**31), LENGTHS),
        ([np.nan, 2.0, 2.0], 1, NUMBERS),
        ([-np.inf, np.nan, 2.0], 3, NUMBERS),
        ([1.0, -1.0, 2.0], 2, NO_ANSWER),
        ([3e38, 3e38, 2.0], 2, NUMBERS),
        ([1e-45, 0.0, 0.0], 3, NO_ANSWER),
        ([4.0, np.nan, np.inf], 1, ""),
    ],
)
def test_the_bad_row_alone_has_the_problem(row: list[float], length: int, problem: str) -> None:
    good, found = ask([[2.0, 4.0, 6.0]] * 3, [3, 3, 1]), ask([[2.0, 4.0, 6.0], row, [2.0, 4.0, 6.0]], [3, length, 1])
    assert found["problem"].tolist() == [b"", problem.encode(), b""]
    for name in ("inverse", "text", "steps"):
        assert found[name][[0, 2]].tolist() == good[name][[0, 2]].tolist(), name
    if problem:
        assert found["text"][1] == b"" and not found["inverse"][1] and not found["steps"][1].any()
    else:
        assert found["inverse"][1] == 0.25


def test_no_rows_no_places_and_too_many_places() -> None:
    for places in (0, 3):
        none = ask(np.zeros((0, places)), [])
        assert {name: value.shape[0] for name, value in none.items()} == dict.fromkeys(none, 0)
    assert ask(np.zeros((2, 0)), [0, 1])["problem"].tolist() == [LENGTHS.encode()] * 2
    wide = ask(np.full((2, 900), 2.0), [4, 5])
    assert wide["inverse"].tolist() == [0.5, 0.0] and wide["steps"].shape == (2, 4)
    assert wide["problem"].tolist() == [b"", LENGTHS.encode()]


def test_rows_of_different_numbers_are_an_error_of_the_request() -> None:
    with pytest.raises(tf.errors.InvalidArgumentError):
        ask(np.ones((3, 2)), [1])


def test_what_the_function_finds_out_is_told_and_blanked() -> None:
    def read(name: Any) -> dict[str, Any]:
        return {"size": tf.strings.length(name), "problem": tf.where(tf.equal(name, "bad"), "is bad", "")}

    signature = {"name": tf.TensorSpec((None,), tf.string)}
    endpoint = Endpoint(read, signature, {"name": np.array([b"a"] * 5)}, rules=(text_within("name", 5),))
    found = row_by_row("names", endpoint).function(name=tf.constant(["good", "bad", "too long", "\u00fcbergang"]))
    long = b"name must have at most 5 characters"
    assert found["problem"].numpy().tolist() == [b"", b"is bad", long, long]
    assert found["size"].numpy().tolist() == [4, 0, 0, 0]


@pytest.mark.parametrize(
    ("rule", "inputs", "broken"),
    [
        (between("n", 1, 3), {"n": [0, 1, 3, 4]}, [True, False, False, True]),
        (between("n", 0), {"n": [-0.5, 0.0, np.nan, np.inf, 1e30]}, [True, False, True, True, False]),
        (between("n", 0, 1), {"n": [[0, 1], [2, 0], [-1, 1]]}, [False, True, True]),
        (between("n", -1, 1, lengths="lengths"), {"n": [[0.0, np.nan]] * 2, "lengths": [1, 2]}, [False, True]),
        (ids_below("n", 3), {"n": [[0, 9], [2, 9], [3, 0]], "lengths": [1, 2, 1]}, [False, True, True]),
        (ids_below("n", 2), {"n": [[[0], [7]], [[7], [0]]], "lengths": [1, 1]}, [False, True]),
        (text_within("n", 2), {"n": [b"", "\u00e4\u00e4".encode(), b"abc", b"\x80" * 9]}, [False, False, True, True]),
        (is_text("n"), {"n": [b"", "\u00e4".encode(), b"\xff", b"a\xc3"]}, [False, False, True, True]),
    ],
)
def test_rules(rule: RowRule, inputs: dict[str, Any], broken: list[bool]) -> None:
    assert rule.broken({name: tf.constant(value) for name, value in inputs.items()}).numpy().tolist() == broken


def example() -> Example:
    tensors = {name: tf.constant(array) for name, array in EXAMPLES.items()}
    outputs = row_by_row("means", ENDPOINT).function(**tensors)
    return Example("means", EXAMPLES, {name: as_array(value.numpy()) for name, value in outputs.items()})


def judged(change: Any) -> str:
    """What verification says of bad rows, the answers changed first: (request, outputs) -> outputs."""
    requests = plan(example(), {"rows": [None, None], "lengths": [None]})
    answers = [Answer(request, change(request, ask(**request.run.inputs))) for request in requests]
    (found,) = (item for item in check_answers(answers, 1e-5) if item.name == "bad rows")
    return "" if found.passed else found.detail


def test_verification_sends_bad_rows_and_compares_their_neighbours() -> None:
    assert judged(lambda request, outputs: outputs) == ""
    sent = [request for request in plan(example(), {"rows": [None, None], "lengths": [None]}) if request.kind == "bad"]
    rows = [request.run.inputs["rows"] for request in sent]
    assert any(np.isnan(array).any() for array in rows) and any(array.shape == (BATCH, 0) for array in rows)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda request, outputs: {"inverse": outputs["inverse"]}, "has no output 'problem'"),
        (
            lambda request, outputs: outputs | {"inverse": outputs["inverse"] + (request.kind == "bad")},
            "beside the bad row; a row's answer depends on the other rows",
        ),
        (
            lambda request, outputs: outputs | {"problem": as_array([b"x"] * len(outputs["inverse"]))},
            "has the problem 'x', but is good",
        ),
        (
            lambda request, outputs: outputs | {"inverse": outputs["inverse"] + np.float32(request.kind == "bad")},
            "has a problem and an answer; blank it",
        ),
    ],
)
def test_verification_tells_what_is_wrong(change: Any, said: str) -> None:
    assert said in judged(change)


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda **_: {"y": tf.zeros(7)}, r"output 'y': shape \(7,\) for a batch of 5; lead with the batch dimension"),
        (lambda **_: {"y": tf.zeros(())}, "output 'y': is a scalar"),
        (lambda **_: [], "returns list; return a dict"),
    ],
)
def test_what_cannot_be_told_row_by_row_is_refused(function: Any, said: str) -> None:
    endpoint = row_by_row("means", Endpoint(function, SIGNATURE, EXAMPLES))
    with pytest.raises(ExportError, match=said):
        endpoint.function(**{name: tf.constant(array) for name, array in EXAMPLES.items()})


def test_inputs_of_the_same_rows_may_be_of_different_widths() -> None:
    """Each must have as many places as are counted; what lies behind may be of any number."""

    def add(x: Any, lengths: Any, y: Any) -> dict[str, Any]:
        inside = tf.sequence_mask(lengths, tf.shape(x)[1], tf.float32)
        return {"sum": tf.reduce_sum((x + y) * inside, axis=1)}

    spec = tf.TensorSpec((None, None), tf.float32)
    signature = {"x": spec, "lengths": tf.TensorSpec((None,), tf.int32), "y": spec}
    ones = np.ones((5, 4), np.float32)
    endpoint = row_by_row("t", Endpoint(add, signature, {"x": ones, "lengths": np.full(5, 4, np.int32), "y": ones}))
    for x, y in ((2, 7), (7, 2)):
        found = endpoint.function(x=tf.ones((3, x)), lengths=tf.constant([2, 1, 3]), y=tf.ones((3, y)))
        assert found["sum"].numpy().tolist() == [4.0, 2.0, 0.0]
        told = f"lengths must be at most the length of {'x' if x < y else 'y'}"
        assert [problem.decode() for problem in found["problem"].numpy()] == ["", "", told]


def running_sums(rows: Any, lengths: Any, state_sum: Any) -> dict[str, Any]:
    """Sums so far, in a graph that is another where the number of steps is known."""
    mask = tf.sequence_mask(lengths, tf.shape(rows)[1], tf.float32)
    sums = state_sum[:, None] + (rows * mask if rows.shape[1] == 1 else tf.cumsum(rows * mask, axis=1))
    steps = tf.fill([tf.shape(rows)[0]], 0 if rows.shape[1] is None else rows.shape[1])
    return {"sums": 1 / (100 - sums), "next_state_sum": sums[:, -1], "known_steps": steps}


def test_rows_of_one_step_have_a_graph_of_their_own_and_answers_as_all_others() -> None:
    spec = tf.TensorSpec((None,), tf.float32)
    signature = {**SIGNATURE, "state_sum": spec}
    examples = {**EXAMPLES, "state_sum": np.zeros(5, np.float32)}
    rules = (lengths_fit("rows", least=0), between("rows", -1e6, 1e6, lengths="lengths"))
    endpoint = Endpoint(running_sums, signature, examples, rules=rules, one_step=True)
    run = tf.function(row_by_row("step", endpoint).function, autograph=False).get_concrete_function(
        **{name: tf.TensorSpec(each.shape, each.dtype, name) for name, each in signature.items()}
    )

    def step(rows: list[list[float]], lengths: list[int], sums: list[float]) -> Arrays:
        given = tf.reshape(tf.constant(rows, tf.float32), (len(lengths), -1 if lengths else 1))
        answer = run(rows=given, lengths=tf.constant(lengths, tf.int32), state_sum=tf.constant(sums, tf.float32))
        return {name: as_array(value.numpy()) for name, value in answer.items()}

    good = step([[1.0], [2.5], [3.0]], [1, 1, 0], [1.0, 2.0, 3.0])
    assert good["problem"].tolist() == [b""] * 3 and good["known_steps"].tolist() == [1] * 3
    assert good["next_state_sum"].tolist() == [2.0, 4.5, 3.0]
    for row, state, said in ((1e7, 2.0, rules[1].problem), (98.0, 2.0, NO_ANSWER), (2.5, np.nan, "state_sum holds")):
        bad = step([[1.0], [row], [3.0]], [1, 1, 0], [1.0, state, 3.0])
        told = [problem.decode() for problem in bad.pop("problem").tolist()]
        assert told[::2] == ["", ""] and told[1].startswith(said)
        for name, array in bad.items():
            assert array[[0, 2]].tolist() == good[name][[0, 2]].tolist() and not array[1].any(), name
    longer = step([[1.0, 9.0], [2.5, 1.0], [3.0, 1.0]], [1, 2, 0], [1.0, 2.0, 3.0])
    assert longer["next_state_sum"].tolist() == [2.0, 5.5, 3.0] and longer["known_steps"].tolist() == [0] * 3
    assert step([[], []], [0, 0], [1.0, 2.0])["next_state_sum"].tolist() == [1.0, 2.0]
    assert step([], [], [])["problem"].shape == (0,)


@pytest.mark.parametrize(("width", "known"), [(0, 0), (1, 1), (3, 1), (5, 0)])
def test_a_state_of_any_width_is_beside_one_step_what_it_is_beside_many(width: int, known: int) -> None:
    """A memory that is too short or too long is brought to its size where steps are not known, too."""

    def totals(rows: Any, lengths: Any, state_memory: Any) -> dict[str, Any]:
        told = tf.fill([tf.shape(rows)[0]], 0 if rows.shape[1] is None else rows.shape[1])
        total = tf.reduce_sum(state_memory, axis=1) + tf.cast(lengths, tf.float32)
        return {"total": total, "next_state_memory": state_memory, "known_steps": told}

    signature = {**SIGNATURE, "state_memory": tf.TensorSpec((None, None), tf.float32)}
    examples = {**EXAMPLES, "state_memory": np.zeros((5, 3), np.float32)}
    rules = (lengths_fit("rows", least=0),)
    endpoint = Endpoint(totals, signature, examples, rules=rules, most_steps={"state_memory": 3}, one_step=True)
    run = tf.function(row_by_row("step", endpoint).function, autograph=False).get_concrete_function(
        **{name: tf.TensorSpec(each.shape, each.dtype, name) for name, each in signature.items()}
    )
    for lengths, problems in (([1, 0], [b"", b""]), ([1, 2], [b"", rules[0].problem.encode()])):
        memory = tf.ones((2, width))
        answer = run(rows=tf.ones((2, 1)), lengths=tf.constant(lengths, tf.int32), state_memory=memory)
        assert answer["problem"].numpy().tolist() == problems
        assert answer["known_steps"].numpy().tolist() == [known, 0 if problems[1] else known]
        assert answer["total"].numpy().tolist() == [min(width, 3) + 1, 0 if problems[1] else min(width, 3)]
        assert answer["next_state_memory"].shape == (2, min(max(width, 1), 3))


def test_rows_of_tables_are_lengthened_in_every_open_dimension() -> None:
    def first(tables: Any) -> dict[str, Any]:
        return {"first": tables[:, 0, 0]}

    signature = {"tables": tf.TensorSpec((None, None, None), tf.float32)}
    endpoint = row_by_row("t", Endpoint(first, signature, {"tables": np.ones((5, 2, 2), np.float32)}))
    run = tf.function(endpoint.function, autograph=False).get_concrete_function(
        tables=tf.TensorSpec((None, None, None), tf.float32, "tables")
    )
    for shape, expected in (((2, 1, 1), [1.0, 1.0]), ((2, 3, 0), [0.0, 0.0]), ((2, 0, 3), [0.0, 0.0]), ((0, 1, 1), [])):
        assert run(tables=tf.ones(shape))["first"].numpy().tolist() == expected

from __future__ import annotations

import functools

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnapps.decoding.distribution import Rules
from rnnapps.decoding.sampling import advance, begin, finished_lengths, generate, generate_as_asked, uniforms
from rnnapps.tasks.text_generation.streaming import stream
from tests.tasks.translation.toy_steps import TABLE, VOCABULARY, expected_distribution, start, step

LONGEST = 40


def make_rules(rows, *, temperature=1.0, top_k=0, top_p=1.0, seed=0, stop=()):
    """Rules of `rows` rows; a list gives each row its own value, `stop` is one sequence a row or one for all."""

    def column(value, dtype):
        return tf.constant(value if isinstance(value, list) else [value] * rows, dtype)

    stops = list(stop) if stop and isinstance(stop[0], list) else [list(stop)] * rows
    width = max(map(len, stops))
    padded = tf.constant([s + [0] * (width - len(s)) for s in stops], tf.int32, shape=(rows, width))
    lengths = tf.constant([len(s) for s in stops], tf.int32)
    return Rules(
        column(temperature, tf.float32),
        column(seed, tf.int64),
        column(top_k, tf.int32),
        column(top_p, tf.float32),
        padded,
        lengths,
    )


@functools.cache
def compiled(plain=False):
    def run(states, first, rules, length):
        if plain:
            rules = Rules(rules.temperature, rules.seed)
        return generate(step, states, first, rules, length=length)

    return tf.function(run, autograph=False, reduce_retracing=True)


@tf.function(autograph=False, reduce_retracing=True)
def compiled_advance(progress, rules, steps):
    return advance(step, progress, rules, steps=steps)


def sample(rules, length, *, rows=None, first_row=0, plain=False):
    """Generates and returns a list of lists of ids."""
    rows = rows or rules.temperature.shape[0]
    states, first = start(first_row + rows)
    states, first = [states[0][first_row:]], first[first_row:]
    lengths = tf.constant(length if isinstance(length, list) else [length] * rows)
    ids, counts = compiled(plain)(states, first, rules, lengths)
    return [row[:count].tolist() for row, count in zip(ids.numpy(), counts.numpy(), strict=True)]


def numpy_sample(row, length, numbers, temperature=1.0, top_k=0, top_p=1.0):
    """The same by explicit loops in float64."""
    logits, memory, ids = TABLE[row % VOCABULARY], np.zeros(VOCABULARY), []
    for number in numbers[:length]:
        cumulative = np.cumsum(expected_distribution(logits, temperature, top_k, top_p))
        ids.append(int(np.argmax(cumulative > (number if temperature else 0) * cumulative[-1])))
        logits = memory = (TABLE[ids[-1]] + memory) * 0.5
    return ids


@given(
    seed=st.integers(-(2**63), 2**63 - 1),
    temperature=st.sampled_from([0.0, 0.5, 1.0, 1.7]),
    top_k=st.sampled_from([0, 1, 3, 100]),
    top_p=st.sampled_from([0.41, 0.83, 1.0]),
)
def test_generation_equals_numpy_given_the_same_uniform_numbers(seed, temperature, top_k, top_p):
    rules = make_rules(1, seed=seed, temperature=temperature, top_k=top_k, top_p=top_p)
    numbers = uniforms(rules.seed, 0, LONGEST)[:, 0].numpy()
    expected = numpy_sample(0, LONGEST, numbers, temperature, top_k, top_p)
    assert sample(rules, LONGEST) == [expected]
    if top_k == 0 and top_p == 1:
        assert sample(rules, LONGEST, plain=True) == [expected]


def test_frequencies_follow_the_distribution():
    rows, draws = 64, 250
    rules = Rules(tf.fill([rows], 0.8), tf.range(rows, dtype=tf.int64), tf.fill([rows], 5))
    first = tf.constant(np.tile(TABLE[0], (rows, 1)))
    run = tf.function(
        lambda: generate(
            lambda ids, states: (first, states), [tf.zeros(1)], first, rules, length=tf.fill([rows], draws)
        ),
        autograph=False,
    )
    ids, _ = run()
    expected = expected_distribution(TABLE[0], 0.8, 5, 1.0)
    counts = np.bincount(ids.numpy().ravel(), minlength=VOCABULARY)
    assert (counts[expected == 0] == 0).all()
    possible = expected > 0
    wanted = expected[possible] * rows * draws
    chi_square = ((counts[possible] - wanted) ** 2 / wanted).sum()
    assert chi_square < 18.47  # the 0.1 % point at 4 degrees of freedom


def test_uniform_numbers_are_uniform_and_different_for_each_seed_and_position():
    numbers = uniforms(tf.constant([1, 2], tf.int64), 0, 3000).numpy()
    assert numbers.min() >= 0 and numbers.max() < 1
    assert len(np.unique(numbers)) > 5990
    counts = np.histogram(numbers, bins=10, range=(0, 1))[0]
    assert ((counts - 600) ** 2 / 600).sum() < 27.9  # the 0.1 % point at 9 degrees of freedom


@given(position=st.integers(0, 900), steps=st.integers(0, 300))
def test_uniform_numbers_depend_on_seed_and_position_only(position, steps):
    whole = uniforms(tf.constant([5, 9], tf.int64), 0, 1200).numpy()
    part = uniforms(tf.constant([9, 5], tf.int64), tf.constant(position), tf.constant(steps)).numpy()
    np.testing.assert_array_equal(part, whole[position : position + steps, ::-1])


def test_rows_of_uniform_numbers_may_begin_at_different_positions():
    whole = uniforms(tf.constant([5, 9], tf.int64), 0, 1200).numpy()
    parts = uniforms(tf.constant([9, 5], tf.int64), tf.constant([255, 512]), 300).numpy()
    np.testing.assert_array_equal(parts, np.stack([whole[255:555, 1], whole[512:812, 0]], axis=1))


def test_rows_do_not_depend_on_the_rows_beside_them():
    rules = make_rules(
        5,
        seed=[3, 1, 4, 1, 5],
        temperature=[1.0, 0.0, 0.7, 1.3, 1.0],
        top_k=[0, 0, 3, 0, 0],
        top_p=[1.0, 1.0, 1.0, 0.9, 1.0],
        stop=[[], [1, 2], [6], [0, 0], [3]],
    )
    lengths = [30, 7, 40, 25, 0]
    together = sample(rules, lengths)
    for row in range(5):
        alone = Rules(*(None if field is None else field[row : row + 1] for field in rules))
        assert sample(alone, [lengths[row]], first_row=row) == [together[row]]
    assert together[4] == [] and len(together[0]) == 30


def test_the_same_seed_repeats_and_another_differs():
    rules = make_rules(3, seed=[7, 7, 8])
    states, first = start(1)
    states, first = [tf.repeat(states[0], 3, axis=0)], tf.repeat(first, 3, axis=0)
    ids, _ = compiled()(states, first, rules, tf.constant([40] * 3))
    same, again, other = ids.numpy().tolist()
    assert same == again != other


@given(
    seed=st.integers(0, 50),
    stop=st.lists(st.integers(0, VOCABULARY - 1), max_size=3),
    length=st.integers(0, LONGEST),
)
@settings(max_examples=60)
def test_a_row_ends_before_its_first_stop_sequence(seed, stop, length):
    free = sample(make_rules(1, seed=seed, temperature=1.5), length)[0]
    places = [at for at in range(len(free) - len(stop) + 1) if stop and free[at : at + len(stop)] == stop]
    expected = free[: places[0]] if places else free
    assert sample(make_rules(1, seed=seed, temperature=1.5, stop=stop), length) == [expected]


def test_ids_after_the_end_of_a_row_are_zero_and_the_width_is_the_longest_length():
    states, first = start(2)
    ids, lengths = generate(step, states, first, make_rules(2, seed=1), length=tf.constant([3, 9]), maximum=12)
    assert ids.shape == (2, 12) and lengths.numpy().tolist() == [3, 9]
    assert not ids[0, 3:].numpy().any() and not ids[1, 9:].numpy().any()


@given(
    chunks=st.lists(st.integers(1, 17), min_size=1, max_size=4),
    seed=st.integers(0, 9),
    stop=st.sampled_from([[], [2], [1, 5], [3, 3, 1]]),
)
@settings(max_examples=15)
def test_chunks_draw_the_same_ids_as_one_call(chunks, seed, stop):
    total = sum(chunks)
    rules = make_rules(2, seed=[seed, seed + 1], temperature=1.2, stop=stop)
    progress = begin(*start(2), rules, length=tf.constant([total, total - 1]))
    pieces = []
    for steps in chunks:
        ids, progress = compiled_advance(progress, rules, tf.constant(steps))
        pieces.append(ids.numpy())
    joined = np.concatenate(pieces, axis=1)
    parts = [row[:count].tolist() for row, count in zip(joined, finished_lengths(progress, rules), strict=True)]
    assert parts == sample(rules, [total, total - 1])


@pytest.mark.parametrize("chunk_steps", [1, 16])
@pytest.mark.parametrize("stop", [[5], [1, 5, 1]])
def test_stream_yields_what_generate_returns(stop, chunk_steps):
    for seed in range(2):
        rules = make_rules(1, seed=seed, temperature=1.5, stop=stop)
        pieces = list(stream(step, *start(1), rules, length=LONGEST, chunk_steps=chunk_steps))
        assert all(len(piece) for piece in pieces)
        assert [int(one) for piece in pieces for one in piece] == sample(rules, LONGEST)[0]


def test_stream_without_stop_yields_every_chunk_at_once():
    rules = Rules(tf.constant([1.0]), tf.constant([3], tf.int64))
    pieces = list(stream(step, *start(1), rules, length=10, chunk_steps=4))
    assert [len(piece) for piece in pieces] == [4, 4, 2]


def test_works_in_a_graph_with_unknown_batch_size():
    @tf.function(
        autograph=False,
        input_signature=[
            tf.TensorSpec([None, VOCABULARY]),
            tf.TensorSpec([None]),
            tf.TensorSpec([None], tf.int64),
            tf.TensorSpec([None, None], tf.int32),
            tf.TensorSpec([None], tf.int32),
        ],
    )
    def serve(first, temperature, seed, stop, length):
        rules = Rules(temperature, seed, None, None, stop, tf.reduce_sum(tf.cast(stop >= 0, tf.int32), axis=1))
        return generate(step, [tf.zeros_like(first)], first, rules, length=length)

    rules = make_rules(3, seed=[1, 2, 3], stop=[2, 2])
    ids, lengths = serve(start(3)[1], rules.temperature, rules.seed, rules.stop, tf.constant([20, 5, 11]))
    actual = [row[:count].tolist() for row, count in zip(ids.numpy(), lengths.numpy(), strict=True)]
    assert actual == sample(rules, [20, 5, 11])


def test_a_row_with_min_p_alone_is_drawn_by_it_as_beside_rows_with_other_rules():
    """With 1 only the likeliest id is left, whatever the seed; the row beside it asks for the longer way."""
    rows = 4
    rules = make_rules(rows, seed=[1, 2, 3, 4], top_k=[0, 0, 0, 2])._replace(min_p=tf.ones((rows,)))
    states, first = start(rows)
    lengths = tf.constant([5] * rows)
    together, _ = generate_as_asked(step, states, first, rules, length=lengths)
    greedy, _ = generate(step, states, first, Rules(tf.zeros((rows,)), rules.seed), length=lengths)
    for row in range(3):
        alone = Rules(*(None if rule is None else rule[row : row + 1] for rule in rules))
        ids, _ = generate_as_asked(step, [states[0][row : row + 1]], first[row : row + 1], alone, length=lengths[:1])
        assert ids[0].numpy().tolist() == together[row].numpy().tolist() == greedy[row].numpy().tolist()


def test_rows_without_stops_are_drawn_as_asked() -> None:
    """What is sorted for the sake of other rows, or for none, changes nothing; neither do stops of no ids."""
    rows = 4
    states, first = start(rows)
    lengths = tf.constant([9] * rows)
    for top_k, top_p in (([0, 0, 3, 0], [1.0, 0.6, 1.0, 1.0]), (0, 1.0)):
        rules = make_rules(rows, seed=[1, 2, 3, 4], top_k=top_k, top_p=top_p)
        expected, _ = generate(step, states, first, rules, length=lengths)
        for asked in (rules, rules._replace(stop=None, stop_lengths=None)):
            ids, _ = generate_as_asked(step, states, first, asked, length=lengths)
            np.testing.assert_array_equal(ids, expected)


def test_stops_alone_sort_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A third of a small model's time went into it where any row had a stop."""
    rows, sorts, top_k = 3, [], tf.math.top_k
    monkeypatch.setattr(tf.math, "top_k", lambda *given: sorts.append(1) or top_k(*given))
    states, first = start(rows)
    rules = make_rules(rows, seed=[1, 2, 3], stop=[[2], [], []])
    lengths = tf.constant([9] * rows)
    stopped, _ = generate_as_asked(step, states, first, rules, length=lengths)
    assert not sorts
    expected, _ = generate(step, states, first, rules, length=lengths)
    assert sorts
    np.testing.assert_array_equal(stopped, expected)

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnapps.data.text.windows import batches, steps_per_epoch
from rnnapps.errors import DataError


def take(count, ids, **options):
    settings_of = {"batch_size": 3, "window_steps": 5, "seed": 1, "start_step": 0, "carry_state": True} | options
    return list(batches(ids, **settings_of).take(count).as_numpy_iterator())


def assert_equal(ours, theirs):
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(one["inputs"]["tokens"], other["inputs"]["tokens"])
        np.testing.assert_array_equal(one["targets"], other["targets"])
        assert one["reset"] == other["reset"]


@given(
    characters=st.integers(16, 120),
    batch_size=st.integers(1, 3),
    window_steps=st.integers(1, 5),
    seed=st.integers(-(2**40), 2**40),
)
@settings(max_examples=20)
def test_carried_rows_read_contiguous_stretches_until_they_wrap(characters, batch_size, window_steps, seed):
    ids = np.arange(characters)
    options = {"batch_size": batch_size, "window_steps": window_steps, "seed": seed}
    epoch = steps_per_epoch(characters, batch_size=batch_size, window_steps=window_steps)
    stream = take(2 * epoch + 1, ids, **options)
    for step, batch in enumerate(stream):
        tokens = batch["inputs"]["tokens"]
        np.testing.assert_array_equal(batch["targets"], tokens + 1)
        np.testing.assert_array_equal(np.diff(tokens, axis=1), np.ones((batch_size, window_steps - 1)))
        assert batch["reset"] == (step % epoch == 0)
        if not batch["reset"]:
            np.testing.assert_array_equal(tokens[:, 0], stream[step - 1]["inputs"]["tokens"][:, -1] + 1)
    read = np.concatenate([batch["inputs"]["tokens"].ravel() for batch in stream[:epoch]])
    assert len(np.unique(read)) == len(read)  # an epoch reads no character twice ...
    assert len(read) + window_steps * (batch_size + 1) >= characters - 1  # ... and leaves out little


def test_every_epoch_has_its_own_offset_and_every_seed_its_own_epochs():
    ids = np.arange(1000)
    epoch = steps_per_epoch(1000, batch_size=3, window_steps=5)
    firsts = [batch["inputs"]["tokens"][0, 0] for batch in take(6 * epoch, ids) if batch["reset"]]
    other = [batch["inputs"]["tokens"][0, 0] for batch in take(6 * epoch, ids, seed=2) if batch["reset"]]
    assert len(firsts) == 6 and len(set(firsts)) > 2 and firsts != other


@given(start=st.integers(0, 40), carry=st.booleans(), seed=st.integers(0, 5))
@settings(max_examples=10)
def test_a_batch_depends_on_seed_and_step_only(start, carry, seed):
    ids = np.random.default_rng(0).integers(0, 99, 200)
    whole = take(start + 3, ids, carry_state=carry, seed=seed)
    assert_equal(take(3, ids, carry_state=carry, seed=seed, start_step=start), whole[start:])


def test_random_windows():
    ids = np.arange(50)
    stream = take(300, ids, carry_state=False)
    starts = np.concatenate([batch["inputs"]["tokens"][:, 0] for batch in stream])
    assert all(batch["reset"] for batch in stream)
    np.testing.assert_array_equal(stream[7]["targets"], stream[7]["inputs"]["tokens"] + 1)
    assert set(starts) == set(range(45))  # every window that has a target for each token, the last included
    assert len({row[0] for batch in stream[:20] for row in [tuple(batch["inputs"]["tokens"][:, 0])]}) > 5


@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.int64])
def test_static_shapes_and_types(dtype):
    for largest, carry in itertools.product([200, 65_535, 65_536], [True, False]):
        ids = np.full(100, largest % np.iinfo(dtype).max, dtype)
        dataset = batches(ids, batch_size=3, window_steps=5, seed=0, start_step=0, carry_state=carry)
        spec = dataset.element_spec
        assert spec["inputs"]["tokens"].shape == spec["targets"].shape == (3, 5) and spec["reset"].shape == ()
        assert spec["inputs"]["tokens"].dtype == spec["targets"].dtype == "int32" and spec["reset"].dtype == "bool"
        assert next(dataset.as_numpy_iterator())["targets"].max() == ids[0]


def test_too_short_texts_say_how_much_is_needed():
    exact = take(3, np.arange(16))
    assert [bool(batch["reset"]) for batch in exact] == [True] * 3
    with pytest.raises(DataError, match=r"15 characters.*need 16.*batch_size.*carry_state false"):
        take(1, np.arange(15), token="character")
    assert take(1, np.arange(6), carry_state=False)[0]["targets"][0].tolist() == [1, 2, 3, 4, 5]
    with pytest.raises(DataError, match=r"5 tokens.*needs 6"):
        take(1, np.arange(5), carry_state=False)
    with pytest.raises(DataError, match="0 tokens"):
        take(1, np.arange(0), carry_state=False)

from __future__ import annotations

from typing import Any

import numpy as np

from rnnapps.tasks.music_generation.data.frame_windows import frame_batches

KEYS = 12


def rolls(*lengths: int) -> list[np.ndarray[Any, Any]]:
    """Pieces whose frame at step t is key 3 + t % 5: what follows what is known."""
    return [np.eye(KEYS, dtype=np.uint8)[3 + np.arange(length) % 5] for length in lengths]


def batches_of(lengths: tuple[int, ...], room: tuple[int, int], start: int = 0, count: int = 20) -> list[Any]:
    found = frame_batches(
        rolls(*lengths), [room] * len(lengths), batch_size=8, window_steps=6, seed=3, start_step=start
    )
    return list(found.take(count).as_numpy_iterator())


def test_windows_are_pieces_of_pieces() -> None:
    starts, counts = set(), set()
    for batch in batches_of((4, 30), (0, 0)):
        frames, targets, valid = batch["inputs"]["frames"], batch["targets"], batch["valid"]
        np.testing.assert_array_equal(frames[:, 1:], targets[:, :-1])
        np.testing.assert_array_equal(batch["inputs"]["next_frames"], targets)
        assert not targets[~valid].any()
        for row in range(8):
            count = int(valid[row].sum())
            counts.add(count)
            assert count == 4 or count == 6
            keys = targets[row, :count].argmax(axis=1)
            assert ((keys - 3) % 5 == (keys[0] - 3 + np.arange(count)) % 5).all()
            starts.add(not frames[row, 0].any())
            if not frames[row, 0].any():
                assert keys[0] == 3  # only the beginning follows silence
    assert starts == {True, False} and counts == {4, 6}


def test_transposition_moves_all_keys_alike_within_the_room() -> None:
    shifts = set()
    for batch in batches_of((5,), (-3, 2)):
        for targets in batch["targets"]:
            keys = targets[:5].argmax(axis=1)
            shifts.add(int(keys[0] - 3))
            np.testing.assert_array_equal(keys - keys[0], np.arange(5))
            assert targets[:5].sum() == 5
    assert shifts == set(range(-3, 3))


def test_a_batch_depends_on_seed_and_step_only() -> None:
    whole, resumed = batches_of((9, 14), (-1, 1), count=5), batches_of((9, 14), (-1, 1), start=3, count=2)
    for one, other in zip(whole[3:], resumed, strict=True):
        np.testing.assert_array_equal(one["targets"], other["targets"])

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from rnnapps.tasks.video_recognition.working_frames import centre_box, resized, subject_box, to_working_size


@pytest.mark.parametrize("shape", [(120, 160, 3), (33, 20, 1), (16, 16, 3), (480, 641, 3), (1, 7, 3)])
def test_resized_like_tensorflow(shape: tuple[int, int, int]) -> None:
    image = np.random.default_rng(0).uniform(0, 255, shape).astype(np.float32)
    expected = tf.image.resize(image, (16, 16), method="bilinear", antialias=True)
    np.testing.assert_allclose(resized(image, 16), expected, atol=2e-3)


def test_halving_by_hand() -> None:
    # new pixel 0 lies between old pixels 0 and 1; a triangle twice as wide weighs 0, 1, 2 by 0.75, 0.75, 0.25
    row = np.array([70.0, 0.0, 0.0, 0.0], np.float32)
    assert resized(np.tile(row, (4, 1))[..., None], 2)[0, :, 0].tolist() == pytest.approx([30.0, 0.0])


def test_boxes_by_hand() -> None:
    assert centre_box(120, 160) == (0, 20, 120, 120)
    frame = np.zeros((60, 80, 3), np.uint8)
    assert subject_box(frame) == centre_box(60, 80)
    frame[20:40, 30:36] = 200
    assert subject_box(frame) == (20 + 8 - 15, 32 - 15, 30, 30)
    assert subject_box(np.full((60, 80, 3), 24, np.uint8)) == centre_box(60, 80)


def test_what_lies_outside_is_black() -> None:
    frame = np.full((10, 10, 3), 100, np.uint8)
    found = to_working_size(frame, (-10, 0, 20, 20), 20, grey=True)
    assert found.shape == (20, 20, 1)
    assert (found[:10] == 0).all() and (found[10:, :10] == 100).all() and (found[:, 10:] == 0).all()


def test_grey_is_luma() -> None:
    frame = np.zeros((16, 16, 3), np.uint8)
    frame[..., 1] = 200
    assert (to_working_size(frame, (0, 0, 16, 16), 16, grey=True) == round(0.587 * 200)).all()

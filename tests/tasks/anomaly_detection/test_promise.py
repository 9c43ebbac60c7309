"""What a threshold promises, against tables of exact Poisson intervals."""

from __future__ import annotations

import numpy as np
import pytest

from rnnapps.tasks.anomaly_detection.promise import alarm_rate


def test_alarms_that_lie_close_together_are_one() -> None:
    scores = np.zeros(1000)
    scores[[10, 11, 13, 300, 900]] = 5.0
    rate = alarm_rate([scores, np.zeros(1000)], [1.0, 1.0], apart=5)
    assert (rate.alarms, rate.rows) == (3, 2000)
    assert rate.low == pytest.approx(0.6187 / 2, rel=1e-3)  # Garwood 1936: 0.619 to 8.77 for three
    assert rate.high == pytest.approx(8.7673 / 2, rel=1e-3)
    assert rate.words() == "1.5 per 1,000 normal rows, 95 % interval 0.31 to 4.4: 3 in 2,000 held-out rows"
    assert alarm_rate([scores], [1.0], apart=1).alarms == 4


def test_no_alarm_in_a_few_rows_promises_little() -> None:
    rate = alarm_rate([np.zeros(100)], [1.0], apart=5)
    assert rate.low == 0
    assert rate.high == pytest.approx(36.9, rel=1e-3)

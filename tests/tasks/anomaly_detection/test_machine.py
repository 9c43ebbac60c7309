"""The simulated machine: healthy rows hang together, and each kind of fault breaks what it says."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from rnnapps.tasks.anomaly_detection.data.machine import FAULTS, SENSORS, Fault, inject, simulate, simulate_with_faults


def column(name: str) -> int:
    return SENSORS.index(name)


def test_healthy_sensors_follow_the_load() -> None:
    values = simulate(4000, np.random.default_rng(0))
    assert np.isfinite(values).all()
    correlations = np.corrcoef(values.T)[column("load")]
    assert all(correlations[column(name)] > 0.8 for name in ("speed", "current", "pressure", "flow"))
    assert abs(correlations[column("ambient")]) < 0.2


def test_the_same_seed_gives_the_same_machine() -> None:
    one, other = (simulate_with_faults(3000, np.random.default_rng(3), per_kind=2) for _ in range(2))
    assert (one[0] == other[0]).all()
    assert one[1] == other[1]


def test_every_kind_occurs_and_no_two_faults_meet() -> None:
    values, faults = simulate_with_faults(10_000, np.random.default_rng(1))
    assert sorted(fault.kind for fault in faults) == sorted(list(FAULTS) * 5)
    assert all(before.last + 60 <= after.first for before, after in itertools.pairwise(faults))
    assert faults[-1].last < len(values)


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_touches_its_sensor_and_rows_alone(kind: str) -> None:
    draw = np.random.default_rng(5)
    healthy = simulate(2000, draw)
    values = healthy.copy()
    inject(values, Fault(kind, "flow", 1000, 1100), draw)
    changed = np.argwhere(values != healthy)
    assert set(changed[:, 1]) == {column("flow")}
    assert changed[:, 0].min() >= 1000
    assert changed[:, 0].max() <= 1100
    if kind == "stuck sensor":
        assert len(set(values[1000:1101, column("flow")])) == 1

"""The attack on exports notices errors, changed neighbours, values that JSON cannot carry, and what takes long."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from benchmarks.hostile_requests import Outcome, attack
from benchmarks.hostile_values import hostile_array, special_files
from rnnapps.export.arrays import Arrays

INPUTS = {"x": np.arange(15, dtype=np.float32).reshape(5, 3) + 1, "lengths": np.array([3, 1, 2, 3, 1], np.int32)}
SHAPES = {"x": [None, None], "lengths": [None]}


class Model:
    """Sums rows; `fault` gets (whether a row is bad, the answer) and may spoil it."""

    def __init__(self, fault: Callable[[bool, Arrays], Arrays]) -> None:
        self.fault = fault

    def run(self, signature: str, inputs: Arrays) -> Arrays:
        x, lengths = inputs["x"], inputs["lengths"]
        fits = (lengths >= 0) & (lengths <= x.shape[1])
        good = fits & (np.abs(np.where(np.isfinite(x), x, 1e9)) < 100).all(axis=1)
        inside = np.arange(x.shape[1]) < lengths[:, None]
        total = np.where(inside & good[:, None], np.where(np.isfinite(x), x, 0), 0).sum(axis=1)
        answer = {"total": total.astype(np.float32), "problem": np.where(good, b"", b"is bad").astype(object)}
        return self.fault(not good.all(), answer)


def attacked(fault: Callable[[bool, Arrays], Arrays]) -> Outcome:
    model: Any = Model(fault)
    return attack(model, "s", INPUTS, SHAPES, requests=60, seed=0)


def raising(bad: bool, answer: Arrays) -> Arrays:
    if bad:
        raise ValueError("no")
    return answer


def spoilt(bad: bool, answer: Arrays) -> Arrays:
    return {**answer, "total": answer["total"] + np.float32(bad)}


def leaking(bad: bool, answer: Arrays) -> Arrays:
    return {**answer, "total": np.where(answer["problem"] == b"", answer["total"], np.nan).astype(np.float32)}


def test_a_careful_model_passes() -> None:
    outcome = attacked(lambda bad, answer: answer)
    assert outcome.good and outcome.requests == 60 and outcome.problems > 20


@pytest.mark.parametrize(("fault", "field"), [(raising, "refused"), (spoilt, "changed"), (leaking, "leaked")])
def test_what_goes_wrong_is_counted(fault: Callable[[bool, Arrays], Arrays], field: str) -> None:
    outcome = attacked(fault)
    assert getattr(outcome, field) > 20 and not outcome.good and outcome.told


def test_what_takes_long_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter(range(0, 10**6, 11))
    monkeypatch.setattr(time, "perf_counter", lambda: next(moments))
    outcome = attacked(lambda bad, answer: answer)
    assert outcome.slowest_seconds == 11 and not outcome.good


@pytest.mark.parametrize("kind", [np.float32, np.int32, np.uint8, object])
def test_one_row_alone_is_bad(kind: type) -> None:
    array = np.full((4, 3), b"text", object) if kind is object else np.full((4, 3), 7, kind)
    draw, seen = np.random.default_rng(0), set()
    for _ in range(50):
        changed = hostile_array(draw, array, 2)
        assert (np.delete(changed, 2, 0) == np.delete(array, 2, 0)).all()
        seen.add(repr(changed[2].tolist()))
    assert len(seen) > 10


@pytest.mark.parametrize("magic", [b"RIFF", b"MThd"])
def test_special_files_are_of_the_kind_of_the_example(magic: bytes) -> None:
    assert all(content.startswith(magic) for content in special_files(magic + bytes(20)))

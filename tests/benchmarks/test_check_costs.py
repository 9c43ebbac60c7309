from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.check_costs import PLAIN, WARM_UPS, _race, _requests


class Stored:
    """An export with a stored request."""

    def __init__(self, **inputs: Any) -> None:
        self._inputs = {name: np.array(value) for name, value in inputs.items()}

    def examples(self, _: str) -> dict[str, Any]:
        return dict(self._inputs)


def test_both_are_asked_the_same_and_each_keeps_its_own_states() -> None:
    before = Stored(rows=[[1.0], [2.0]], length=[7, 8], state_0=[[1.0], [1.0]])
    now = Stored(rows=[[3.0], [1e30]], steps=[1, 2], stop=[b"x", b""], state_0=[[5.0, 5.0]] * 2, lengths=[1, 1])
    old, new = _requests("step", 3, [before, now], PLAIN)
    assert old["rows"].tolist() == new["rows"].tolist() == [[1.0], [2.0], [1.0]]
    assert old["length"].tolist() == new["steps"].tolist() == [PLAIN["steps"]] * 3
    assert new["stop"].tolist() == [b""] * 3 and new["lengths"].tolist() == [1] * 3
    assert old["state_0"].shape == (3, 1) and new["state_0"].shape == (3, 2)


def test_contestants_take_turns_and_medians_are_kept(monkeypatch: Any) -> None:
    monkeypatch.setattr("benchmarks.check_costs.ROUND_SECONDS", 0.01)
    calls: list[str] = []
    quick, slow = (lambda: calls.append("a") or (1.0, 2.0)), (lambda: calls.append("b") or (3.0, 4.0))
    assert _race([quick, slow])[0] == [(1.0, 2.0), (3.0, 4.0)]
    turns = ["".join(calls[start : start + 2]) for start in range(2 * WARM_UPS, len(calls), 2)]
    assert set(turns) == {"ab", "ba"}

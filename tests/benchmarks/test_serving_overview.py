from __future__ import annotations

from typing import Any

from benchmarks.serving_overview import overview


def load(by: str, clients: int, batching: str, per_second: float, **more: Any) -> dict[str, Any]:
    return {"by": by, "clients": clients, "batching": batching, "per_second": per_second, "p50": 1.26, "p99": 9, **more}


RESULT = {
    "model": "toy",
    "signature": "step",
    "bytes": 1_234_567,
    "first_served": 3.25,
    "loads": [
        load("direct call", 1, "", 500, load_seconds=0.52, first=1234.5, differences={"step": 2e-7, "other": 0.0}),
        *(load(by, 1, "yes", 300) for by in ("REST", "gRPC")),
        load("REST", 16, "no", 400, processor_ms=3.456),
        load("REST", 16, "yes", 1000, processor_ms=1.2),
        load("gRPC", 16, "no", 350),
        load("gRPC", 16, "yes", 700),
    ],
    "parity": {
        name: {
            "rest_is_grpc": alike,
            "same_bits_together": 79,
            "of": 80,
            "largest_difference_together": 0.0,
            "largest_difference_from_keras": difference,
        }
        for name, alike, difference in (("step", True, 3e-7), ("other", False, 0.0))
    },
}


def test_lines_of_a_model() -> None:
    text = overview([RESULT], [0.5, 2.25])
    assert "load average 0.5 before and 2.2 after. Stored requests of one row of `step`." in text
    times, rates, parity = [line for line in text.splitlines() if line.startswith("| `toy`")]
    assert times.split(" | ")[1:5] == ["1,235", "0.5", "1,234", "3.2"]
    assert rates == "| `toy` | 500 | 400 | 1,000 | 350 | 700 | 2.5 | 2.0 | 2.0 | 3.46, 1.20 |"
    assert parity == "| `toy` | 2 | 2e-07 | 3e-07 | differs | 0 | 158 of 160 |"

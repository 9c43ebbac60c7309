"""Tables of one line a model: what it takes, how soon it answers, how fast, and whether every way gives the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.report import machine, table

__all__ = ["overview"]

Result = Mapping[str, Any]

_TIMES = (
    "",
    "kB",
    "load, s",
    "first, cold, ms",
    "first, served, ms",
    "direct call",
    "REST, 1 client",
    "gRPC, 1 client",
    "REST, 16 clients",
    "gRPC, 16 clients",
)
_RATES = (
    "",
    "direct calls",
    "REST, no batching",
    "REST, batching",
    "gRPC, no batching",
    "gRPC, batching",
    "batching gains, REST",
    "gRPC",
    "REST, of direct",
    "processor ms, REST",
)
_PARITY = ("", "signatures", "C API", "gRPC", "REST as gRPC", "rows that share runs", "of them to the last bit")


def overview(results: Sequence[Result], loads: Sequence[float]) -> str:
    """The tables of some models as Markdown.

    Args:
        results: what was measured of each, loads and parity among it.
        loads: load averages of the machine before and after.
    """
    here = machine({})
    parts = [
        f"{here['date'][:10]}, {here['cores']} cores of {here['processor']}, load average {loads[0]:.1f} before and"
        f" {loads[1]:.1f} after. Stored requests of one row of `{results[0]['signature']}`.",
        "Milliseconds, median and 99th percentile:",
        table(_TIMES, [_times(result) for result in results]),
        "Requests a second, of 16 clients but for direct calls; last, the processor time of server and model for one"
        " request, without and with batching, which other work on the machine changes less:",
        table(_RATES, [_rates(result) for result in results]),
        "Largest differences, as a share of the largest value, from Keras; last, from the same rows alone:",
        table(_PARITY, [_parity(result) for result in results]),
    ]
    return "\n\n".join(parts)


def _load(result: Result, by: str, clients: int, batching: str) -> Mapping[str, Any]:
    """One load of those that were measured."""
    wanted = (by, clients, batching)
    return next(load for load in result["loads"] if (load["by"], load["clients"], load["batching"]) == wanted)


def _direct(result: Result) -> Mapping[str, Any]:
    return _load(result, "direct call", 1, "")


def _times(result: Result) -> list[str]:
    direct = _direct(result)
    loads = [direct, *(_load(result, by, clients, "yes") for clients in (1, 16) for by in ("REST", "gRPC"))]
    return [
        f"`{result['model']}`",
        f"{result['bytes'] / 1000:,.0f}",
        f"{direct['load_seconds']:.1f}",
        f"{direct['first']:,.0f}",
        f"{result['first_served']:.1f}",
        *(f"{load['p50']:.1f}, {load['p99']:.1f}" for load in loads),
    ]


def _rates(result: Result) -> list[str]:
    direct = _direct(result)["per_second"]
    served = [_load(result, by, 16, batching)["per_second"] for by in ("REST", "gRPC") for batching in ("no", "yes")]
    rest, grpc = served[1] / served[0], served[3] / served[2]
    rates = [f"{rate:,.0f}" for rate in (direct, *served)]
    processor = ", ".join(f"{_load(result, 'REST', 16, batching)['processor_ms']:.2f}" for batching in ("no", "yes"))
    return [f"`{result['model']}`", *rates, f"{rest:.1f}", f"{grpc:.1f}", f"{served[1] / direct:.1f}", processor]


def _parity(result: Result) -> list[str]:
    found = result["parity"].values()
    differences = _direct(result)["differences"].values()
    return [
        f"`{result['model']}`",
        str(len(found)),
        _share(max(differences)),
        _share(max(each["largest_difference_from_keras"] for each in found)),
        "the same bits" if all(each["rest_is_grpc"] for each in found) else "differs",
        _share(max(each["largest_difference_together"] for each in found)),
        f"{sum(each['same_bits_together'] for each in found)} of {sum(each['of'] for each in found)}",
    ]


def _share(value: float) -> str:
    return f"{value:.0e}" if value else "0"

"""Reports of the benchmarks: what machine and versions, tables as Markdown, figures as JSON."""

from __future__ import annotations

import datetime
import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.worker import Worker

__all__ = ["Report", "machine", "section", "table", "write"]


@dataclass
class Report:
    """The result of one benchmark.

    Attributes:
        title: heading.
        text: Markdown under it.
        figures: the same as plain values, with all single timings.
    """

    title: str
    text: str
    figures: dict[str, Any] = field(default_factory=dict)


def machine(staff: Mapping[str, Worker]) -> dict[str, Any]:
    """Processor, cores, load and versions, those of the workers' packages too."""
    packages = {"tensorflow": ("tensorflow", "keras", "numpy"), "torch": ("torch",)}
    versions = {"python": platform.python_version()}
    for family, worker in staff.items():
        versions |= worker.versions(packages.get(family, ()))
    return {
        "date": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "load": round(os.getloadavg()[0], 2),
        "versions": versions,
    }


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; all columns but the first are right-aligned."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def section(report: Report) -> str:
    """One benchmark as Markdown."""
    return f"## {report.title}\n\n{report.text}\n"


def write(reports: Sequence[Report], where: Mapping[str, Any], to: Path | None) -> str:
    """Writes `to` with the endings .md and .json, each in one piece, and returns the Markdown.

    Args:
        reports: at least one.
        where: the result of `machine`.
        to: path without or with either ending; None writes nothing.
    """
    versions = ", ".join(f"{name} {version}" for name, version in where["versions"].items())
    head = (
        f"{where['date']}: {where['processor']}, {where['cores']} cores, load {where['load']} at the start; {versions}."
    )
    text = "\n".join(["# Benchmarks", "", head, "", *map(section, reports)])
    if to is not None:
        figures = {"machine": dict(where), **{report.title: report.figures for report in reports}}
        _replace(to.with_suffix(".md"), text)
        _replace(to.with_suffix(".json"), json.dumps(figures, indent=1) + "\n")
    return text


def _replace(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, path)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()

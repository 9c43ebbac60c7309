"""Certificates for a terminal and as a page: the map of scores, and what they cost."""

from __future__ import annotations

from collections.abc import Sequence

from rnnapps.certificates.certify import Finding
from rnnapps.certificates.gradient import HOLDS
from rnnapps.certificates.probes import GRADIENT, PROBES
from rnnapps.contract.sections import Block, Paragraph, Section, Table, Value
from rnnapps.reports.render import render_page

__all__ = ["certificate_page", "certificate_sections"]


def certificate_page(findings: Sequence[Finding]) -> str:
    """The findings as an HTML page."""
    lead = "Each cell alone, one layer of as many parameters, with the same readout, trained anew from each seed."
    return render_page("What cells can do", lead, certificate_sections(findings, pictures=True))


def certificate_sections(findings: Sequence[Finding], *, pictures: bool) -> list[Section]:
    """The map, the probes and the costs.

    Args:
        findings: of every cell on every probe.
        pictures: whether the map is drawn beside its table.
    """
    return [
        Section("Map", _map(findings, pictures=pictures)),
        Section("Probes", [_probes(findings)]),
        Section("Costs", [_costs(findings)]),
    ]


def _map(findings: Sequence[Finding], *, pictures: bool) -> list[Block]:
    """Scores by cell and probe."""
    by_place = {(finding.cell, finding.probe): finding for finding in findings}
    cells, probes = (list(dict.fromkeys(key[axis] for key in by_place)) for axis in (0, 1))
    rows: list[Sequence[Value]] = [
        (cell, *(f"{by_place[cell, probe].score:.2f} ({_seeds(by_place[cell, probe])})" for probe in probes))
        for cell in cells
    ]
    blocks: list[Block] = [
        Paragraph(
            "0 is what answering without looking reaches, 1 is all right; the median of the seeds, and in how many of "
            "them the cell held."
        )
    ]
    if pictures:
        from rnnapps.reports.plots.scores import plot_scores

        scores = [[by_place[cell, probe].score for probe in probes] for cell in cells]
        marks = [[_seeds(by_place[cell, probe]) for probe in probes] for cell in cells]
        blocks.append(plot_scores(scores, marks, cells, [probe.replace("_", " ") for probe in probes]).picture())
    return [*blocks, Table(("cell", *(probe.replace("_", " ") for probe in probes)), rows)]


def _seeds(finding: Finding) -> str:
    return f"{finding.held}/{len(finding.trials)}"


def _probes(findings: Sequence[Finding]) -> Table:
    """What each probe asks, and from which score on a cell holds."""
    rows: list[Sequence[Value]] = []
    for name in dict.fromkeys(finding.probe for finding in findings):
        if name == GRADIENT:
            asks = "a new cell's gradient 1,000 steps back is within a factor of 1,000 of that one step back"
            rows.append((name, asks, None, None, HOLDS))
        else:
            probe = PROBES[name]
            rows.append((name, probe.asks, probe.steps, probe.tested, probe.holds))
    return Table(("probe", "the cell", "trained steps", "tested steps", "holds from"), rows)


def _costs(findings: Sequence[Finding]) -> Table:
    """Sizes and times by cell."""
    rows: list[Sequence[Value]] = []
    for cell in dict.fromkeys(finding.cell for finding in findings):
        own = [trial for finding in findings if finding.cell == cell for trial in finding.trials]
        units, parameters = [trial.units for trial in own], [trial.parameters for trial in own]
        updates, seconds = sum(trial.updates for trial in own), sum(trial.seconds for trial in own)
        rows.append((cell, _span(units), _span(parameters), updates, round(seconds)))
    return Table(("cell", "units", "parameters", "updates in all", "seconds in all"), rows)


def _span(numbers: Sequence[int]) -> str:
    """Smallest and largest."""
    return f"{min(numbers):,}" if min(numbers) == max(numbers) else f"{min(numbers):,} to {max(numbers):,}"

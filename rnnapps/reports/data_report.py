"""What was understood of data as sections: the same for a terminal and for a page, which also has pictures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rnnapps.contract.data_report import Caution, DataReport, Example, Histogram, Lines
from rnnapps.contract.sections import Block, Paragraph, Picture, Section, Table, Value
from rnnapps.reports.render import format_value, render_page

__all__ = ["data_page", "data_sections"]

BAR = 24
"""Characters of the longest bar."""


def data_page(report: DataReport, pipeline: str) -> str:
    """The report as an HTML page."""
    return render_page(f"Data for {pipeline}", report.source, data_sections(report, pictures=True))


def data_sections(report: DataReport, *, pictures: bool) -> list[Section]:
    """The parts of the report that say something, in their order.

    Args:
        report: what was understood.
        pictures: whether spreads, curves and examples are drawn; else spreads are tables with bars of characters.
    """
    sections = [
        Section("Understood", list(_understood(report))),
        Section("Split", list(_split(report))),
        *(Section(each.title.capitalize(), [Table(each.columns, each.rows)]) for each in report.listings),
        Section("Spread", list(_spreads(report.histograms, pictures))),
        Section("Counts", [_counts_table(report)] if report.counts else []),
        Section("Left out", list(_left_out(report))),
        Section("Cautions", [Paragraph(_advice(caution), verdict=True) for caution in report.cautions]),
        Section("Suggested settings", _suggested(report)),
        Section("Examples", list(_examples(report, pictures))),
        Section("Curves", [_curves(each) for each in report.lines] if pictures else []),
        Section("Costs", [Table(("", ""), list(report.costs.items()))] if report.costs else []),
    ]
    return [section for section in sections if section.blocks]


def _understood(report: DataReport) -> Iterable[Block]:
    """Facts, and what readers told."""
    if report.facts:
        yield Table(("", ""), list(report.facts.items()))
    for note in report.notes:
        yield Paragraph(note)


def _split(report: DataReport) -> Iterable[Block]:
    """The parts with their sizes and reasons."""
    units = list(dict.fromkeys(unit for part in report.parts for unit in part.sizes))
    rows = [(part.name, *(part.sizes.get(unit) for unit in units), part.reason) for part in report.parts]
    if rows:
        yield Table(("part", *units, "why"), rows)


def _spreads(histograms: Sequence[Histogram], pictures: bool) -> Iterable[Block]:
    """Each spread with its marks."""
    if pictures:
        from rnnapps.reports.plots.bars import plot_histogram
    for histogram in histograms:
        marks = ", ".join(f"{name} {format_value(value)}" for name, value in histogram.marks.items())
        if pictures:
            yield plot_histogram(histogram, caption=marks).picture()
            continue
        most = max(histogram.counts, default=0)
        rows: list[Sequence[Value]] = [
            (f"{format_value(low)} to {format_value(high)}", count, "#" * (-(-BAR * count // most) if most else 0))
            for low, high, count in zip(histogram.edges, histogram.edges[1:], histogram.counts, strict=False)
        ]
        yield Table((histogram.title, "examples", ""), rows, caption=marks)


def _counts_table(report: DataReport) -> Table:
    """What occurs how often, a row for each kind of thing."""
    rows = []
    for counts in report.counts:
        shown = ", ".join(f"{name} {count:,}" for name, count in list(counts.counts.items())[:12])
        rows.append((counts.title, counts.kinds, shown + (", ..." if counts.kinds > 12 else "")))
    return Table(("", "different", "commonest"), rows)


def _left_out(report: DataReport) -> Iterable[Block]:
    """What is not used, and all that cannot be read."""
    if report.left_out:
        yield Table(("not used", "examples"), [(each.reason, each.count) for each in report.left_out])
    if report.skipped:
        rows = [(each.file, each.problem) for each in report.skipped]
        yield Table((f"cannot be read ({len(rows):,})", "why"), rows)


def _advice(caution: Caution) -> str:
    """A caution with what can be done."""
    return caution.text + (f"; {caution.remedy}" if caution.remedy else "")


def _suggested(report: DataReport) -> list[Block]:
    """Flags to copy, and why."""
    if not report.suggestions:
        return []
    return [Table(("flag", "why"), [(str(each), each.reason) for each in report.suggestions])]


def _examples(report: DataReport, pictures: bool) -> Iterable[Block]:
    """Examples as text, and with pictures or sounds where there are some."""
    if report.examples:
        yield Table(("", ""), [row for each in report.examples for row in _rows(each, whole=pictures)])
    for example in report.examples if pictures else ():
        yield from example.blocks() if example.blocks else ()


def _rows(example: Example, *, whole: bool) -> Iterable[tuple[str, str]]:
    """The text of an example beside its title, in one cell or line by line."""
    lines = [example.text] if whole else example.text.split("\n")
    return ((example.title if not place else "", line) for place, line in enumerate(lines))


def _curves(lines: Lines) -> Picture:
    """Curves over what they share."""
    from rnnapps.reports.plots.curves import Curve, plot_curves

    curves = [Curve(name, list(lines.across), list(values)) for name, values in lines.curves.items()]
    return plot_curves(curves, title=lines.title, x_label=lines.axis, y_label="value").picture()

"""One page that shows several runs side by side: scores, settings, curves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rnnapps.contract.sections import Block, Gallery, Paragraph, Picture, Section, Table
from rnnapps.reports.plots import Curve, plot_curves
from rnnapps.reports.render import label, render_page
from rnnapps.verbs.run_records import RunRecord, by_pipeline, differing_settings, names_of

__all__ = ["comparison_page"]

MOST_CURVES = 10
"""Runs in one picture: more lines cannot be told apart."""

AXES = {"step": "training step", "elapsed_seconds": "seconds of training"}
NOT_DRAWN = frozenset({"step", "elapsed_seconds", "learning_rate"})


def comparison_page(records: Sequence[RunRecord]) -> str:
    """A complete HTML document with a section for each pipeline."""
    groups = by_pipeline(records).items()
    sections = [Section(label(pipeline).capitalize(), list(_blocks(runs))) for pipeline, runs in groups]
    return render_page("Runs side by side", f"{len(records):,} runs", sections)


def _blocks(records: Sequence[RunRecord]) -> Iterator[Block]:
    """Scores, differences, curves."""
    yield _scores(records)
    different = differing_settings(records)
    if different:
        yield Table(("Setting", *names_of(records)), different, caption="Differences")
    newest = sorted(record.written for record in records)[-MOST_CURVES:]
    drawn = [record for record in records if record.written >= newest[0]][:MOST_CURVES]
    if len(drawn) < len(records):
        yield Paragraph(f"Curves of the {MOST_CURVES} runs that were written last.")
    yield Gallery(list(_pictures(drawn)))


def _scores(records: Sequence[RunRecord]) -> Table:
    """A row for each run."""
    rows = []
    for name, record in zip(names_of(records), records, strict=True):
        metric, value, split = record.score
        rows.append((name, record.step, record.seconds, label(metric), split, value, *record.baseline))
    columns = ("Run", "Steps", "Seconds", "Metric", "Split", "Value", "Best baseline", "Its value", "Outcome")
    return Table(columns, rows, caption="Scores")


def _pictures(records: Sequence[RunRecord]) -> Iterator[Picture]:
    """Each figure over the steps, the one that decides over the seconds too."""
    names = dict.fromkeys(name for record in records for row in record.rows for name in row if name not in NOT_DRAWN)
    decisive = next((f"validation_{record.score[0]}" for record in records if record.score[0]), "")
    for name in names:
        for axis in ("step", "elapsed_seconds") if name == decisive else ("step",):
            curves = [curve for curve in _curves(records, name, axis) if curve.y]
            if curves:
                logarithmic = name == "gradient_norm"
                plot = plot_curves(curves, x_label=AXES[axis], y_label=label(name), logarithmic=logarithmic)
                yield plot.picture()


def _curves(records: Sequence[RunRecord], name: str, axis: str) -> Iterator[Curve]:
    for title, record in zip(names_of(records), records, strict=True):
        rows = [row for row in record.rows if isinstance(row.get(name), int | float) and axis in row]
        yield Curve(title, [row[axis] for row in rows], [row[name] for row in rows])

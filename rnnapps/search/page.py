"""What a search has found, as tables and pictures: for its page, and without pictures for the command line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from rnnapps.contract.sections import Block, Details, Gallery, Paragraph, Picture, Section, Table, Value
from rnnapps.search.found import Configuration, Found, verdict
from rnnapps.search.halving import BASELINE

if TYPE_CHECKING:
    from rnnapps.reports.plots import Curve

__all__ = ["search_page", "search_sections"]

MOST_ROWS = 12
"""Configurations in a table; the page folds the others away."""

MOST_CURVES = 8


def search_page(found: Found) -> str:
    """A complete HTML document."""
    from rnnapps.reports.render import label, render_page

    tried = f"{len(found.configurations):,} configurations in {found.spent_minutes:.1f} minutes"
    return render_page(f"{label(found.pipeline).capitalize()}: search", tried, search_sections(found, pictures=True))


def search_sections(found: Found, *, pictures: bool) -> list[Section]:
    """The parts of the report; those of which nothing is known are left out.

    Args:
        found: what to show.
        pictures: with pictures, and with all configurations.
    """
    sections = [
        Section("Best", list(_best(found))),
        Section("Configurations", list(_configurations(found, pictures))),
        Section("Importance of settings", list(_importance(found, pictures))),
        Section("Metric against size and latency", list(_frontier(found, pictures))),
    ]
    return [section for section in sections if section.blocks]


def _best(found: Found) -> Iterator[Block]:
    """The verdict, the seeds behind it, test data, and how to train it again."""
    yield Paragraph(verdict(found), verdict=True)
    repeated = [each for each in found.configurations if each.repeats]
    if repeated:
        seeds = max(len(each.repeats) for each in repeated)
        columns = ("Configuration", "Mean", *(f"seed +{more}" for more in range(1, seeds + 1)))
        rows = [(_name(each.number), each.mean, *_padded(each.repeats, seeds)) for each in repeated]
        yield Table(columns, rows, caption=f"{_metric(found)}, with seeds that the search has not used")
    yield from _test(found)
    yield Paragraph(f"train it again: {found.command}")
    if found.run is not None:
        yield Paragraph(f"its run: {found.run}")


def _test(found: Found) -> Iterator[Block]:
    if not found.test:
        return
    metrics = list(dict.fromkeys(name for evaluation in found.test.values() for name in evaluation.metrics))
    rows = [
        (_name(number), *(evaluation.metrics.get(name) for name in metrics))
        for number, evaluation in found.test.items()
    ]
    parts = ", ".join(dict.fromkeys(evaluation.split for evaluation in found.test.values()))
    before = found.scored - len(found.test)
    often = f", of which this search had scored {before} of its bests before" if before > 0 else ""
    columns = ("Scored once, in the end", *(name.replace("_", " ") for name in metrics))
    yield Table(columns, rows, caption=f"{parts} examples{often}")
    if found.contradicted:
        better = f"on these examples the configuration as it is has the better {found.contradicted.replace('_', ' ')}"
        told = "what validation examples say does not hold for others; keep it, or give more of them"
        yield Paragraph(f"{better}: {told}", verdict=True)
    for number, evaluation in found.test.items():
        if number == found.best and evaluation.verdict:
            yield Paragraph(evaluation.verdict.sentence)


def _configurations(found: Found, pictures: bool) -> Iterator[Block]:
    """All of them, the best first; and how they came there."""
    shown = found.configurations if pictures else found.configurations[:MOST_ROWS]
    keys = [key for key in found.space if len({str(each.settings[key]) for each in found.configurations}) > 1]
    columns = ("Configuration", "Step", _metric(found), *keys)
    rows = [_row(each, keys) for each in shown]
    hidden = len(found.configurations) - len(shown)
    more = f"; {hidden} others are in the page" if hidden else ""
    table = Table(columns, rows, caption=f"validation, best first; a whole training has {found.steps:,} steps{more}")
    yield Details("All configurations", [table]) if len(rows) > MOST_ROWS else table
    for each in found.configurations:
        if each.reason:
            yield Paragraph(f"{_name(each.number)} could not be trained: {each.reason}")
    if pictures and any(len(each.rungs) > 1 for each in found.configurations):
        yield _course(found)


def _course(found: Found) -> Picture:
    """The best validation of the leading configurations at each rung."""
    from rnnapps.reports.plots import plot_curves

    return plot_curves(list(_curves(found)), x_label="training step", y_label=_metric(found)).picture()


def _curves(found: Found) -> Iterator[Curve]:
    from rnnapps.reports.plots import Curve

    for each in found.configurations[:MOST_CURVES]:
        if each.rungs:
            yield Curve(_name(each.number), list(each.rungs), list(each.rungs.values()))


def _importance(found: Found, pictures: bool) -> Iterator[Block]:
    if not found.importances:
        return
    if pictures:
        from rnnapps.reports.plots.search import plot_shares

        yield plot_shares(found.importances, x_label="share in what sets the best apart").picture()
    rows = [(key, share, _tried(found.space[key])) for key, share in found.importances.items()]
    known = sum(found.first_rung in each.rungs for each in found.configurations)
    caption = f"PED-ANOVA of {known} configurations at step {found.first_rung:,}; a rough guide where they are few"
    yield Table(("Setting", "Importance", "Tried"), rows, caption=caption)


def _frontier(found: Found, pictures: bool) -> Iterator[Block]:
    """What was trained to its end: how good, how large, how fast."""
    ended = [each for each in found.configurations if each.milliseconds is not None and each.value is not None]
    if not ended:
        return
    rows = [
        (_name(each.number), each.value, each.parameters, each.milliseconds, "yes" if each.on_frontier else "no")
        for each in ended
    ]
    columns = ("Configuration", _metric(found), "Parameters", "Milliseconds of an answer", "On the frontier")
    caption = "trained to the end; on the frontier nothing is better in one column and no worse in the others"
    yield Table(columns, rows, caption=caption)
    if pictures and len(ended) > 1:
        yield Gallery([_points(found, ended, "parameters"), _points(found, ended, "milliseconds")])


def _points(found: Found, ended: list[Configuration], cost: str) -> Picture:
    from rnnapps.reports.plots.search import Point, plot_points

    points = [Point(str(each.number), getattr(each, cost), each.value or 0.0, each.on_frontier) for each in ended]
    named = {"parameters": "parameters", "milliseconds": "milliseconds of an answer"}
    words = {"marked": "on the frontier", "others": "behind it"}
    return plot_points(points, x_label=named[cost], y_label=_metric(found), **words).picture()


def _row(each: Configuration, keys: list[str]) -> tuple[Value, ...]:
    return (_name(each.number), each.step, each.value, *(_value(each.settings[key]) for key in keys))


def _value(value: object) -> Value:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def _tried(text: Mapping[str, object]) -> str:
    """What may be tried of a setting, in words."""
    if "values" in text:
        return ", ".join(map(str, text["values"])) if isinstance(text["values"], list) else ""
    return f"{text['low']:g} to {text['high']:g}"


def _padded(values: object, length: int) -> list[Value]:
    known = list(values) if isinstance(values, list | tuple) else []
    return known + [None] * (length - len(known))


def _name(number: int) -> str:
    return "as it is" if number == BASELINE else str(number)


def _metric(found: Found) -> str:
    better = "higher" if found.higher_is_better else "lower"
    return f"{found.metric.replace('_', ' ')} ({better} is better)"

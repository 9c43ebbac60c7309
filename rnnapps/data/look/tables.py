"""What was understood of series in tables: columns and their roles, times, the split, and what ruins a model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rnnapps.contract.bad_examples import BadExample
from rnnapps.contract.data_report import AS_IT_IS, Caution, DataReport, Example, Lines, Listing, Part, Suggestion
from rnnapps.contract.sections import Value
from rnnapps.data.digest import digest_examples
from rnnapps.data.look.columns import column_cautions
from rnnapps.data.look.repeats import repeats
from rnnapps.data.look.seasons import found_seasons
from rnnapps.data.look.spreads import spread
from rnnapps.data.series.config import SeriesDataConfig
from rnnapps.data.series.series import Series, SeriesPart, SplitSeries
from rnnapps.types import Array

__all__ = ["LONGER_PERIOD", "PERIOD", "every_series", "look_at_series"]

PERIOD = "period found, rows"
"""The fact that tells after how many rows series repeat themselves."""

LONGER_PERIOD = "longer period found, rows"
"""The fact that tells of a second one."""

SHOWN_ROWS, SHOWN_SERIES, SHOWN_CHANNELS = 3, 3, 8
DRAWN = 400
"""Points of a curve."""


def look_at_series(
    parts: SplitSeries, config: SeriesDataConfig, source: str, *, skipped: Sequence[BadExample] = ()
) -> DataReport:
    """Describes series.

    Args:
        parts: the split.
        config: how they were read and split.
        source: what a person would call the data.
        skipped: files that could not be read.
    """
    series = every_series(parts)
    rows = {name: _own_rows(getattr(parts, name)) for name in parts._fields}
    season, longer = found_seasons(series)
    lengths = spread("rows of a series", [len(own) for own in series]) if len(series) > 1 else None
    repeated, twice = _repeated(series)
    return DataReport(
        source,
        facts={**_facts(series, config), PERIOD: season or "none", **({LONGER_PERIOD: longer} if longer else {})},
        parts=[_part(name, getattr(parts, name), config) for name in parts._fields],
        listings=[_columns(series[0], rows["train"]), *([repeated] if repeated else [])],
        histograms=[lengths] if lengths else [],
        skipped=skipped,
        cautions=[*column_cautions(rows, series[0].channels), *twice],
        suggestions=_suggestions(season, longer, config),
        examples=[_example(own) for own in series[:SHOWN_SERIES]],
        lines=[_lines(own) for own in series[:SHOWN_SERIES]],
        costs={"memory of the rows, MB": round(sum(own.values.nbytes + own.known.nbytes for own in series) / 2**20, 2)},
    )


def every_series(parts: SplitSeries) -> list[Series]:
    """Each series of the split once, as long as it is read."""
    found: dict[str, Series] = {}
    for part in (part for split in parts for part in split):
        if len(part.series) >= len(found.get(part.series.name, ())):
            found[part.series.name] = part.series
    return list(found.values())


def _own_rows(parts: Sequence[SeriesPart]) -> Array:
    """The rows of all parts of a split, one below the other `(rows, channels)`."""
    own = [part.rows().values for part in parts]
    return np.concatenate(own) if own else np.zeros((0, 0))


def _facts(series: Sequence[Series], config: SeriesDataConfig) -> dict[str, Value]:
    """What was found out about the source as a whole."""
    first = series[0]
    timed = [own for own in series if own.times is not None and len(own)]
    facts: dict[str, Value] = {"series": len(series), "rows": sum(map(len, series)), "channels": len(first.channels)}
    columns = {"time": "time column", "series": "series column"}
    named = {"format": "format", **columns, "separator": "separator", "decimal": "decimal character"}
    facts |= {told: repr(first.rules[name]) for name, told in named.items() if first.rules.get(name)}
    if timed:
        facts["frequency"] = ", ".join(sorted({_shown_frequency(own) for own in timed}))
        facts["time zone"] = config.timezone
        times = [own.times for own in timed if own.times is not None]
        facts["first time, UTC"] = _shown_time(min(own[0] for own in times))
        facts["last time, UTC"] = _shown_time(max(own[-1] for own in times))
    else:
        facts["frequency"] = "no times: rows are equally spaced steps"
    values = sum(own.values.size for own in series)
    missing = sum(int(np.isnan(own.values).sum()) for own in series)
    facts["missing values, %"] = round(100 * missing / values, 3) if values else 0
    return facts


def _shown_frequency(own: Series) -> str:
    """The distance of the rows of a series that has times."""
    assert own.times is not None
    if own.frequency is not None:
        return str(own.frequency)
    steps = np.diff(own.times).astype("timedelta64[ms]").astype(np.int64)
    return f"{steps[0] / 1000:g} s" if len(steps) and (steps == steps[0]).all() else "irregular"


def _part(name: str, own: Sequence[SeriesPart], config: SeriesDataConfig) -> Part:
    """One part of the split, and why it is that."""
    sizes = {"rows": sum(map(len, own)), "series": len(own)}
    times = [part.rows().times for part in own if len(part) and part.series.times is not None]
    span = ""
    if times:
        first, last = min(each[0] for each in times), max(each[-1] for each in times)  # type: ignore[index]
        span = f"{_shown_time(first)} to {_shown_time(last)}"
    if name == "test" and own and all(part.start == 0 for part in own):
        reason = AS_IT_IS
    elif config.test_rows:
        validation, test = config.held_out_rows
        counted = {"validation": f"the {validation:,} rows before the test", "test": f"the last {test:,} rows"}
        reason = f"{counted.get(name, 'the rows before them')} of each series"
    elif config.validation_from:
        reason = f"split at {config.validation_from} and {config.test_from}"
    else:
        shares = {"validation": config.validation_fraction, "test": config.test_fraction}
        share = shares.get(name, 1 - sum(shares.values()))
        reason = f"{100 * share:.0f} % of the time, in its order"
    return Part(name, sizes, f"{reason}; {span}" if span else reason)


def _columns(first: Series, train: Array) -> Listing:
    """The columns, their roles, and the numbers of the training rows."""
    rows: list[tuple[Value, ...]] = []
    for place, name in enumerate(first.channels):
        present = train[:, place][np.isfinite(train[:, place])]
        quartiles = np.percentile(present, (0, 50, 100)) if len(present) else [None] * 3
        missing = round(100 * (1 - len(present) / len(train)), 2) if len(train) else None
        numbers = [None if value is None else float(value) for value in quartiles]
        rows.append((name, "channel", *numbers, missing))
    others = {
        "time": [first.rules.get("time", "")],
        "names the series": [first.rules.get("series", "")],
        "known ahead": first.known_names,
        "category": first.category_names,
        "constant within a series": (*first.static_names, *first.static_text_names),
    }
    rows += [(name, role, None, None, None, None) for role, names in others.items() for name in names if name]
    return Listing("columns", ("column", "role", "least", "median", "largest", "missing, %"), rows)


def _repeated(series: Sequence[Series]) -> tuple[Listing | None, list[Caution]]:
    """Series that are copies of others."""
    named = [(digest_examples([own.values]), own.name) for own in series if len(own)]
    listing, _ = repeats({"all series": named}, "series", remedy="")
    if listing is None:
        return None, []
    told = f"{listing.rows[0][1]} of {len(named)} series have the values of another one"
    return listing, [Caution(told, "leave the copies out: they count twice in every score")]


def _suggestions(season: int, longer: int, config: SeriesDataConfig) -> list[Suggestion]:
    """The seasons, where rows repeat themselves and no setting says so."""
    suggested = []
    if season and not config.season_steps:
        suggested.append(Suggestion("data.season_steps", season, f"rows are most like those {season} before them"))
    if longer > config.season_steps and not config.second_season_steps:
        why = f"they are even more like those {longer} before them than like those a little less or more far away"
        suggested.append(Suggestion("data.second_season_steps", longer, why))
    return suggested


def _example(own: Series) -> Example:
    """The first rows of a series as text."""
    shown = own.channels[:SHOWN_CHANNELS]
    more = f" and {len(own.channels) - len(shown)} more" if len(own.channels) > len(shown) else ""
    lines = []
    for row in range(min(SHOWN_ROWS, len(own))):
        time = "" if own.times is None else f"{_shown_time(own.times[row])}  "
        numbers = (f"{name} {own.values[row, place]:.6g}" for place, name in enumerate(shown))
        lines.append(time + ", ".join(numbers) + more)
    return Example(f"series {own.name!r}, first rows", "\n".join(lines))


def _lines(own: Series) -> Lines:
    """A series as curves of a few hundred points."""
    places = np.unique(np.linspace(0, max(len(own) - 1, 0), min(DRAWN, max(len(own), 1))).astype(np.int64))
    curves = {name: own.values[places, place].tolist() for place, name in enumerate(own.channels[:SHOWN_CHANNELS])}
    return Lines(f"series {own.name}", places.tolist(), curves if len(own) else {}, "row")


def _shown_time(time: np.datetime64) -> str:
    """A time without what is zero at its end."""
    text = str(time.astype("datetime64[ms]"))
    for ending in (".000", ":00", "T00:00"):
        text = text.removesuffix(ending)
    return text.replace("T", " ")

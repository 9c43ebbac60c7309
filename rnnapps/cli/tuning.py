"""The verb `tune` as a command: what a search has found, as text, JSON and a page."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnapps.cli.arguments import Arguments
from rnnapps.cli.result import Result, show_sections, write_page
from rnnapps.contract.pipeline import Pipeline
from rnnapps.errors import ConfigError

if TYPE_CHECKING:
    from rich.console import Console

    from rnnapps.search.found import Found

__all__ = ["new_search_path", "positive", "tune", "whole"]

SEARCHES = "searches"


def tune(pipeline: Pipeline[Any, Any, Any], arguments: Arguments) -> Result:
    """Searches for better settings, or goes on with a search."""
    from rnnapps.search.tune import Wanted
    from rnnapps.search.tune import tune as search

    options = arguments.options
    wanted = Wanted(
        minutes=positive("minutes", options["minutes"]),
        settings=tuple(options["settings"] or ()),
        cells=tuple(options["cells"] or ()),
        most=whole("trials", options["trials"]),
        judged=not options["skip_evaluation"],
    )
    folder = Path(options["search"] or new_search_path(pipeline.name))
    return _shown(search(pipeline, arguments.config, folder, wanted))


def whole(flag: str, text: str | None) -> int:
    """The whole number of a flag, 0 where it is not given; raises ConfigError for what is none above 0."""
    number = positive(flag, text) or 0.0
    if number != int(number):
        raise ConfigError(f"--{flag} must be a whole number, not {text!r}")
    return int(number)


def new_search_path(name: str) -> Path:
    """`searches/<pipeline>/<date>-<time>`."""
    return Path(SEARCHES, name, f"{datetime.datetime.now():%Y%m%d-%H%M%S}")


def positive(flag: str, text: str | None) -> float | None:
    """The number of a flag, None where it is not given; raises ConfigError for what is no number above 0."""
    if text is None:
        return None
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise ConfigError(f"--{flag} must be a number above 0, not {text!r}")
    return number


def _shown(found: Found) -> Result:
    """What was found, once its page is written."""
    from rnnapps.search.found import REPORT
    from rnnapps.search.page import search_page, search_sections

    page = str(found.folder / REPORT)
    write_page(page, search_page(found))

    def show(console: Console) -> None:
        show_sections(console, search_sections(found, pictures=False))
        for line in _next(found, page):
            print(line, file=console.file)

    return Result({**found.as_dict(), "page": page}, show)


def _next(found: Found, page: str) -> Iterator[str]:
    """Where everything lies, and what to type next."""
    yield f"page: {page}"
    if found.run is not None:
        yield f"next: rnnapps {found.pipeline} export --run {found.run} --to saved_models/{found.pipeline}"
    yield f"to go on: rnnapps {found.pipeline} tune --search {found.folder} --minutes {2 * found.minutes:g}"

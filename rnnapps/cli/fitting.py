"""`rnnapps fit DATA`: from data to a served model in some minutes."""

from __future__ import annotations

import argparse
import contextlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from rnnapps.cli.commands import Commands, add_command
from rnnapps.printable import printable

if TYPE_CHECKING:
    from rnnapps.search.fit import Fit

__all__ = ["add_fit", "fit_command"]

MINUTES = "10"
FITS = "fits"


def add_fit(commands: Commands) -> None:
    """The command `fit` and its flags."""
    parser = add_command(
        commands,
        "fit",
        "rnnapps fit sensors.csv",
        "rnnapps fit recordings/ --minutes 30 --to fits/recordings",
        "rnnapps fit machine.csv --task PIPELINE",
        summary="make a model of data: the task is recognised, a short search made, the best exported",
        description="Look at data, name the task and why, search for settings for some minutes, say whether the model "
        "beats its baselines, and export it. The same command again goes on where it was stopped.",
    )
    parser.add_argument("data", metavar="DATA", help="a file or a folder")
    parser.add_argument("--task", metavar="PIPELINE", help="what the data are for, where that is not plain")
    parser.add_argument("--minutes", default=MINUTES, metavar="N", help=f"how long it may take, about; {MINUTES}")
    parser.add_argument(
        "--to", metavar="DIR", help=f"folder of everything that is made; by default {FITS}/NAME of DATA"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def fit_command(arguments: argparse.Namespace) -> int:
    """Makes a model of data; returns the exit code.

    Raises:
        RnnappsError: whatever a user can mend.
    """
    from rnnapps.cli.result import print_json
    from rnnapps.cli.tuning import positive
    from rnnapps.search.fit import fit
    from rnnapps.verbs.loading import load_tensorflow

    minutes = positive("minutes", arguments.minutes)
    assert minutes is not None
    load_tensorflow()
    folder = Path(arguments.to or Path(FITS, _name(arguments.data)))
    with contextlib.redirect_stdout(sys.stderr):
        made = fit(arguments.data, folder, minutes=minutes, task=arguments.task)
        page = _write_page(made)
    if arguments.json:
        print_json({**made.as_dict(), "page": page})
    else:
        _show(made, page)
    return 0


def _name(source: str) -> str:
    """The name of a file or folder, as that of a folder."""
    return re.sub(r"[^\w-]+", "_", Path(source).resolve().stem).strip("_") or "data"


def _write_page(made: Fit) -> str:
    """Writes the page: what the data are, what was found, what to type next."""
    from rnnapps.cli.result import write_page
    from rnnapps.contract.sections import Paragraph, Section
    from rnnapps.reports.data_report import data_sections
    from rnnapps.reports.render import label, render_page
    from rnnapps.search.page import search_sections

    settled = [Section("Settled", [Paragraph(line) for line in made.told])] if made.told else []
    sections = [
        Section("Outcome", [Paragraph(line) for line in _outcome(made)]),
        *(search_sections(made.found, pictures=True) if made.found else []),
        *settled,
        *data_sections(made.data, pictures=True),
        Section("What to type next", [Paragraph(line) for line in _next(made)]),
    ]
    path = str(made.folder / "report.html")
    write_page(path, render_page(f"{label(made.task).capitalize()}: a model of {made.data.source}", made.why, sections))
    return path


def _show(made: Fit, page: str) -> None:
    """One page of text."""
    from rnnapps.cli.result import output, show_sections
    from rnnapps.search.page import search_sections

    console = output()
    others = [f"{name} ({why})" for name, why in made.others.items()]
    print(f"task: {made.task}, for the data are {printable(made.why)}")
    if others:
        print(printable(f"they may also be read as {', '.join(others)}: --task"))
    for line in made.told:
        print(f"- {printable(line)}")
    if made.found:
        show_sections(console, search_sections(made.found, pictures=False)[:2])
    for line in (*_outcome(made), f"page: {page}", *_next(made)):
        print(printable(line))


def _outcome(made: Fit) -> Iterator[str]:
    """What was made, and what it is worth."""
    told = made.found is not None and made.found.test  # what was scored stands there
    if made.evaluation and made.evaluation.verdict and not told:
        yield made.evaluation.verdict.sentence
    if made.is_refused:
        yield "nothing is exported, for a baseline is better: give more data or more --minutes"
    elif made.export:
        yield f"exported, and verified: {made.export}"


def _next(made: Fit) -> Iterator[str]:
    """Commands for more."""
    if made.export:
        yield f"use it:    rnnapps {made.task} predict --run {made.export} --help"
        yield f"serve it:  rnnapps serve {made.export.parent}"
    else:
        yield f"export it all the same: rnnapps {made.task} export --run {made.run} --to {made.folder / 'model'}"
    if made.found:
        minutes = 2 * made.found.minutes
        yield f"search on: rnnapps {made.task} tune --search {made.found.folder} --minutes {minutes:g}"

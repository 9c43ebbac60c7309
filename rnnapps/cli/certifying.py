"""`rnnapps certify CELL...`: what cells can do."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rnnapps.cli.commands import Commands, add_command
from rnnapps.errors import ConfigError
from rnnapps.printable import printable

__all__ = ["add_certify", "certify_command"]


def add_certify(commands: Commands) -> None:
    """The command `certify` and its flags."""
    parser = add_command(
        commands,
        "certify",
        "rnnapps certify lstm gru min_gru",
        "rnnapps certify my_cell:LeakyRNN --html leaky.html",
        "rnnapps certify lstm --probes parity permutations --seeds 1",
        summary="try what cells can do: remember, count, track, recall, extrapolate",
        description="Train networks of one cell and as many parameters on small probes, and say what each can do. Each "
        "result is kept in a folder and not tried again.",
    )
    parser.add_argument("cells", nargs="+", metavar="CELL", help="a name of `rnnapps list`, or module:Class")
    parser.add_argument("--probes", nargs="+", metavar="PROBE", help="which to try; all by default")
    parser.add_argument("--seeds", type=int, default=3, metavar="N", help="trainings of each, from new weights (3)")
    parser.add_argument("--parameters", type=int, default=10_000, metavar="N", help="of each network, at most (10000)")
    parser.add_argument("--to", default="certificates", metavar="DIR", help="where results are kept (certificates)")
    parser.add_argument("--html", metavar="FILE", help="write a page with the map, too")
    parser.add_argument("--json", action="store_true", help="print JSON")


def certify_command(arguments: argparse.Namespace) -> int:
    """Tries the cells and shows the map; returns the exit code.

    Raises:
        ConfigError: a cell or a probe does not exist, or something cannot be written.
    """
    for name in ("seeds", "parameters"):
        if getattr(arguments, name) < 1:
            raise ConfigError(f"--{name}: expected 1 or more, got {getattr(arguments, name)}")
    from rnnapps.verbs.loading import load_tensorflow

    load_tensorflow()
    from rnnapps.certificates.certify import certify
    from rnnapps.certificates.page import certificate_page, certificate_sections
    from rnnapps.certificates.subjects import find_cell
    from rnnapps.cli.result import output, print_json, show_sections, write_page

    probes = _probes(arguments.probes)
    findings = certify(
        [find_cell(name) for name in dict.fromkeys(arguments.cells)],
        probes,
        folder=Path(arguments.to),
        parameters=arguments.parameters,
        seeds=arguments.seeds,
        told=lambda line: print(printable(line), file=sys.stderr, flush=True),
    )
    if arguments.json:
        print_json([finding.as_dict() for finding in findings])
    else:
        show_sections(output(), certificate_sections(findings, pictures=False))
    if arguments.html:
        write_page(arguments.html, certificate_page(findings))
        print(f"page: {printable(arguments.html)}", file=sys.stderr)
    return 0


def _probes(names: Sequence[str] | None) -> list[str]:
    """The probes that are asked for, each once."""
    from rnnapps.certificates.probes import GRADIENT, PROBES
    from rnnapps.verbs.settings import nearest

    every = [*PROBES, GRADIENT]
    for name in names or ():
        if name not in every:
            raise ConfigError(f"--probes: there is no {name!r}{nearest(name, every)}; there are {', '.join(every)}")
    return list(dict.fromkeys(names or every))

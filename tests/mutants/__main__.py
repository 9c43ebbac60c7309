"""How many small wrong versions of some files do the tests notice? `python -m tests.mutants rnnapps/kernels`."""

from __future__ import annotations

import argparse
import contextlib
import functools
import importlib
import json
import random
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

import tests.conftest  # noqa: F401  sets the environment of tests, before TensorFlow is imported
from tests.mutants.forks import Task, run_all
from tests.mutants.mutations import Mutant, mutants_of
from tests.mutants.report import Verdict, progress, survivor, table

HERE = Path(__file__).parent
HEAVY = ("tensorflow", "keras", "numpy", "pytest", "hypothesis")
# Code is tested by the folder of tests of the same path; cells also by what every cell must do.
ALSO_TESTED_BY = {"rnnapps/cells": ["tests/conformance"]}
FIRST_SECONDS = 600.0


@dataclass(frozen=True)
class Coverage:
    """What the tests run: test -> seconds, and (source, line) -> tests."""

    seconds: dict[str, float]
    tests: dict[tuple[str, int], set[str]]

    def of(self, mutant: Mutant) -> list[str]:
        """The tests that reach a mutant, quick ones first."""
        found = {test for line in mutant.reach for test in self.tests.get((mutant.path, line), ())}
        return sorted(found, key=lambda test: (round(self.seconds[test], 1), test))


def main() -> int:
    """Prints each survivor, then the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("sources", nargs="+", type=Path, help="files or folders below rnnapps")
    parser.add_argument("--limit", type=int, default=0, help="try so many mutants of all, drawn with a fixed seed")
    parser.add_argument("--jobs", type=int, default=1, help="mutants at once")
    parser.add_argument("--tests", nargs="+", type=Path, help="files or folders of tests, in place of the usual ones")
    parser.add_argument("--json", type=Path, help="write what became of each mutant")
    parser.add_argument("--again", type=Path, help="try only the survivors of such a file")
    options = parser.parse_args()
    sources = [str(path) for path in _python_files(options.sources)]
    for name in HEAVY:
        importlib.import_module(name)
    mutants = [mutant for path in sources for mutant in mutants_of(path, Path(path).read_text())]
    tests = options.tests or _tests_of(dict.fromkeys(mutant.path for mutant in mutants))
    coverage = _observe(tests, sources, options.jobs)
    mutants, harmless = _without_equivalent(mutants, sources)
    if options.again:
        again = {tuple(row.values())[:4] for row in json.loads(options.again.read_text()) if not row["killed"]}
        mutants = [m for m in mutants if (m.path, m.line, m.before, m.after) in again]
    if options.limit:
        mutants = sorted(random.Random(0).sample(mutants, min(options.limit, len(mutants))), key=mutants.index)
    verdicts = []
    for verdict in _judge(mutants, coverage, options.jobs):
        verdicts.append(verdict)
        if not verdict.killed:
            print(survivor(verdict.mutant), flush=True)
    print(table(verdicts, harmless))
    if options.json:
        options.json.write_text(json.dumps([verdict.row() for verdict in verdicts], indent=1) + "\n")
    return 0


def _python_files(paths: Sequence[Path]) -> list[Path]:
    for path in paths:
        if not path.exists():
            sys.exit(f"{path}: there is no such file or folder; name one below rnnapps")
    found = [file for path in paths for file in (sorted(path.rglob("*.py")) if path.is_dir() else [path])]
    return list(dict.fromkeys(found))


def _tests_of(sources: Iterable[str]) -> list[Path]:
    """The tests of some files: the folder of the same path, or the nearest one above it.

    A task's folder holds its whole pipelines too, minutes for each mutant: of it the namesake alone or, where there is
    none, the files that import the module.
    """
    found: list[Path] = []
    for source in map(Path, sources):
        parts = source.parent.parts[1:]
        while parts and not Path("tests", *parts).is_dir():
            parts = parts[:-1]
        folder = Path("tests", *parts)
        found += _within_task(source, folder) if parts[:1] == ("tasks",) else [folder]
        found += [Path(more) for start, also in ALSO_TESTED_BY.items() if source.is_relative_to(start) for more in also]
    return list(dict.fromkeys(found))


def _within_task(source: Path, folder: Path) -> list[Path]:
    """The tests of one module of a task."""
    namesake = folder / f"test_{source.stem}.py"
    if namesake.exists():
        return [namesake]
    texts = {file: file.read_text() for file in sorted(folder.rglob("test_*.py"))}
    for module in (source.with_suffix(""), source.parent):
        importing = [file for file, text in texts.items() if f"from {'.'.join(module.parts)} import" in text]
        if importing:
            return importing
    return [folder]


def _observe(tests: Sequence[Path], sources: Sequence[str], jobs: int) -> Coverage:
    """Runs the tests on the code as it is, each file in a process of its own."""
    from tests.mutants.sessions import observe

    files = [str(file) for file in _python_files(tests) if file.name.startswith("test_")]
    tasks = [Task(file, functools.partial(observe, file, sources), FIRST_SECONDS) for file in files]
    coverage, modules = Coverage({}, {}), set()
    for file, seen in progress("tests as they are", run_all(tasks, jobs), len(tasks)):
        if not isinstance(seen, dict) or seen.get("code") not in (0, 5):
            sys.exit(f"{file}: fails on the code as it is ({seen if isinstance(seen, str) else seen.get('error', '')})")
        coverage.seconds.update(seen["seconds"])
        modules.update(seen["modules"])
        for test, lines in seen["lines"].items():
            for path, numbers in lines.items():
                for number in numbers:
                    coverage.tests.setdefault((path, number), set()).update([test] if test else seen["seconds"])
    _import_others(modules)
    return coverage


def _import_others(modules: set[str]) -> None:
    """Imports what the tests will need, but our own modules, so that no mutant's process has to."""
    ours = {"rnnapps", "tests", "pipelines", "benchmarks", "conftest", "__main__"}
    for name in sorted(modules):
        if name.partition(".")[0] not in ours:
            with contextlib.suppress(Exception):
                importlib.import_module(name)


def _without_equivalent(mutants: list[Mutant], sources: Sequence[str]) -> tuple[list[Mutant], int]:
    """Leaves out the reviewed mutants that change nothing; a row of the list that fits none is an error."""
    rows = yaml.safe_load((HERE / "equivalent.yaml").read_text()) or []
    known = {(row["file"], row["before"], row["after"]) for row in rows if row["file"] in sources}
    left = [mutant for mutant in mutants if (mutant.path, mutant.before, mutant.after) not in known]
    stale = known - {(mutant.path, mutant.before, mutant.after) for mutant in mutants}
    if stale:
        sys.exit(f"equivalent.yaml: fits no mutant any more: {sorted(stale)[0]}; remove or mend the row")
    return left, len(mutants) - len(left)


def _judge(mutants: Sequence[Mutant], coverage: Coverage, jobs: int) -> Iterator[Verdict]:
    from tests.mutants.sessions import try_mutant

    reaching = {mutant: coverage.of(mutant) for mutant in mutants}
    yield from (Verdict(mutant, "") for mutant, tests in reaching.items() if not tests)
    tasks = [
        Task(mutant, functools.partial(try_mutant, mutant, tests), 30 + 3 * sum(coverage.seconds[t] for t in tests))
        for mutant, tests in reaching.items()
        if tests
    ]
    for mutant, answer in progress("mutants", run_all(tasks, jobs), len(tasks)):
        yield Verdict(mutant, _killer(mutant, answer))


def _killer(mutant: Mutant, answer: Any) -> str:
    if isinstance(answer, dict) and "error" in answer:
        sys.exit(f"{mutant.path}:{mutant.line}: {mutant.after}: cannot be tried\n{answer['error']}")
    return answer if isinstance(answer, str) else answer["killed"]


if __name__ == "__main__":
    sys.exit(main())

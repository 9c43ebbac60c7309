"""pytest within a forked process: on the code as it is, noting what each test runs; and on a mutant."""

from __future__ import annotations

import builtins
import importlib.abc
import importlib.machinery
import importlib.util
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from types import CodeType
from typing import Any

import pytest

from tests.mutants.mutations import Mutant
from tests.mutants.noting import NOTE, noting

__all__ = ["observe", "try_mutant"]

_QUIET = ["-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", "-W", "ignore::pytest.PytestAssertRewriteWarning"]


def observe(test_file: str, sources: Sequence[str]) -> dict[str, Any]:
    """Runs the tests of a file.

    Returns:
        `code`: pytest's exit code; `seconds`: test -> duration; `lines`: test -> source -> lines it ran, where the
        test "" stands for what they share: imports and fixtures; `modules`: names of all modules that were imported.
    """
    observer = _Observer()
    setattr(builtins, NOTE, observer.note)
    for source in sources:
        code = compile(noting(source, Path(source).read_text()), str(Path(source).resolve()), "exec")
        sys.meta_path.insert(0, _Finder(source, code))
    exit_code = pytest.main([*_QUIET, test_file], plugins=[observer])
    lines = {test: {path: sorted(numbers) for path, numbers in found.items()} for test, found in observer.lines.items()}
    return {"code": int(exit_code), "seconds": observer.seconds, "lines": lines, "modules": sorted(sys.modules)}


def try_mutant(mutant: Mutant, tests: Sequence[str]) -> dict[str, Any]:
    """Runs tests on a mutant until one fails, and says which: `killed` is "" where none did."""
    code = compile(mutant.source, str(Path(mutant.path).resolve()), "exec", dont_inherit=True)
    sys.meta_path.insert(0, _Finder(mutant.path, code))
    chosen = _Chosen(tests)
    files = list(dict.fromkeys(test.partition("::")[0] for test in tests))
    exit_code = pytest.main([*_QUIET, *files], plugins=[chosen])
    if exit_code in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        return {"killed": ""}
    return {"killed": chosen.failed or "import"}


class _Observer:
    """A pytest plugin that ties the lines that run to the test that runs."""

    def __init__(self) -> None:
        self._test = ""
        self.seconds: dict[str, float] = {}
        self.lines: dict[str, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))

    def note(self, path: str, line: int, shared: bool) -> None:
        self.lines["" if shared else self._test][path].add(line)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Any:
        self._test, start = item.nodeid, time.monotonic()
        try:
            return (yield)
        finally:
            self.seconds[item.nodeid] = time.monotonic() - start
            self._test = ""


class _Chosen:
    """A pytest plugin that leaves the chosen tests only, in their order, and notes which failed."""

    def __init__(self, tests: Sequence[str]) -> None:
        self._places = {test: place for place, test in enumerate(tests)}
        self.failed = ""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = sorted((i for i in items if i.nodeid in self._places), key=lambda item: self._places[item.nodeid])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed = report.nodeid


class _Finder(importlib.abc.MetaPathFinder):
    """Imports other code in place of one module's."""

    def __init__(self, path: str, code: CodeType) -> None:
        file = Path(path)
        self._name = ".".join((file.parent if file.stem == "__init__" else file.with_suffix("")).parts)
        self._loader = _Loader(self._name, str(file.resolve()), code)

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> Any:
        """The specification of that module; None leaves others to the usual finders."""
        if fullname != self._name:
            return None
        return importlib.util.spec_from_file_location(fullname, self._loader.path, loader=self._loader)


class _Loader(importlib.machinery.SourceFileLoader):
    def __init__(self, name: str, path: str, code: CodeType) -> None:
        super().__init__(name, path)
        self._code = code

    def get_code(self, fullname: str) -> CodeType:
        return self._code

"""Keeps the exports of the conformance suite, for versions of rnnapps to come: they read them, or say why not.

python -m tests.golden.make    # after a release that lays exports out anew; not to mend a test that fails
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from models.build import pack
from rnnapps.testing import PipelineSubject

__all__ = ["FOLDER", "main"]

FOLDER = Path(__file__).parent / "exports"


class _Keeper:
    """A plugin of pytest that packs what the property `export` has made."""

    def pytest_runtest_teardown(self, item: Any) -> None:
        """Where a test had a pipeline with an export."""
        subject = item.funcargs.get("subject")
        if isinstance(subject, PipelineSubject):
            (FOLDER / f"{subject.pipeline.name}.tar.xz").write_bytes(pack(Path(subject.export)))


def main() -> int:
    """Runs that property of every task."""
    FOLDER.mkdir(exist_ok=True)
    return int(pytest.main(["tests/tasks", "-k", "test_conformance and export", "-q"], plugins=[_Keeper()]))


if __name__ == "__main__":
    sys.exit(main())

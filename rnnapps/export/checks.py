"""The result of verifying an export: named checks, each passed or failed with its reasons."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rnnapps.errors import ExportError

__all__ = ["Check", "VerificationReport", "check"]


@dataclass(frozen=True)
class Check:
    """One property of an export.

    Attributes:
        name: what was checked.
        passed: whether it holds.
        detail: how much was checked, or the first failures, one a line.
    """

    name: str
    passed: bool
    detail: str


@dataclass(frozen=True)
class VerificationReport:
    """All checks of one export.

    Attributes:
        folder: the verified version folder.
        checks: in the order they ran.
    """

    folder: Path
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """True when every check passed."""
        return all(item.passed for item in self.checks)

    def render(self) -> str:
        """The report as plain text, one line a check or failure, the verdict last."""
        lines = [str(self.folder)]
        for item in self.checks:
            first, *more = item.detail.splitlines() or [""]
            lines.append(f"  {'pass' if item.passed else 'FAIL'}  {item.name:<18} {first}")
            lines += [f"{'':27}{line}" for line in more]
        failures = sum(not item.passed for item in self.checks)
        lines.append(f"{len(self.checks)} checks, " + ("all passed" if self.passed else f"{failures} failed"))
        return "\n".join(lines)

    def to_dict(self) -> dict[str, object]:
        """The report as JSON values."""
        checks = [{"name": item.name, "passed": item.passed, "detail": item.detail} for item in self.checks]
        return {"folder": str(self.folder), "passed": self.passed, "checks": checks}

    def require(self) -> None:
        """Raises ExportError with the first failure, and how many there are, unless all checks passed."""
        failed = [item for item in self.checks if not item.passed]
        if failed:
            others = f" ({len(failed) - 1} more checks failed)" if len(failed) > 1 else ""
            raise ExportError(f"{failed[0].name}: {failed[0].detail.splitlines()[0]}{others}")


def check(name: str, failures: Iterable[str], success: str, *, limit: int = 5) -> Check:
    """Makes a check that passed when there are no failures; at most `limit` of them are told."""
    told = list(dict.fromkeys(failures))
    if not told:
        return Check(name, True, success)
    more = [f"and {len(told) - limit} more"] if len(told) > limit else []
    return Check(name, False, "\n".join(told[:limit] + more))

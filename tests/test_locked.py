"""locked.txt is what constraints.txt and pyproject.toml say, with hashes, and `make setup` takes nothing else."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
PIN = re.compile(r"^([a-z0-9][a-z0-9.-]*)==([^\s;\\]+)", re.MULTILINE)


def pins(name: str) -> dict[str, str]:
    return dict(PIN.findall((ROOT / name).read_text("utf-8")))


def normalised(requirement: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[\s\[<>=!~;]", requirement)[0]).lower()


def test_versions_are_those_of_the_constraints() -> None:
    locked, constrained = pins("locked.txt"), pins("constraints.txt")
    # What only another system needs stands in the lock alone.
    assert {name: version for name, version in locked.items() if constrained.get(name, version) != version} == {}
    assert len(locked) > 100


def test_everything_that_is_declared_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    installed = ("dev", "documents", "excel", "portable", "samples", "serve", "tune", "urls")
    declared = [*project["dependencies"], *(item for extra in installed for item in extras[extra])]
    declared += ["pip", "setuptools", "wheel"]
    assert {normalised(item) for item in declared} <= set(pins("locked.txt"))


def test_every_package_has_hashes() -> None:
    text = (ROOT / "locked.txt").read_text("utf-8")
    for block in re.split(r"\n(?=[a-z0-9])", text.partition("\n#\n")[2].strip()):
        assert PIN.match(block), block[:60]
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", block), block[:60]


def test_setup_takes_no_file_without_its_hash() -> None:
    rule = (ROOT / "Makefile").read_text("utf-8").partition("\n$(VENV)/.installed:")[2].partition("\n\n")[0]
    lines = [line for line in rule.splitlines() if "$(PIP)" in line or "$(INSTALL)" in line]
    assert len(lines) == 2
    assert "--require-hashes --no-deps --requirement locked.txt" in lines[0]
    assert "--no-deps --no-build-isolation --editable ." in lines[1]

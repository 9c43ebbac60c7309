"""What is locked is what constraints.txt and pyproject.toml say, with hashes, and nothing else is installed."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

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


SETUP = ("dev", "documents", "excel", "portable", "samples", "serve", "tune", "urls")
ENGINES = ("beam", "ray", "spark", "track")
LOCKS = {
    "locked.txt": SETUP,
    **{f"tests/engines/{engine}.txt": ("serve", engine) for engine in ENGINES},
}
"""Lock -> the extras that are installed by it."""


@pytest.mark.parametrize("lock", LOCKS)
def test_everything_that_is_declared_is_locked(lock: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    declared = [*project["dependencies"], *(item for extra in LOCKS[lock] for item in extras[extra])]
    declared += ["pip", "setuptools", "wheel"]
    assert {normalised(item) for item in declared} <= set(pins(lock))


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_has_hashes(lock: str) -> None:
    text = (ROOT / lock).read_text("utf-8")
    for block in re.split(r"\n(?=[a-z0-9])", text.partition("\n#\n")[2].strip()):
        assert PIN.match(block), block[:60]
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", block), block[:60]


@pytest.mark.parametrize("engine", ENGINES)
def test_what_engines_share_with_the_rest_has_the_same_version(engine: str) -> None:
    """But for what an engine wants in another version."""
    wanted = {"beam": {"pillow", "protobuf", "pyarrow", "python-dateutil"}, "spark": {"pandas"}}
    locked, constrained = pins(f"tests/engines/{engine}.txt"), pins("constraints.txt")
    assert {name for name in locked if constrained.get(name, locked[name]) != locked[name]} == wanted.get(engine, set())


def test_setup_takes_no_file_without_its_hash() -> None:
    rule = (ROOT / "Makefile").read_text("utf-8").partition("\n$(VENV)/.installed:")[2].partition("\n\n")[0]
    lines = [line for line in rule.splitlines() if "$(PIP)" in line or "$(INSTALL)" in line]
    assert len(lines) == 2
    assert "--require-hashes --no-deps --requirement locked.txt" in lines[0]
    assert "--no-deps --no-build-isolation --editable ." in lines[1]


def test_engines_take_no_file_without_its_hash() -> None:
    rule = (ROOT / "Makefile").read_text("utf-8").partition("\n.venv-engines/%/.installed:")[2].partition("\n\n")[0]
    lines = [line for line in rule.splitlines() if "pip install" in line]
    assert len(lines) == 2
    assert "--require-hashes --no-deps --requirement tests/engines/$*.txt" in lines[0]
    assert "--no-deps --no-build-isolation --editable ." in lines[1]

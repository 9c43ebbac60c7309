"""Checks that the source distribution and the wheel hold all they should, and nothing else.

python .ci/distribution_contents.py DIST, after `python -m build --outdir DIST`
"""

from __future__ import annotations

import re
import sys
import tarfile
import zipfile
from collections.abc import Iterator, Set
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("rnnapps", "pipelines")
# What users install is in PACKAGES; whoever packages or studies a release also wants to test it and to build its docs.
SOURCE_FOLDERS = (*PACKAGES, "benchmarks", "docs", "tests")
SOURCE_FILES = (
    *("CHANGELOG.md", "CODE_OF_CONDUCT.md", "CONTRIBUTING.md", "LICENSE", "README.md", "RELEASING.md", "SECURITY.md"),
    *("MANIFEST.in", "Makefile", "constraints.txt", "locked.txt", "pyproject.toml", "setup.cfg"),
)
GENERATED = re.compile(r"(__pycache__|_build|\.\w+_cache|\.hypothesis)(/|$)|\.pyc$")  # never part of a distribution
METADATA = re.compile(r"rnnapps-[\w.]+\.dist-info/.+|PKG-INFO|rnnapps\.egg-info/.+")


def main() -> int:
    """Returns 0 if both are right, else 1 after printing what differs."""
    folder = Path(sys.argv[1])
    (source,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    with tarfile.open(source) as archive:
        in_source = {member.name.partition("/")[2] for member in archive if member.isfile()}
    with zipfile.ZipFile(wheel) as archive:
        in_wheel = {name for name in archive.namelist() if not name.endswith("/")}
    return _compare(source, in_source, {*SOURCE_FILES, *_files(SOURCE_FOLDERS)}) + _compare(
        wheel, in_wheel, set(_files(PACKAGES))
    )


def _files(folders: tuple[str, ...]) -> Iterator[str]:
    """Paths of all files of some folders of the repository, relative to it."""
    for path in (path for folder in folders for path in (ROOT / folder).rglob("*")):
        name = path.relative_to(ROOT).as_posix()
        if path.is_file() and not GENERATED.search(name):
            yield name


def _compare(distribution: Path, held: Set[str], wanted: Set[str]) -> int:
    """Prints what one distribution lacks and what it should not hold; returns 1 if there is any of it."""
    unwanted = {name for name in held - wanted if not METADATA.fullmatch(name) or GENERATED.search(name)}
    lines = [f"lacks {name}" for name in sorted(wanted - held)] + [
        f"should not hold {name}" for name in sorted(unwanted)
    ]
    for line in lines:
        print(f"{distribution.name} {line}")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(min(1, main()))

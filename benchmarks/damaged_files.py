"""What is said of damaged files: every file of a run and of its export, byte regions in turn, each in a copy.

python -m benchmarks.damaged_files RUN EXPORT

A file is emptied, cut in half, removed, and one bit is turned over in each of several regions. Then the run and the
export predict, and the export is verified, as it is and once more under a manifest whose sums were written anew, as
somebody who means harm would. Either the answer is right (`same`), or one line says what is wrong (`refused`); a wrong
answer (`other answer`) and any other error (`crash`) are faults.
"""

from __future__ import annotations

import collections
import functools
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rnnapps.errors import RnnappsError

__all__: list[str] = []

REGIONS, REGIONS_TO_VERIFY = 12, 5  # verification starts a process each time
OUTCOMES = ("refused", "same", "other answer", "crash")
Edit = Callable[[Path], None]


def main() -> None:
    """Prints a table for the run and one for the export."""
    run, export = map(Path, sys.argv[1:])
    _table("run, predict", run, _predict)
    _table("export, predict", export, _predict)
    _table("export, verify", export, _verify, regions=REGIONS_TO_VERIFY)
    _table("export, verify, sums written anew", export, _verify, regions=REGIONS_TO_VERIFY, forge=True)


def _table(
    title: str, folder: Path, use: Callable[[Path], Any], *, regions: int = REGIONS, forge: bool = False
) -> None:
    """Damages each file of a folder, and counts what came of it."""
    print(f"\n{title}\n\n| file | cases | {' | '.join(OUTCOMES)} |\n|---|--:|{'--:|' * len(OUTCOMES)}", flush=True)
    right, total = use(folder), collections.Counter[str]()
    for name in sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file()):
        if forge and name.name == "manifest.json":
            continue  # it is what is written anew
        found = collections.Counter[str]()
        for what, edit in _edits((folder / name).stat().st_size, regions):
            outcome = _outcome(folder, name, edit, lambda copy: use(copy) == right, forge=forge)
            found[outcome] += 1
            if outcome in OUTCOMES[2:]:
                print(f"<!-- {name}: {what}: {outcome} -->", flush=True)
        total += found
        print(_row(f"`{name}`", found), flush=True)
    print(_row("all", total), flush=True)


def _row(name: str, found: collections.Counter[str]) -> str:
    return f"| {name} | {found.total()} | " + " | ".join(str(found[outcome]) for outcome in OUTCOMES) + " |"


def _edits(size: int, regions: int) -> Iterator[tuple[str, Edit]]:
    """What is done to a file of that many bytes."""
    for region in range(regions) if size else ():
        position = min(size - 1, size * region // regions)
        yield f"bit {region % 8} of byte {position}", functools.partial(_flip, position, region % 8)
    yield "cut in half", functools.partial(_cut, size // 2)
    yield "emptied", functools.partial(_cut, 0)
    yield "removed", Path.unlink


def _flip(position: int, bit: int, path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[position] ^= 1 << bit
    path.write_bytes(content)


def _cut(size: int, path: Path) -> None:
    path.write_bytes(path.read_bytes()[:size])


def _outcome(folder: Path, name: Path, edit: Edit, is_right: Callable[[Path], bool], *, forge: bool) -> str:
    """What comes of using a copy with one file damaged."""
    with TemporaryDirectory() as temporary:
        copy = Path(shutil.copytree(folder, Path(temporary) / folder.name))
        edit(copy / name)
        if forge:
            _forge(copy)
        try:
            return "same" if is_right(copy) else "other answer"
        except RnnappsError as error:
            return "refused" if str(error) and "\n" not in str(error) else "crash"
        except Exception as error:
            print(f"<!-- {type(error).__name__}: {str(error)[:200]} -->", flush=True)
            return "crash"


def _forge(folder: Path) -> None:
    from rnnapps.export.manifest import read_manifest, write_manifest

    write_manifest(folder, read_manifest(folder))


def _predict(folder: Path) -> Any:
    """What the first of the options of `predict` gives; a text model is asked to go on from a fixed prompt."""
    import rnnapps

    return rnnapps.load(folder).predict("The ", length=12, seed=1)


def _verify(folder: Path) -> bool:
    """True where verification passes; its first failure as an error."""
    from rnnapps.export.verify import verify

    verify(folder).require()
    return True


if __name__ == "__main__":
    main()

"""Files of sentence pairs that are damaged, strange or huge: read, or refused in one line that names the file."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnapps.errors import DataError
from rnnapps.tasks.translation.data.config import PairDataConfig
from rnnapps.tasks.translation.data.files import read_aligned, read_tab_file
from rnnapps.tasks.translation.data.pairs import Pair
from rnnapps.tasks.translation.data.splits import read_pair_splits
from tests.tasks.damage import damaged

PIECES = [b"\t", b"\n", b"\x00", b"\xff", b"\xef\xbb\xbf", b"\r", b"\xe2\x98", b"\xff\xfe", "\u2028".encode(), b" "]
GIBIBYTE = 1 << 30
MEMORY = """
import resource, sys
from rnnapps.tasks.translation.data.files import read_aligned, read_tab_file
from rnnapps.errors import DataError
try:
    print(len((read_tab_file if len(sys.argv) == 2 else read_aligned)(*sys.argv[1:])))
except DataError as error:
    print(error)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""


def accepted(read: Callable[[], list[Pair]], *paths: Path) -> bool:
    """Whether the pairs were read; that they were refused in one line that names a file, if they were not."""
    try:
        pairs = read()
    except DataError as error:
        assert any(path.name in str(error) for path in paths) and "\n" not in str(error)
        return False
    assert pairs and all(side.strip() == side != "" for pair in pairs for side in pair)
    return True


def test_damaged_files_of_two_columns(tmp_path: Path) -> None:
    draw, path = np.random.default_rng(1), tmp_path / "damaged.tsv"
    whole = "".join(f"Größe {n} läuft\tsize {n}, 'runs' ☃\r\n" for n in range(12)).encode()
    read = 0
    for _ in range(2200):
        path.write_bytes(damaged(whole, draw, PIECES))
        read += accepted(lambda: read_tab_file(path), path)
    assert 200 < read < 2000


def test_damaged_aligned_files(tmp_path: Path) -> None:
    draw, paths = np.random.default_rng(2), (tmp_path / "damaged.de", tmp_path / "damaged.en")
    texts = ("".join(line(n) for n in range(12)).encode() for line in ("Größe {} läuft\n".format, "size {} ☃\n".format))
    whole, read = list(texts), 0
    for number in range(2200):
        for side, path in enumerate(paths):
            path.write_bytes(damaged(whole[side], draw, PIECES) if number % 2 == side else whole[side])
        read += accepted(lambda: read_aligned(*paths), *paths)
    assert 100 < read < 2100  # neither outcome is rare


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.one_of(st.binary(max_size=30), st.text(max_size=20).map(lambda text: text.encode("utf-8", "replace"))))
)
def test_any_bytes(tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]) -> None:
    path = tmp_path_factory.getbasetemp() / "any.tsv"
    path.write_bytes(b"\n".join(lines))
    accepted(lambda: read_tab_file(path), path)
    accepted(lambda: read_aligned(path, path), path)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(*[st.sampled_from(["a", "b b", "Größe", "x" * 600, "☃" * 30])] * 2), max_size=12))
def test_any_pairs_are_split_or_refused(tmp_path_factory: pytest.TempPathFactory, lines: list[tuple[str, str]]) -> None:
    path = tmp_path_factory.getbasetemp() / "pairs.tsv"
    path.write_text("".join(f"{source}\t{target}\n" for source, target in lines), encoding="utf-8")
    try:
        splits = read_pair_splits(PairDataConfig(source=str(path), validation_fraction=0.2, test_fraction=0.2))
    except DataError as error:
        assert "pairs.tsv" in str(error) and "\n" not in str(error)
        return
    assert splits.test is not None and splits.train and splits.validation and splits.test
    assert splits.read + len(splits.validation) + len(splits.test) == len(lines)
    held_out = {pair.source for part in (splits.validation, splits.test) for pair in part}
    assert not held_out & {pair.source for pair in splits.train}


HUGE: list[tuple[bytes, int, str]] = [
    (b"\n", 35_000_000, "holds no sentence pair"),
    (b"a\tb\n", 2_000_000, "2000000"),
    (("☃" * 20 + "\t" + "😀" * 10 + "\r\n").encode(), 1_200_000, "1200000"),
    (b"x", 1 << 27, "line 1 has more than 4,194,304 characters"),
    (b"a\t" + b"b" * 998 + b"\n", 140_000, "140000"),
    (b"a\tb\n", 5_000_000, "2000000"),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "times", "answer"), HUGE, ids=["empty lines", "short", "wide", "one line", "large", "many"]
)
def test_huge_files_take_less_than_two_gibibytes(line: bytes, times: int, answer: str, tmp_path: Path) -> None:
    path = tmp_path / "huge.tsv"
    with path.open("wb") as file:
        for start in range(0, times, 100_000):
            file.write(line * min(100_000, times - start))
    done = subprocess.run([sys.executable, "-c", MEMORY, path], capture_output=True, text=True, timeout=300, check=True)
    *found, memory = done.stdout.splitlines()
    assert answer in found[0] and len(found) == 1
    assert int(memory) < 2 * GIBIBYTE


@pytest.mark.slow
def test_two_huge_files_take_less_than_two_gibibytes(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("huge.de", "huge.en")]
    for path in paths:
        path.write_bytes(b"a word of each\n" * 2_000_000)
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, *paths], capture_output=True, text=True, timeout=300, check=True
    )
    count, memory = done.stdout.split()
    assert count == "2000000" and int(memory) < 2 * GIBIBYTE

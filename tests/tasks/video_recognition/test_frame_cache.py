from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from rnnapps.data.cache_folder import cache_folder
from rnnapps.errors import DataError
from rnnapps.tasks.video_recognition.data.frame_cache import FrameCache, digest_of, read_rows


def frames(value: int, count: int = 4, size: int = 8) -> np.ndarray:
    return np.full((count, size, size, 1), value, np.uint8)


def test_what_was_added_is_found_and_read_in_part(tmp_path: Path) -> None:
    cache = FrameCache(1, tmp_path)
    assert cache.find("a") is None
    content = np.arange(4 * 8 * 8, dtype=np.uint8).reshape(4, 8, 8, 1)
    path = cache.add("a", content)
    assert cache.find("a") == path == FrameCache(1, tmp_path).find("a")
    np.testing.assert_array_equal(read_rows(path, np.array([2, 0, 2])), content[[2, 0, 2]])


def test_damaged_entries_are_not_found(tmp_path: Path) -> None:
    cache = FrameCache(1, tmp_path)
    path = cache.add("a", frames(1))
    path.write_bytes(path.read_bytes()[:-1])
    assert cache.find("a") is None
    path.write_bytes(b"nonsense")
    assert cache.find("a") is None
    np.save(path, np.zeros(3))
    assert cache.find("a") is None


def test_the_oldest_entries_leave_but_none_in_use(tmp_path: Path) -> None:
    size = 512 * 8 * 8 * 8  # a quarter of a megabyte
    for number in range(3):
        path = FrameCache(1, tmp_path).add(f"old{number}", frames(number, count=size // 64))
        os.utime(path, (number + 1, number + 1))
    cache = FrameCache(1, tmp_path)
    assert cache.find("old0")  # used now: it is the youngest, and may not leave
    cache.add("new0", frames(7, count=size // 64))
    assert cache.find("old0") and not cache.find("old1")
    cache.add("new1", frames(8, count=size // 64))
    assert {path.stem for path in tmp_path.glob("*.npy")} == {"old0", "new0", "new1"}
    with pytest.raises(DataError, match=r"more than 1 MB; raise --data\.cache_megabytes"):
        cache.add("new2", frames(9, count=size // 64))


def test_keys_are_those_of_content_and_settings(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"same")
    (tmp_path / "b").write_bytes(b"same")
    (tmp_path / "c").write_bytes(b"other")
    keys = [digest_of(tmp_path / name, (64,)) for name in "abc"]
    assert keys[0] == keys[1] != keys[2]
    assert digest_of(tmp_path / "a", (32,)) != keys[0]
    assert digest_of(frames(1), ()) != digest_of(frames(1, count=2, size=8), ())
    with pytest.raises(DataError, match="cannot be read"):
        digest_of(tmp_path / "none", ())


def test_removed_entries_are_a_clear_error(tmp_path: Path) -> None:
    path = FrameCache(1, tmp_path).add("a", frames(1))
    path.unlink()
    with pytest.raises(DataError, match="have been removed; start again"):
        read_rows(path, np.array([0]))


def test_the_folder_is_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RNNAPPS_CACHE", str(tmp_path / "own"))
    assert cache_folder() == tmp_path / "own"
    monkeypatch.delenv("RNNAPPS_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "rnnapps"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path.home() / ".cache" / "rnnapps"

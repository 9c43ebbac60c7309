from __future__ import annotations

import threading
from pathlib import Path

import pytest

from rnnapps.export import versions
from rnnapps.export.versions import find_version, next_version, publish


def finished(path: Path) -> Path:
    path.mkdir()
    (path / "saved_model.pb").write_text(path.name)
    return path


def test_numbers_only(tmp_path: Path) -> None:
    for name in ("2", "10", "9", "x", "3a", "-4", "²", ".12"):
        (tmp_path / name).mkdir()
    assert sorted(versions.versions(tmp_path)) == [2, 9, 10]
    assert next_version(tmp_path) == 11
    assert next_version(tmp_path / "none") == 1


def test_writers_at_once_get_a_version_each(tmp_path: Path) -> None:
    sources = [finished(tmp_path / f"source_{number}") for number in range(8)]
    threads = [threading.Thread(target=publish, args=(source, tmp_path / "base")) for source in sources]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = versions.versions(tmp_path / "base")
    assert sorted(found) == list(range(1, 9))
    assert {(path / "saved_model.pb").read_text() for path in found.values()} == {path.name for path in sources}


def test_a_version_taken_meanwhile_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "base").mkdir()
    finished(tmp_path / "base" / "1")
    answers = iter([1, 2])
    monkeypatch.setattr(versions, "next_version", lambda base: next(answers))
    assert publish(finished(tmp_path / "new"), tmp_path / "base").name == "2"
    assert (tmp_path / "base" / "1" / "saved_model.pb").read_text() == "1"


def test_folder_or_newest(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    for name in ("1", "2"):
        finished(tmp_path / "base" / name)
    assert find_version(tmp_path / "base").name == "2"
    assert find_version(str(tmp_path / "base" / "1")).name == "1"

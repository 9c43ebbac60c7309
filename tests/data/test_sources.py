from __future__ import annotations

import os

import pytest

from rnnapps.data.sources import is_tfds, list_files, parse_tfds, read_bytes, tfds_builder
from rnnapps.errors import DataError

needs_permissions = pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")


def names(folder, suffixes=(".txt",)):
    return [path.relative_to(folder).as_posix() for path in list_files(folder, suffixes)]


def test_files_are_listed_part_by_part_in_code_point_order(tmp_path):
    for name in ["b.txt", "a/z.txt", "a.txt", "a/b/c.TXT", "a-b/x.txt", "Z.txt", "é.txt", "10.txt", "9.txt", "n.pdf"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    expected = ["10.txt", "9.txt", "Z.txt", "a/b/c.TXT", "a/z.txt", "a-b/x.txt", "a.txt", "b.txt", "é.txt"]
    assert names(tmp_path) == expected


def test_hidden_names_are_skipped(tmp_path):
    for name in [".git/x.txt", ".hidden.txt", "seen.txt"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    assert names(tmp_path) == ["seen.txt"]


def test_links_are_followed_once_and_loops_end(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "far.txt").write_text("x")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "near.txt").write_text("x")
    (folder / "again.txt").symlink_to(folder / "near.txt")
    (folder / "linked").symlink_to(outside)
    (folder / "loop").symlink_to(folder)
    (outside / "back").symlink_to(folder)
    assert names(folder) == ["again.txt", "linked/far.txt"]


def test_read_bytes_reads_files_and_links_to_files(tmp_path):
    (tmp_path / "file").write_bytes(b"\x00\xff")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    assert read_bytes(tmp_path / "link", maximum_bytes=2) == b"\x00\xff"


def test_unreadable_files_are_one_clear_error(tmp_path):
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    (tmp_path / "long").write_bytes(b"123")
    os.mkfifo(tmp_path / "pipe")
    for name, problem in {
        "missing": "does not exist",
        "dangling": "symbolic link to a file that does not exist",
        ".": "not a regular file",
        "pipe": "not a regular file",
        "long": "has 3 bytes; at most 2",
        "long/x": "cannot be read: Not a directory",
        "n" * 300: "cannot be read: File name too long",
    }.items():
        with pytest.raises(DataError, match=problem) as caught:
            read_bytes(tmp_path / name, maximum_bytes=2)
        assert "\n" not in str(caught.value) and caught.value.remedy


@needs_permissions
def test_missing_permissions(tmp_path):
    (tmp_path / "file").write_text("x")
    (tmp_path / "file").chmod(0)
    with pytest.raises(DataError, match="permission denied"):
        read_bytes(tmp_path / "file", maximum_bytes=9)
    (tmp_path / "folder").mkdir(mode=0)
    with pytest.raises(DataError, match="Permission denied"):
        list_files(tmp_path, (".txt",))


def test_permission_errors_are_translated(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("x")

    def refuse(*_):
        raise PermissionError(13, "Permission denied", str(tmp_path))

    monkeypatch.setattr(type(tmp_path), "read_bytes", refuse)
    with pytest.raises(DataError, match="permission denied"):
        read_bytes(tmp_path / "file", maximum_bytes=9)
    monkeypatch.setattr(os, "listdir", refuse)
    with pytest.raises(DataError, match="Permission denied"):
        list_files(tmp_path, (".txt",))


def test_names_of_tensorflow_data_sets():
    assert is_tfds("tfds:x") and not is_tfds("x")
    for name in ["tiny_shakespeare", "wikipedia/20230601.simple", "glue/cola:2.0.0", "lm1b:1.1.0"]:
        assert parse_tfds(f"tfds:{name}") == name
    for source in ["tfds:", "tiny_shakespeare", "tfds:a b", "tfds:a/b/c", "tfds:../x", "tfds:a:1", "tfds:\n"]:
        with pytest.raises(DataError, match="tfds:NAME"):
            parse_tfds(source)


@pytest.mark.parametrize("name", ["no_such_data_set", "glue/no_such_configuration", "tiny_shakespeare:99.0.0"])
def test_unknown_data_sets_are_one_clear_line(name, tmp_path):
    with pytest.raises(DataError, match=name) as caught:
        tfds_builder(f"tfds:{name}", data_dir=str(tmp_path))
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 300

"""Damaged, changed and forged exports are found, each with one clear line."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnapps.errors import ExportError
from rnnapps.export import isolated
from rnnapps.export.artefact import load_config, load_weights
from rnnapps.export.checks import VerificationReport
from rnnapps.export.contents import contents_check, fingerprint_check
from rnnapps.export.inference import load_for_inference
from rnnapps.export.layout import layout_checks
from rnnapps.export.manifest import read_manifest, write_manifest
from rnnapps.export.verify import verify
from rnnapps.export.warmup import masked_crc32c, read_requests

MANIFEST = "assets.extra/manifest.json"


def failure(report: VerificationReport, name: str) -> str:
    """The detail of a check that must have failed."""
    found = next(item for item in report.checks if item.name == name)
    assert not found.passed, report.render()
    return found.detail


def change(path: Path, edit: Callable[[bytes], bytes]) -> None:
    path.write_bytes(edit(path.read_bytes()))


def flip_middle(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 0x40]) + content[middle + 1 :]


def forge(version: Path, edit: Callable[[dict[str, object]], None]) -> None:
    values = json.loads((version / MANIFEST).read_text())
    edit(values)
    (version / MANIFEST).write_text(json.dumps(values))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, "no such folder"),
        (lambda path: path.mkdir(), "expected an exported model"),
        (lambda path: (path / "3").mkdir(parents=True), "the newest version has no saved_model.pb"),
        (lambda path: path.write_text("x"), "expected an exported model"),
    ],
)
def test_no_export(tmp_path: Path, make: Callable[[Path], None], message: str) -> None:
    make(tmp_path / "toy")
    for read in (verify, load_config, load_weights, load_for_inference):
        with pytest.raises(ExportError, match=message):
            read(tmp_path / "toy")


def test_newest_version_is_taken_by_number(version: Path) -> None:
    shutil.copytree(version, version.parent / "9")
    shutil.copytree(version, version.parent / "10")
    (version.parent / "10" / "assets.extra" / "config.yaml").write_text("changed")
    with pytest.raises(ExportError, match=r"toy/10/.*bytes found"):
        load_config(version.parent)


def test_truncated_graph(version: Path) -> None:
    change(version / "saved_model.pb", lambda content: content[:-1000])
    report = verify(version)
    assert "saved_model.pb" in failure(report, "files")
    assert "cannot be read" in failure(report, "loads")
    with pytest.raises(ExportError, match=r"saved_model.pb.*more checks failed"):
        report.require()
    with pytest.raises(ExportError, match="cannot be read"):
        load_for_inference(version)


def test_empty_graph(version: Path) -> None:
    change(version / "saved_model.pb", lambda content: b"")
    assert "expected one graph tagged 'serve', found 0" in failure(verify(version), "one graph")


def test_changed_variables(version: Path) -> None:
    path = version / "variables" / "variables.data-00000-of-00001"
    change(path, lambda content: bytes(len(content)))
    report = verify(version)
    assert f"variables/{path.name}: its content was changed" in failure(report, "files")
    assert failure(report, "loads") == "not loaded and not run, for it fails files"
    write_manifest(version, read_manifest(version))
    # Under new sums the bundle's own ones guard the variables.
    assert "the C API refuses to load the model" in failure(verify(version), "loads")


def test_consistent_forgery_of_answers(version: Path) -> None:
    from rnnapps.export.arrays import load_arrays, save_arrays

    path = version / "assets.extra" / "expected" / "step.npz"
    arrays = load_arrays(path)
    save_arrays(path, {**arrays, "outputs/logits": arrays["outputs/logits"] + 1e-3})
    write_manifest(version, read_manifest(version))
    report = verify(version)
    assert "signature 'step', batch 5, output 'logits': differs by 0.001" in failure(report, "parity")
    assert [item.name for item in report.checks if not item.passed] == ["parity"]


@pytest.mark.parametrize("edit", [flip_middle, lambda content: content[:-5], lambda content: b""])
def test_changed_weights(version: Path, edit: Callable[[bytes], bytes]) -> None:
    change(version / "assets.extra" / "weights.npz", edit)
    with pytest.raises(ExportError, match=r"weights.npz: .*(changed|bytes found)"):
        load_weights(version)


def test_weights_under_new_sums_but_not_readable(version: Path) -> None:
    change(version / "assets.extra" / "weights.npz", lambda content: content[:-40])
    write_manifest(version, read_manifest(version))
    with pytest.raises(ExportError, match="not a readable array file"):
        load_weights(version)


def test_files_missing_added_and_linked(version: Path, tmp_path: Path) -> None:
    (version / "assets.extra" / "model_card.md").unlink()
    (version / "assets.extra" / "stray").write_text("x")
    (tmp_path / "outside").write_bytes((version / "fingerprint.pb").read_bytes())
    (version / "fingerprint.pb").unlink()
    (version / "fingerprint.pb").symlink_to(tmp_path / "outside")
    detail = failure(verify(version), "files").splitlines()
    assert "assets.extra/model_card.md: missing; export the model again" in detail
    assert "assets.extra/stray: not in the manifest; remove it or export the model again" in detail
    assert "fingerprint.pb: a link that leads out of the export; export the model again" in detail


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "a/../../b", "c:\\x", ""])
def test_manifest_path_that_leaves_the_folder(version: Path, name: str) -> None:
    forge(version, lambda values: values["files"].update({name: {"sha256": "0" * 64, "bytes": 1}}))  # type: ignore[attr-defined]
    with pytest.raises(ExportError, match="leads out of the export"):
        load_weights(version)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ("[]", "format None found, 2 expected"),
        ('{"format": 1}', "format 1 found, 2 expected"),
        ('{"format": 2, "surprise": 0}', "missing or unknown entry"),
    ],
)
def test_unreadable_manifest(version: Path, text: str, message: str) -> None:
    (version / MANIFEST).write_text(text)
    with pytest.raises(ExportError, match=message):
        load_config(version)


def test_missing_manifest(version: Path) -> None:
    (version / MANIFEST).unlink()
    report = verify(version)
    assert "cannot be read" in failure(report, "files")
    assert failure(report, "loads") == "not loaded and not run, for it fails files"


def test_warmup_file_cut_short(version: Path) -> None:
    change(version / "assets.extra" / "tf_serving_warmup_requests", lambda content: content[:-3])
    write_manifest(version, read_manifest(version))
    assert "cut short at byte" in failure(verify(version), "warm-up")


def test_crc_of_the_rfc() -> None:
    """RFC 3720, appendix B.4, masked as TFRecord files have it."""
    for content, value in ((bytes(32), 0x8A9136AA), (b"\xff" * 32, 0x62A8AB43), (bytes(range(32)), 0x46DD794E)):
        assert masked_crc32c(content) == ((value >> 15 | value << 17) + 0xA282EAD8) % 2**32


@pytest.mark.parametrize("position", [0, 9, 40, -1])
def test_warmup_file_damaged_under_new_sums(version: Path, position: int) -> None:
    """Each record carries its own sums, of its length and of its content."""

    def flip(content: bytes) -> bytes:
        start = position % len(content)
        return content[:start] + bytes([content[start] ^ 1]) + content[start + 1 :]

    path = version / "assets.extra" / "tf_serving_warmup_requests"
    assert list(read_requests(path))
    change(path, flip)
    with pytest.raises(ExportError, match=r"checksum of byte \d+ to \d+ differs|cut short"):
        list(read_requests(path))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("batching_params.pbtxt", b"max_batch_size { value: 99999999 }", "is none of max_batch_size,"),
        ("batching_params.pbtxt", b"run { value: 1 }", "is none of max_batch_size,"),
        ("batching_params.pbtxt", b"num_batch_threads { value: 0 }", "is none of max_batch_size,"),
        ("batching_params.pbtxt", b"\x00\x01", "is no setting of batching"),
        ("batching_params.pbtxt", b"\xff", "is not UTF-8"),
        ("assets.extra/config.yaml", b"a: [", "not YAML"),
        ("assets.extra/config.yaml", b"- a", "holds no `key: value` lines"),
        ("assets.extra/config.yaml", b"[" * 5000, "not YAML"),
        ("assets.extra/preprocessing/words.json", b"[1", "not valid JSON"),
        ("assets.extra/preprocessing/words.json", b"[" * 100_000, "not valid JSON"),
    ],
)
def test_contents_under_new_sums(version: Path, name: str, content: bytes, message: str) -> None:
    assert contents_check(version).passed
    (version / name).write_bytes(content)
    found = contents_check(version)
    assert message in found.detail
    assert found.detail.startswith(Path(name).name)


@pytest.mark.parametrize("content", [b"\xff\xff", b"", bytes(70_000)])
def test_fingerprint_under_new_sums(version: Path, content: bytes) -> None:
    assert fingerprint_check(version).passed
    (version / "fingerprint.pb").write_bytes(content)
    assert "fingerprint.pb: " in fingerprint_check(version).detail
    (version / "fingerprint.pb").unlink()
    assert "cannot be read" in fingerprint_check(version).detail


def test_other_weights_than_those_served(version: Path) -> None:
    from rnnapps.export.arrays import save_arrays

    weights = load_weights(version)
    name = sorted(weights)[0]
    other = {**weights, name: np.nextafter(weights[name], np.float32(9)), "stray/kernel": np.zeros(2, np.float32)}
    save_arrays(version / "assets.extra" / "weights.npz", other)
    write_manifest(version, read_manifest(version))
    assert failure(verify(version), "weights").splitlines() == [
        f"weights.npz, {name}: differs from the variable that is served; export the model again",
        "weights.npz, stray/kernel: the graph has no such variable; export the model again",
    ]


@pytest.mark.parametrize(
    ("make", "name", "message"),
    [
        (lambda folder: (folder / "saved_model_config.pb").touch(), "layout", "saved_model_config.pb: no part of"),
        (lambda folder: (folder / "assets" / "x").touch(), "layout", "assets/x: no part"),
        (lambda folder: os.mkfifo(folder / "fifo"), "layout", "fifo: neither a file nor a folder"),
        (lambda folder: (folder / "variables" / "more").mkdir(), "layout", "variables/more: no part of an export"),
        (lambda folder: (folder / "a\x1b[31m").touch(), "layout", "no part of an export"),
        (lambda folder: (folder / "saved_model.pb").chmod(0o666), "modes", "saved_model.pb: everybody can change it"),
        (lambda folder: folder.chmod(0o777), "modes", ".: everybody can change it"),
        (lambda folder: (folder / "saved_model.pb").chmod(0o4755), "modes", "saved_model.pb: runs as its owner"),
    ],
)
def test_names_and_modes(version: Path, make: Callable[[Path], Any], name: str, message: str) -> None:
    assert all(item.passed for item in layout_checks(version))
    make(version)
    found = {item.name: item for item in layout_checks(version)}
    assert message in found[name].detail
    assert not found[name].passed


def test_private_files_are_told(version: Path) -> None:
    (version / "saved_model.pb").chmod(0o600)
    found = {item.name: item for item in layout_checks(version)}["modes"]
    assert found.passed
    assert "other users, a server's perhaps, cannot read it all" in found.detail


@pytest.mark.parametrize(
    ("script", "message"),
    [("kill -SEGV $$", "crashed with SIGSEGV"), ("echo oh dear >&2; exit 3", "ended with code 3: oh dear")],
)
def test_process_that_dies(
    version: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, message: str
) -> None:
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setattr(isolated.sys, "executable", str(program))
    assert message in failure(verify(version), "loads")


def test_time_limit(version: Path) -> None:
    assert "did not finish within 0.01 s" in failure(verify(version, timeout_seconds=0.01), "loads")

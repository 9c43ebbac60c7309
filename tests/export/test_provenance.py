"""Signatures of manifests: made and checked here, by OpenSSL's form, and refused after any change."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from rnnapps.errors import ExportError
from rnnapps.export.manifest import read_manifest, write_manifest
from rnnapps.export.provenance import read_private_key, sign_manifest, signature_check
from rnnapps.export.verify import verify

pytest.importorskip("cryptography", reason="signatures are an extra; the development tools include it")

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

PEM, PKCS8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8


def write_keys(folder: Path, name: str) -> tuple[Path, Path]:
    key = ed25519.Ed25519PrivateKey.generate()
    private, public = folder / f"{name}.pem", folder / f"{name}.pub"
    private.write_bytes(key.private_bytes(PEM, PKCS8, serialization.NoEncryption()))
    public.write_bytes(key.public_key().public_bytes(PEM, serialization.PublicFormat.SubjectPublicKeyInfo))
    return private, public


def test_a_signed_export(version: Path, tmp_path: Path) -> None:
    private, public = write_keys(tmp_path, "mine")
    _, other = write_keys(tmp_path, "other")
    assert "is not signed" in signature_check(version, public).detail
    sign_manifest(version, read_private_key(private))
    report = verify(version, key=public)
    assert report.passed, report.render()
    assert report.checks[0].name == "signature"
    assert signature_check(version, private).passed
    assert "not signed with this key" in signature_check(version, other).detail
    if shutil.which("openssl"):
        command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", str(public), "-rawin", "-in", "manifest.json"]
        done = subprocess.run([*command, "-sigfile", "manifest.json.sig"], cwd=version / "assets.extra", check=False)
        assert done.returncode == 0


def test_a_rewritten_manifest_is_refused_and_nothing_runs(version: Path, tmp_path: Path) -> None:
    private, public = write_keys(tmp_path, "mine")
    sign_manifest(version, read_private_key(private))
    (version / "assets.extra" / "config.yaml").write_text("model:\n  units: 9\n")
    write_manifest(version, read_manifest(version))
    failed = {item.name: item.detail for item in verify(version, key=public).checks if not item.passed}
    assert "was changed since" in failed["signature"]
    assert failed["loads"] == "not loaded and not run, for it fails signature"
    (version / "assets.extra" / "manifest.json.sig").write_bytes(b"short")
    assert not signature_check(version, public).passed


def test_keys_that_are_none(version: Path, tmp_path: Path) -> None:
    curve = ec.generate_private_key(ec.SECP256R1())
    private, public = write_keys(tmp_path, "mine")
    (tmp_path / "curve.pem").write_bytes(curve.private_bytes(PEM, PKCS8, serialization.NoEncryption()))
    subject = serialization.PublicFormat.SubjectPublicKeyInfo
    (tmp_path / "curve.pub").write_bytes(curve.public_key().public_bytes(PEM, subject))
    locked = serialization.BestAvailableEncryption(b"secret")
    (tmp_path / "locked.pem").write_bytes(read_private_key(private).private_bytes(PEM, PKCS8, locked))
    (tmp_path / "noise.pem").write_bytes(b"\x00\xff")
    for name, message in (
        ("curve.pem", "not an Ed25519 key; make one with: openssl genpkey"),
        ("locked.pem", "is locked by a passphrase"),
        ("noise.pem", "not a private key in PEM form"),
        ("missing.pem", r"not a private key in PEM form \(No such file"),
        (public.name, "not a private key in PEM form"),
    ):
        with pytest.raises(ExportError, match=message):
            read_private_key(tmp_path / name)
    for name, message in (
        ("curve.pub", "not an Ed25519 key; make it with: openssl pkey"),
        ("noise.pem", "not a public key in PEM form"),
        ("missing.pem", r"not a public key in PEM form \(No such file"),
    ):
        with pytest.raises(ExportError, match=message):
            signature_check(version, tmp_path / name)

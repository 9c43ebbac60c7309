"""Archives of trained models: what is unpacked is whole, of the right sum, and stays in its folder."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rnnapps.errors import ConfigError
from rnnapps.zoo import all_unpacked, catalogue, resolved, unpacked

ENTRY = {"pipeline": "gestures", "summary": "s", "licence": "l", "made_by": "m", "metrics": {"accuracy": 0.5}}
Package = Callable[..., Path]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Package:
    """Makes a package of one model `wave` of given members."""
    folder = tmp_path / "package"
    folder.mkdir()
    monkeypatch.setenv("RNNAPPS_CACHE", str(tmp_path / "cache"))
    for module in ("data_package", "archives"):
        monkeypatch.setattr(f"rnnapps.zoo.{module}.package_folder", lambda: folder)

    def make(*members: tuple[tarfile.TarInfo, bytes], **changes: Any) -> Path:
        path = folder / "wave.tar.xz"
        with tarfile.open(path, "w:xz") as archive:
            for member, content in members:
                member.size = len(content) if member.isfile() else 0
                archive.addfile(member, io.BytesIO(content))
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        entry = ENTRY | {"archive": path.name, "bytes": path.stat().st_size, "sha256": digest} | changes
        (folder / "manifest.json").write_text(json.dumps({"format": 1, "models": {"wave": entry}}))
        return folder

    return make


def entry(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


GOOD = ((entry("assets.extra", tarfile.DIRTYPE), b""), (entry("assets.extra/config.yaml"), b"seed: 1\n"))


def test_a_model_is_unpacked_once(package: Package, tmp_path: Path) -> None:
    package(*GOOD)
    folder = unpacked("wave")
    assert folder.is_relative_to(tmp_path / "cache" / "models") and folder.name == "1"
    assert (folder / "assets.extra" / "config.yaml").read_text() == "seed: 1\n"
    (folder / "mark").touch()
    assert resolved("zoo:wave") == folder and (folder / "mark").exists(), "not unpacked again"
    assert resolved("runs/wave") == Path("runs/wave")
    assert [path.name for path in all_unpacked().iterdir()] == ["wave"]
    assert not list((tmp_path / "cache" / "models").glob(".*")), "nothing half-written stays"


@pytest.mark.parametrize(
    ("members", "problem"),
    [
        ([(entry("../outside"), b"x")], "outside the destination"),
        ([(entry("/tmp/rnnapps-outside"), b"x"), (entry("a/../../outside"), b"x")], "outside the destination"),
        ([(entry("link", tarfile.SYMTYPE, "/etc/passwd"), b"")], "neither a file nor a folder"),
        ([(entry("device", tarfile.CHRTYPE), b"")], "neither a file nor a folder"),
        ([(entry(f"file{number}"), b"") for number in range(201)], "more than 200 files"),
        ([(entry("bomb"), bytes(65 * 1024**2))], "or 64 MiB"),
    ],
)
def test_hostile_archives(package: Package, tmp_path: Path, members: Any, problem: str) -> None:
    package(*members)
    with pytest.raises(ConfigError, match=f"wave.tar.xz: cannot be unpacked .*{problem}"):
        unpacked("wave")
    assert not (tmp_path / "cache" / "outside").exists() and not list((tmp_path / "cache" / "models").iterdir())


def test_damaged_archives_and_manifests(package: Package) -> None:
    folder = package(*GOOD)
    archive = folder / "wave.tar.xz"
    archive.write_bytes(archive.read_bytes()[:-1] + b"x")
    with pytest.raises(ConfigError, match="SHA-256 differs"):
        unpacked("wave")
    with pytest.raises(ConfigError, match="no trained model is called 'zoo:wav'; there are wave"):
        resolved("zoo:wav")
    for changes in ({"archive": "../wave.tar.xz"}, {"sha256": "../x"}, {"surprise": 1}):
        package(*GOOD, **changes)
        with pytest.raises(ConfigError, match=r"manifest.json: cannot be read .*install rnnapps-models again"):
            catalogue()
    (folder / "manifest.json").write_text('{"format": 2}')
    with pytest.raises(ConfigError, match="format 2 found, 1 expected"):
        catalogue()


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rnnapps.zoo.data_package.PACKAGE", "no_such_package_of_models")
    with pytest.raises(ConfigError, match="rnnapps-models, which is not installed"):
        catalogue()

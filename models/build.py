"""Trains, exports and packs the models of `rnnapps-models`.

python -m models.build                        # all of models.yaml; some 25 minutes on two busy cores
python -m models.build text sun_air_sea       # some of them; the others stay as they are
python -m models.build text --runs elsewhere  # where runs are kept: one that is there is not trained again

The same machine makes the same bytes again: seeds are those of the configurations, archives hold no times.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import io
import json
import lzma
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from rnnapps.zoo.data_package import FORMAT, MANIFEST, ZooModel

__all__ = ["main"]

HERE = Path(__file__).parent
PACKAGE = HERE / "rnnapps_models"
MOST_BYTES = 2 * 1000**2
MOST_BYTES_TOGETHER = 10 * 1000**2
EPOCH = "1767225600"
"""The moment that exports say they were made at: 1 January 2026."""


def main(argv: Sequence[str] | None = None) -> int:
    """Builds the models that are named, or all."""
    known = yaml.safe_load((HERE / "models.yaml").read_text(encoding="utf-8"))
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(known)}; all when none is given")
    parser.add_argument("--runs", type=Path, default=Path("runs/models"), help="folder of runs (default: runs/models)")
    parser.add_argument("--to", type=Path, default=PACKAGE, help="folder of the package")
    arguments = parser.parse_args(argv)
    if unknown := sorted(set(arguments.names) - set(known)):
        parser.error(f"no model is called {', '.join(unknown)}")
    for name in arguments.names or known:
        model = build(name, known[name], arguments.runs / name, arguments.to)
        print(f"{name}: {model.bytes / 1000:,.0f} kB, {model.metrics}", flush=True)
    total = sum(path.stat().st_size for path in arguments.to.glob("*.tar.xz"))
    if total > MOST_BYTES_TOGETHER:
        print(f"error: {total:,} bytes together, at most {MOST_BYTES_TOGETHER:,} are wanted", file=sys.stderr)
        return 2
    return 0


def build(name: str, entry: dict[str, str], run: Path, package: Path) -> ZooModel:
    """Makes one model and its entry in the manifest."""
    command = ["train", "--config", entry["config"], *entry.get("flags", "").split(), "--run", str(run)]
    if not (run / "evaluation.json").is_file():
        _rnnapps(entry["pipeline"], *command)
    archive = package / f"{name}.tar.xz"
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder) / name
        _rnnapps(entry["pipeline"], "export", "--run", str(run), "--to", str(base))
        archive.write_bytes(pack(base / "1"))
    size = archive.stat().st_size
    if size > MOST_BYTES:
        raise SystemExit(f"error: {archive} has {size:,} bytes, at most {MOST_BYTES:,} are wanted")
    model = ZooModel(
        name=name,
        pipeline=entry["pipeline"],
        summary=entry["summary"],
        licence=entry["licence"],
        made_by=f"rnnapps {entry['pipeline']} {' '.join(command)}".replace(str(run), f"runs/models/{name}"),
        archive=archive.name,
        bytes=size,
        sha256=hashlib.sha256(archive.read_bytes()).hexdigest(),
        metrics=_metrics(run),
    )
    _enter(package / MANIFEST, model)
    return model


def pack(version: Path) -> bytes:
    """A version folder as an archive that holds nothing but names and contents, in order."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path in sorted(version.rglob("*")):
            archive.add(path, path.relative_to(version).as_posix(), recursive=False, filter=_nameless)
    return lzma.compress(buffer.getvalue(), preset=9 | lzma.PRESET_EXTREME)


def _nameless(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """An entry without owner and time, which everybody may read."""
    entry.uid = entry.gid = entry.mtime = 0
    entry.uname = entry.gname = ""
    entry.mode = 0o755 if entry.isdir() else 0o644
    return entry


def _rnnapps(*words: str) -> None:
    """Runs a command; its output goes to the terminal."""
    environment = os.environ | {"SOURCE_DATE_EPOCH": EPOCH}
    subprocess.run([sys.executable, "-m", "rnnapps", *words], env=environment, check=True)


def _metrics(run: Path) -> dict[str, float]:
    """What was found on held-out data when the run ended, to four digits."""
    found: dict[str, Any] = json.loads((run / "evaluation.json").read_text(encoding="utf-8"))
    return {name: float(f"{value:.4g}") for name, value in found["metrics"].items() if isinstance(value, int | float)}


def _enter(manifest: Path, model: ZooModel) -> None:
    """Puts a model's entry in the place of its former one."""
    models = json.loads(manifest.read_text(encoding="utf-8"))["models"] if manifest.is_file() else {}
    entry = {key: value for key, value in dataclasses.asdict(model).items() if key != "name"}
    models = dict(sorted((models | {model.name: entry}).items()))
    manifest.write_text(json.dumps({"format": FORMAT, "models": models}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())

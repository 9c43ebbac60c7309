"""Models unpacked into the cache, once each and whole."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from rnnapps.atomic import working_folder
from rnnapps.data.cache_folder import cache_folder
from rnnapps.errors import ConfigError
from rnnapps.zoo.data_package import ZooModel, catalogue, package_folder

__all__ = ["all_unpacked", "unpack_into", "unpacked"]

MOST_BYTES = 64 * 1024**2
"""The most that a model takes unpacked."""

MOST_FILES = 200


def unpacked(name: str) -> Path:
    """The version folder of a model, in the cache.

    Args:
        name: without `zoo:`.

    Raises:
        ConfigError: there is no such model, its archive is damaged, or the cache cannot be written.
    """
    model = _find(name)
    place = cache_folder() / "models" / f"{model.name}-{model.sha256[:16]}"
    if not place.is_dir():
        unpack_into(model, place)
    return place / "1"


def unpack_into(model: ZooModel, folder: Path) -> None:
    """Unpacks a model as the only version of a folder that does not exist yet.

    Raises:
        ConfigError: the folder exists, or one of `unpacked`.
    """
    if folder.exists():
        raise ConfigError(f"{folder}: exists already; name another folder")
    try:
        with working_folder(folder.parent, f".{folder.name}.unpacking-") as scratch:
            whole = scratch / "model"
            (whole / "1").mkdir(parents=True)
            with _archive(model) as archive:
                archive.extractall(whole / "1", members=_members(archive), filter="data")
            try:
                os.rename(whole, folder)
            except OSError:
                if not folder.is_dir():  # else somebody was quicker, and theirs is as good
                    raise
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise ConfigError(f"{model.archive}: cannot be unpacked ({error}); install rnnapps-models again") from error
    except OSError as error:
        raise ConfigError(
            f"{folder}: cannot be written ({error.strerror or error}); free space or permissions"
        ) from error


def all_unpacked() -> Path:
    """A folder of all models, each as `<name>/1`, in the cache: what a server can be given.

    Raises:
        ConfigError: as in `unpacked`.
    """
    models = catalogue()
    together = hashlib.sha256("".join(model.sha256 for model in models.values()).encode()).hexdigest()
    place = cache_folder() / "models" / f"all-{together[:16]}"
    for name, model in models.items():
        if not (place / name).is_dir():
            unpack_into(model, place / name)
    return place


def _find(name: str) -> ZooModel:
    """The model of a name."""
    models = catalogue()
    if name not in models:
        raise ConfigError(f"no trained model is called 'zoo:{name}'; there are {', '.join(sorted(models))}")
    return models[name]


@contextlib.contextmanager
def _archive(model: ZooModel) -> Iterator[tarfile.TarFile]:
    """The archive, once its sum is known to be right."""
    with (package_folder() / model.archive).open("rb") as file:
        if _digest(file) != model.sha256:
            raise tarfile.ReadError("its content was changed: SHA-256 differs")
        file.seek(0)
        with tarfile.open(fileobj=file, mode="r:xz") as archive:
            yield archive


def _members(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """Files and folders, as long as they stay within the limits."""
    total = 0
    for number, member in enumerate(archive):
        total += member.size
        if number >= MOST_FILES or total > MOST_BYTES:
            raise tarfile.ReadError(f"holds more than {MOST_FILES} files or {MOST_BYTES >> 20} MiB")
        if not (member.isfile() or member.isdir()):
            raise tarfile.ReadError(f"{member.name!r} is neither a file nor a folder")
        yield member


def _digest(file: IO[bytes]) -> str:
    return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]

"""Writes the files of a deployment."""

from __future__ import annotations

import re
from pathlib import Path

from rnnapps.errors import ConfigError
from rnnapps.serving.deployment.guide import guide_text
from rnnapps.serving.deployment.manifests import compose_text, kserve_text, kubernetes_text
from rnnapps.serving.deployment.served_models import DeployedModel, deployed_models, read_pins
from rnnapps.serving.deployment.server_files import BATCHING_FILE, CONFIG_FILE, batching_text, models_text

__all__ = ["IMAGE", "deploy"]

IMAGE = "tensorflow/serving:2.19.1"
_IMAGE = re.compile(r"[a-z0-9][a-z0-9._/:-]*(?::[A-Za-z0-9._-]+)?(?:@sha256:[0-9a-f]{64})?")
_CLAIM = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_FILES = (CONFIG_FILE, BATCHING_FILE, "docker-compose.yaml", "kubernetes.yaml", "kserve.yaml", "README.md")


def deploy(
    root: Path, folder: Path, *, image: str = IMAGE, claim: str = "models", pins: tuple[str, ...] = ()
) -> list[DeployedModel]:
    """Writes all files; those of an earlier deployment are replaced.

    Args:
        root: the folder of exported models, or of one model's versions.
        folder: where the files go; made if missing.
        image: of TensorFlow Serving.
        claim: the PersistentVolumeClaim of Kubernetes that holds the models.
        pins: `NAME=STABLE` or `NAME=STABLE,CANARY`, for models whose newest version is not the canary.

    Returns:
        The models that they serve.

    Raises:
        ExportError: there is no model, or one that cannot be served.
        ConfigError: an argument is wrong, or the folder holds something else.
    """
    if not _IMAGE.fullmatch(image):
        raise ConfigError(f"--image {image!r}: expected the name of an image, such as {IMAGE}")
    if not _CLAIM.fullmatch(claim):
        raise ConfigError(f"--claim {claim!r}: expected small letters, digits and hyphens, as Kubernetes has names")
    models = deployed_models(root, read_pins(pins))
    read = {CONFIG_FILE: models_text(models), BATCHING_FILE: batching_text(models)}
    files = {
        **read,
        "docker-compose.yaml": compose_text(models, image),
        "kubernetes.yaml": kubernetes_text(models, image, claim=claim, files=read),
        "kserve.yaml": kserve_text(models, claim=claim),
        "README.md": guide_text(models, root=root, folder=folder, claim=claim),
    }
    _require_ours(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            # In place: a container that has the file itself mounted would go on with one that was replaced.
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"--to {folder}: cannot be written ({error.strerror})") from error
    return models


def _require_ours(folder: Path) -> None:
    """Refuses a folder with anything but an earlier deployment."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise ConfigError(f"--to {folder}: is no folder; name another")
    others = [path.name for path in sorted(folder.iterdir()) if path.name not in _FILES] if folder.exists() else []
    if others:
        raise ConfigError(f"--to {folder}: holds {others[0]!r}, which is no deployment's; name a folder of its own")
    links = [path.name for path in folder.iterdir() if path.is_symlink()] if folder.exists() else []
    if links:
        raise ConfigError(f"--to {folder}: {links[0]!r} is a link, and what it leads to would be overwritten")

"""`rnnapps deploy DIR`."""

from __future__ import annotations

import argparse
from pathlib import Path

from rnnapps.cli.commands import Commands, add_command

__all__ = ["add_deploy", "deploy_command"]


def add_deploy(commands: Commands) -> None:
    """The command `deploy`."""
    deploy = add_command(
        commands,
        "deploy",
        "rnnapps deploy saved_models",
        "rnnapps deploy saved_models --to deployment --pin NAME=3",
        summary="write the files that run exports under TensorFlow Serving, by Docker, Kubernetes or KServe",
        description="Write models.config, batching, docker-compose, Kubernetes and KServe files for exported models.",
    )
    deploy.add_argument("folder", metavar="DIR", help="folder of models, or of one model's versions")
    deploy.add_argument("--to", default="deployment", metavar="FOLDER", help="where the files go (default: deployment)")
    deploy.add_argument(
        "--image", metavar="IMAGE", help="image of TensorFlow Serving (default: the one of this release)"
    )
    deploy.add_argument(
        "--claim",
        default="models",
        metavar="NAME",
        help="PersistentVolumeClaim that holds the models (default: models)",
    )
    deploy.add_argument(
        "--pin",
        action="append",
        default=[],
        metavar="NAME=STABLE[,CANARY]",
        help="versions of a model, instead of its newest as canary and the one before as stable; may be repeated",
    )


def deploy_command(arguments: argparse.Namespace) -> int:
    """Writes the files and tells what they serve; returns the exit code.

    Raises:
        ConfigError: an argument is wrong.
        ExportError: there is no model, or one that cannot be served.
    """
    from rnnapps.serving.deployment.write import IMAGE, deploy

    folder = Path(arguments.to)
    image = arguments.image or IMAGE
    models = deploy(Path(arguments.folder), folder, image=image, claim=arguments.claim, pins=tuple(arguments.pin))
    for model in models:
        print(f"{model.name}: " + ", ".join(f"{label} = version {number}" for label, number in model.labels.items()))
    print(f"{folder}: how to run it is said in {folder / 'README.md'}")
    return 0

"""Exports: the next version of a served model, verified before it appears."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from rnnapps.contract.pipeline import Pipeline
from rnnapps.verbs.model_card import describe_model
from rnnapps.verbs.opening import OpenModel
from rnnapps.verbs.yaml_files import dump

__all__ = ["export"]


def export(pipeline: Pipeline[Any, Any, Any], model: OpenModel, to: Path, *, key: Path | None = None) -> Path:
    """Writes a version folder; it appears only when it has passed verification.

    Args:
        pipeline: the application.
        model: a run or an export.
        to: the folder of versions.
        key: the private key that signs it; None to leave it unsigned.

    Raises:
        ExportError: the folder cannot be written, or the export does not verify.
    """
    from rnnapps.export.saved_model import export as export_model

    print(f"exporting {model.path}, then verifying the export", file=sys.stderr)
    config = model.fitted.config
    return export_model(
        pipeline.endpoints(model.fitted),
        model.fitted.network,
        model.fitted.preprocessor,
        to,
        config_yaml=dump(pipeline.name, config),
        model_card=describe_model(pipeline, model),
        pipeline=pipeline.name,
        warmup=config.export.warmup_requests,
        key=key,
    )

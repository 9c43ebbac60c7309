"""Exports: the next version of a served model, verified before it appears."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rnnapps.contract.pipeline import Pipeline
from rnnapps.export.manifest import ENSEMBLE
from rnnapps.verbs.members import find_members
from rnnapps.verbs.model_card import describe_model
from rnnapps.verbs.opening import OpenModel
from rnnapps.verbs.yaml_files import dump

__all__ = ["export"]


def export(
    pipeline: Pipeline[Any, Any, Any],
    model: OpenModel,
    to: Path,
    *,
    key: Path | None = None,
    portable: Sequence[str] = (),
    portable_steps: int | None = None,
) -> Path:
    """Writes a version folder; it appears only when it has passed verification.

    Args:
        pipeline: the application.
        model: a run or an export.
        to: the folder of versions.
        key: the private key that signs it; None to leave it unsigned.
        portable: formats for other runtimes to write beside it, of `rnnapps.portable.formats.FORMATS`.
        portable_steps: places of their inputs of variable length, see `rnnapps.portable.write.write_portable`.

    Raises:
        ExportError: the folder cannot be written, the export does not verify, or a file for another runtime cannot be
            made or answers otherwise than the model.
    """
    from rnnapps.export.saved_model import export as export_model
    from rnnapps.portable.listing import PORTABLE
    from rnnapps.portable.write import write_portable

    print(f"exporting {model.path}, then verifying the export", file=sys.stderr)
    config, endpoints = model.fitted.config, pipeline.endpoints(model.fitted)

    members = find_members(model.path)

    def more(folder: Path) -> None:
        if members is not None:
            shutil.copyfile(members, folder / ENSEMBLE)
        if not portable:
            return
        leaving = pipeline.portable_endpoints(model.fitted)
        write_portable(leaving, folder / PORTABLE, to.absolute().name, formats=portable, steps=portable_steps)

    return export_model(
        endpoints,
        model.fitted.network,
        model.fitted.preprocessor,
        to,
        config_yaml=dump(pipeline.name, config),
        model_card=describe_model(pipeline, model),
        pipeline=pipeline.name,
        warmup=config.export.warmup_requests,
        key=key,
        more=more,
    )

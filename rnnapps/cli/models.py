"""`rnnapps models`: the trained models of rnnapps-models."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from rnnapps.errors import ConfigError
from rnnapps.zoo import PREFIX, ZooModel, catalogue, unpack_into

__all__ = ["models_command"]


def models_command(name: str | None, to: str | None, *, as_json: bool) -> int:
    """Lists the models, or unpacks one.

    Args:
        name: of the model to unpack; None to list all.
        to: the folder for it.
        as_json: whether JSON is printed.

    Raises:
        ConfigError: the package is not installed, there is no such model, or it cannot be unpacked.
    """
    models = catalogue()
    if (name is None) != (to is None):
        raise ConfigError("rnnapps models NAME --to DIR unpacks a model; rnnapps models lists all")
    if name is not None and name.removeprefix(PREFIX) not in models:
        raise ConfigError(f"no trained model is called '{name}'; there are {', '.join(models)}")
    if name is not None and to is not None:
        unpack_into(models[name.removeprefix(PREFIX)], Path(to))
        print(json.dumps({"path": to}) if as_json else f"unpacked into {to}")
    elif as_json:
        print(json.dumps([dataclasses.asdict(model) for model in models.values()], indent=1))
    else:
        _show(models)
    return 0


def _show(models: dict[str, ZooModel]) -> None:
    """A table, and what to type."""
    from rnnapps.cli.result import output, show_table

    rows = [
        [f"{PREFIX}{name}", model.pipeline, f"{model.bytes / 1000:,.0f} kB", model.summary, model.licence]
        for name, model in models.items()
    ]
    console = output()
    show_table(console, ["model", "pipeline", "size", "what it does", "licence"], rows)
    first = next(iter(models.values()))
    print(f"next: rnnapps {first.pipeline} predict --run {PREFIX}{first.name} ...", file=console.file)
    print("      rnnapps serve --demo", file=console.file)

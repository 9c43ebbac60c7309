"""`rnnapps serve DIR`."""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnapps.errors import ConfigError
from rnnapps.serving.options import ServeOptions
from rnnapps.zoo import all_unpacked

if TYPE_CHECKING:
    from rnnapps.serving.model_config import ModelConfig
    from rnnapps.serving.server import Server

__all__ = ["parse_serve", "serve_command", "without_tensorflow"]

EXAMPLES = """\
examples:
  rnnapps serve saved_models
  rnnapps serve --demo
  rnnapps serve saved_models --ui
  rnnapps serve saved_models/NAME --port 8501 --grpc_port 8500
  rnnapps serve saved_models --host 0.0.0.0 --token_file token.txt --tls_certificate cert.pem --tls_key key.pem
"""


def serve_command(words: Sequence[str]) -> int:
    """Serves until a signal ends it; returns the exit code.

    Args:
        words: what stands behind `rnnapps serve`.

    Raises:
        ConfigError: a flag is wrong, or the extra is not installed.
        ExportError: there is no model, or none could be loaded.
    """
    arguments, options = parse_serve(words)
    without_tensorflow()
    try:
        from rnnapps.playground.app import PATH, Playground
        from rnnapps.serving.logs import start_logging
        from rnnapps.serving.server import Server, serve
    except ModuleNotFoundError as error:
        message = f"rnnapps serve: {error.name} is not installed; pip install 'rnnapps[serve]'"
        raise ConfigError(message) from error
    root = all_unpacked() if arguments.demo else Path(arguments.folder)
    configs = _configs(root, arguments.model_config_file)
    start_logging(as_json=options.log_json)
    pages = arguments.ui or arguments.demo
    server = Server(configs, root, options, around=Playground if pages else None)
    asyncio.run(serve(server, opened=lambda found: _tell_pages(found, PATH if pages else ""), told=_tell))
    return 0


def parse_serve(words: Sequence[str]) -> tuple[argparse.Namespace, ServeOptions]:
    """The folder and the settings that the words say; raises ConfigError for a value that cannot be."""
    parser = _parser()
    arguments = parser.parse_args(words)
    if bool(arguments.folder) == arguments.demo:
        raise ConfigError("rnnapps serve needs a folder of exports, or --demo for trained models")
    names = [field.name for field in dataclasses.fields(ServeOptions)]
    return arguments, ServeOptions(**{name: getattr(arguments, name) for name in names})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="rnnapps serve",
        description="Serve exported models over TensorFlow Serving's REST and gRPC interfaces, and as streams.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "folder", metavar="DIR", nargs="?", help="folder of models, of one model's versions, or one version"
    )
    parser.add_argument("--demo", action="store_true", help="serve the trained models of rnnapps-models, one a task")
    parser.add_argument(
        "--model_config_file",
        metavar="FILE",
        help="models, versions and labels, as TensorFlow Serving's file says them",
    )
    parser.add_argument("--ui", action="store_true", help="serve pages too on which the models can be tried, at /ui/")
    meanings = _meanings(ServeOptions)
    for field in dataclasses.fields(ServeOptions):
        _add_flag(parser, field, meanings[field.name])
    return parser


def _add_flag(parser: argparse.ArgumentParser, field: dataclasses.Field[Any], told: str) -> None:
    """The flag of a setting; one that is on can be turned off by --no-NAME."""
    shown = f"{told} (default: {field.default})" if field.default not in ("", False) else told
    if isinstance(field.default, bool):
        parser.add_argument(f"--{field.name}", action=argparse.BooleanOptionalAction, default=field.default, help=shown)
    else:
        metavar = {"str": "TEXT", "int": "N", "float": "SECONDS"}[type(field.default).__name__]
        parser.add_argument(
            f"--{field.name}", type=type(field.default), default=field.default, metavar=metavar, help=shown
        )


def _meanings(options: type) -> dict[str, str]:
    """What the docstring says of each attribute."""
    from docstring_parser import parse

    return {
        item.arg_name: " ".join((item.description or "").split()).rstrip(".")
        for item in parse(options.__doc__ or "").params
    }


def without_tensorflow() -> None:
    """Keeps TensorFlow's Python code out of the server, which needs its messages only: models run in processes."""
    if "tensorflow" not in sys.modules:
        from rnnapps.export.protos import shadow_tensorflow

        shadow_tensorflow()


def _configs(root: Path, config_file: str | None) -> Callable[[], Sequence[ModelConfig]]:
    """What is asked at each poll which models there are; the first answer is looked at here."""
    from rnnapps.errors import ExportError
    from rnnapps.serving.model_config import find_models, read_model_config

    if config_file is not None:
        read_model_config(Path(config_file))
        return lambda: read_model_config(Path(config_file))
    if not find_models(root):
        raise ExportError(f"{root}: holds no exported model; `rnnapps PIPELINE export --to {root}/NAME` writes one")
    return lambda: find_models(root)


def _tell_pages(server: Server, pages: str) -> None:
    """Says where the pages are, if there are any: they show the models as they are loaded."""
    if pages:
        print(f"playground: {_address(server)}{pages}", flush=True)


def _tell(server: Server) -> None:
    """Says what the server answers for, and where it listens."""
    grpc = f", gRPC on {_host(server)}:{server.grpc_port}" if server.grpc_port > 0 else ""
    models = ", ".join(server.service.registry.models)
    print(f"serving {models} on {_address(server)}{grpc}; Ctrl-C ends it", flush=True)


def _host(server: Server) -> str:
    return f"[{server.options.host}]" if ":" in server.options.host else server.options.host


def _address(server: Server) -> str:
    return f"{'https' if server.options.tls_certificate else 'http'}://{_host(server)}:{server.port}"

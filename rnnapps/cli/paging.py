"""`rnnapps page DIR...`."""

from __future__ import annotations

import argparse
from pathlib import Path

from rnnapps.cli.commands import Commands, add_command

__all__ = ["add_page", "page_command"]

RUNTIME = "node_modules/onnxruntime-web/dist"


def add_page(commands: Commands) -> None:
    """The command `page`."""
    page = add_command(
        commands,
        "page",
        "rnnapps PIPELINE export --run runs/PIPELINE/demo --to saved_models/NAME --portable onnx",
        "npm install onnxruntime-web",
        "rnnapps page saved_models/NAME --to page.html",
        summary="write a page of one file in which exported models run without a server",
        description="Write a page of one file that holds exported models and ONNX Runtime's WebAssembly: they run in "
        "the browser that opens it, without a server.",
    )
    page.add_argument("folder", nargs="+", metavar="DIR", help="a model that was exported with --portable onnx")
    page.add_argument(
        "--runtime", default=RUNTIME, metavar="FOLDER", help=f"dist of the npm package (default: {RUNTIME})"
    )
    page.add_argument("--to", default="page.html", metavar="FILE", help="the page (default: page.html)")


def page_command(arguments: argparse.Namespace) -> int:
    """Writes the page and tells what it holds; returns the exit code.

    Raises:
        ConfigError: there is no runtime, or the page cannot be written.
        ExportError: a model cannot run in it.
    """
    from rnnapps.playground.alone import write_page

    to = Path(arguments.to)
    sizes = write_page([Path(folder) for folder in arguments.folder], Path(arguments.runtime), to)
    for name, size in sizes.items():
        print(f"{name}: {size / 1e6:.1f} MB")
    print(f"{to}: {to.stat().st_size / 1e6:.1f} MB; open it in a browser")
    return 0

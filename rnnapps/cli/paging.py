"""`rnnapps page DIR...`."""

from __future__ import annotations

import argparse
from pathlib import Path

__all__ = ["add_page", "page_command"]

RUNTIME = "node_modules/onnxruntime-web/dist"
EXAMPLES = """\
examples:
  rnnapps PIPELINE export --run runs/PIPELINE/demo --to saved_models/NAME --portable onnx
  npm install onnxruntime-web
  rnnapps page saved_models/NAME --to page.html
"""


def add_page(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The command `page`."""
    page = commands.add_parser(
        "page",
        help="write a page of one file in which exported models run without a server",
        description="Write a page of one file that holds exported models and ONNX Runtime's WebAssembly: they run in "
        "the browser that opens it, without a server.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
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

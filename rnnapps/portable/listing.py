"""`portable.json`: what the files for other runtimes hold and cost, `assets.extra/portable/` of an export."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rnnapps.errors import ExportError

__all__ = ["PORTABLE", "portable_facts", "read_listing", "write_listing"]

PORTABLE, LISTING, VERSION = "portable", "portable.json", 1


def write_listing(folder: Path, signatures: Mapping[str, Any]) -> None:
    """Writes the list.

    Args:
        folder: of the files.
        signatures: name -> its inputs, outputs and states, and its files with what is known of each.
    """
    content = {"format_version": VERSION, "signatures": dict(signatures)}
    (folder / LISTING).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def read_listing(extra: Path) -> dict[str, Any]:
    """The list of an export.

    Args:
        extra: its folder `assets.extra`.

    Returns:
        `{"portable": signatures}`.

    Raises:
        ExportError: it is missing, damaged, or of another version.
    """
    path = extra / PORTABLE / LISTING
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format_version"] != VERSION:
            raise ExportError(
                f"{path}: version {content['format_version']}, expected {VERSION}; export the model again"
            )
        return {"portable": content["signatures"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ExportError(f"{path}: cannot be read ({error}); export the model again") from None


def portable_facts(listing: Mapping[str, Any]) -> dict[str, str]:
    """What is shown of a list: file -> size and difference."""
    return dict(_facts(listing.get("portable", {})))


def _facts(signatures: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for signature in signatures.values():
        for file in signature["files"]:
            costs = f"differs by {file['difference']:.1e}"
            if "products" in file:
                flash, ram = (file["tables"] + file["code"]) / 1024, (file["states"] + file["work"]) / 1024
                costs = f"{flash:.1f} kB flash, {ram:.1f} kB RAM, {file['products']:,} multiply-adds a step; {costs}"
            elif "bytes" in file:
                costs = f"{file['bytes'] / 1024:.1f} kB; {costs}"
            yield file["files"][0], costs

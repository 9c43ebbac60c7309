"""`rnnapps verify DIR`."""

from __future__ import annotations

from rnnapps.errors import ExportError

__all__ = ["verify_folder"]


def verify_folder(folder: str, *, as_json: bool) -> int:
    """Verifies an export and prints every check.

    Args:
        folder: a version folder, or the folder of versions, whose newest one is taken.
        as_json: print one JSON object instead of lines.

    Returns:
        0 when every check passed, 2 otherwise.

    Raises:
        ExportError: there is no export in the folder.
    """
    from rnnapps.cli.result import print_json
    from rnnapps.export.verify import verify

    report = verify(folder)
    if as_json:
        print_json(report.to_dict())
    else:
        print(report.render())
    return 0 if report.passed else ExportError.exit_code

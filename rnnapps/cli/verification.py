"""`rnnapps verify DIR`."""

from __future__ import annotations

from collections.abc import Sequence

from rnnapps.errors import ExportError
from rnnapps.printable import printable

__all__ = ["verify_folder"]


def verify_folder(folder: str, *, as_json: bool, allow: Sequence[str] = (), key: str | None = None) -> int:
    """Verifies an export and prints every check.

    Args:
        folder: a version folder, or the folder of versions, whose newest one is taken.
        as_json: print one JSON object instead of lines.
        allow: operations beside those of our own exports.
        key: file of the public key that it must be signed with; None to take it unsigned.

    Returns:
        0 when every check passed, 2 otherwise.

    Raises:
        ExportError: there is no export in the folder, or the key cannot be read.
    """
    from rnnapps.cli.result import print_json
    from rnnapps.export.verify import verify

    report = verify(folder, allow=frozenset(allow), key=key)
    if as_json:
        print_json(report.to_dict())
    else:
        print(printable(report.render()))
    return 0 if report.passed else ExportError.exit_code

"""Licences of all installed packages, as they declare them, the most common first.

python .ci/licences.py, in the environment to report on
"""

from __future__ import annotations

import collections
import importlib.metadata
import re

# A licence that passes its conditions on to what is distributed together with the package.
RECIPROCAL = re.compile(r"\bA?GPL|General Public License", re.IGNORECASE)
LESSER = re.compile(r"LGPL|Lesser|Library General", re.IGNORECASE)


def main() -> None:
    """Prints licence: packages, and those that a distributor must look at."""
    packages = collections.defaultdict(list)
    for distribution in importlib.metadata.distributions():
        packages[_licence(distribution.metadata)].append(distribution.metadata["Name"])
    for licence, names in sorted(packages.items(), key=lambda item: (-len(item[1]), item[0])):
        print(f"{len(names):4}  {licence}: {', '.join(sorted(names, key=str.lower))}")
    marked = [name for licence, names in packages.items() if _is_reciprocal(licence) for name in names]
    print(f"\nlook at, if you distribute them: {', '.join(sorted(marked)) or 'none'}")
    print(f"say nothing: {', '.join(sorted(packages.get('unknown', []))) or 'none'}")


def _licence(metadata: importlib.metadata.PackageMetadata) -> str:
    """The licence expression, or what classifiers or the older field say."""
    expression = metadata.get("License-Expression")
    if expression:
        return str(expression)
    classifiers = [line.rpartition(" :: ")[2] for line in metadata.get_all("Classifier") or [] if "License" in line]
    told = [name for name in classifiers if name != "OSI Approved"]
    first = (str(metadata.get("License") or "").strip().splitlines() or [""])[0]
    return " or ".join(told) or first[:60] or "unknown"


def _is_reciprocal(licence: str) -> bool:
    return bool(RECIPROCAL.search(licence)) and not LESSER.search(licence)


if __name__ == "__main__":
    main()

"""`python -m rnnapps` is the command `rnnapps`."""

from __future__ import annotations

from rnnapps.cli.main import console_script

if __name__ == "__main__":
    console_script()

"""Lines of the log: for people, or as JSON, one object a line."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

from rnnapps.printable import printable

__all__ = ["JsonLines", "Sentences", "start_logging"]

_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}
LOGGER = "rnnapps.serving"


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, event, and what belongs to it."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        entries = {"time": time, "level": record.levelname, "event": record.getMessage(), **_extra(record)}
        return json.dumps(entries, ensure_ascii=False, default=str)


class Sentences(logging.Formatter):
    """The event and what belongs to it in a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        time = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        extra = _extra(record)
        model, reason = extra.pop("model", ""), extra.pop("reason", "")
        words = [record.getMessage(), *([str(model)] if model else [])]
        told = ", ".join(f"{name} {value}" for name, value in extra.items() if name != "confinement")
        tail = f": {reason}" if reason else f" ({told})" if told else ""
        return printable(f"{time} {' '.join(words)}{tail}")


def start_logging(*, as_json: bool) -> None:
    """Sends the server's log to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if as_json else Sentences())
    logger = logging.getLogger(LOGGER)
    logger.handlers[:], logger.propagate = [handler], False
    logger.setLevel(logging.INFO)


def _extra(record: logging.LogRecord) -> dict[str, object]:
    """What the call gave beside the event."""
    return {name: value for name, value in vars(record).items() if name not in _OWN}

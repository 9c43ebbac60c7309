"""TensorBoard events of a run, written with TensorFlow alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

__all__ = ["EventWriter"]


class EventWriter:
    """Writes each figure of an evaluation as a scalar; creates its file at the first one.

    Args:
        folder: of the event files.
        enabled: whether to write at all.
    """

    def __init__(self, folder: Path, enabled: bool) -> None:
        self.folder, self.enabled = folder, enabled
        self._writer: tf.summary.SummaryWriter | None = None
        self._metadata = tf.compat.v1.SummaryMetadata(
            plugin_data=tf.compat.v1.SummaryMetadata.PluginData(plugin_name="scalars"),
            data_class=1,  # DATA_CLASS_SCALAR
        )

    def write(self, row: Mapping[str, Any]) -> None:
        """Writes one row of metrics.jsonl."""
        if not self.enabled:
            return
        if self._writer is None:
            self._writer = tf.summary.create_file_writer(str(self.folder))
        with self._writer.as_default():
            for name, value in row.items():
                if name != "step" and isinstance(value, int | float):
                    tf.summary.write(name, tf.constant(float(value)), step=row["step"], metadata=self._metadata)
        self._writer.flush()

    def close(self) -> None:
        """Closes the file."""
        if self._writer is not None:
            self._writer.close()

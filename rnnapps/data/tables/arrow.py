"""Tables of Apache Arrow's formats: Parquet and Feather."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from rnnapps.data.converters import reason_of
from rnnapps.data.tables.arrow_sizes import batch_rows
from rnnapps.data.tables.reader import FoundTable, TableOptions, TableReader, require_room
from rnnapps.errors import DataError

__all__ = ["FeatherReader", "ParquetReader", "arrow_table"]

FILE_HEAD = 8
"""Bytes before the messages of a file, which a stream does not have."""


class ParquetReader(TableReader):
    """Parquet files."""

    title, suffixes, magic = "a Parquet file", (".parquet", ".pq"), (b"PAR1",)

    def read(self, path: Path, options: TableOptions) -> FoundTable:
        """Reads a file, its index with it."""
        import pyarrow.parquet

        try:
            with pyarrow.parquet.ParquetFile(path) as file:
                require_room(path, rows=file.metadata.num_rows, columns=file.metadata.num_columns)
                table = file.read()
            return arrow_table(table)
        except DataError:
            raise
        except Exception as error:  # pyarrow raises many kinds for damaged files
            raise _damaged(path, "Parquet", error) from None

    def read_in_pieces(self, path: Path, rows: int) -> Iterator[FoundTable]:
        """Reads a file piece by piece, at most so many rows at once.

        Raises:
            DataError: it is damaged.
        """
        import pyarrow as pa
        import pyarrow.parquet

        try:
            with pyarrow.parquet.ParquetFile(path) as file:
                for batch in file.iter_batches(rows):
                    yield arrow_table(pa.Table.from_batches([batch], schema=file.schema_arrow))
        except (pa.ArrowException, OSError) as error:
            raise _damaged(path, "Parquet", error) from None


class FeatherReader(TableReader):
    """Feather files, and streams of Arrow."""

    title, suffixes = "a Feather (Arrow) file", (".feather", ".arrow", ".arrows", ".ipc")
    magic = (b"ARROW1\0\0", b"FEA1", b"\xff\xff\xff\xff")

    def read(self, path: Path, options: TableOptions) -> FoundTable:
        """Reads a file, its index with it."""
        try:
            table = _feather(path)
            table.validate(full=True)  # offsets of a damaged file may lie outside of it
            return arrow_table(table)
        except DataError:
            raise
        except Exception as error:  # as above
            raise _damaged(path, "Feather", error) from None


def _feather(path: Path) -> Any:
    """The table of a file of any version, or of a stream."""
    import pyarrow as pa
    import pyarrow.feather

    with pa.OSFile(str(path)) as file:
        head = file.read(8)
    if head.startswith(b"FEA1"):
        return pyarrow.feather.read_table(path)
    is_file = head.startswith(b"ARROW1")
    with pa.OSFile(str(path)) as file:
        file.seek(FILE_HEAD if is_file else 0)
        rows = sum(batch_rows(file))
    with pa.OSFile(str(path)) as file:
        opened = pa.ipc.open_file(file) if is_file else pa.ipc.open_stream(file)
        require_room(path, rows=rows, columns=len(opened.schema))
        return opened.read_all()


def arrow_table(table: Any) -> FoundTable:
    """A table of Arrow as one of pandas; columns of lists and the like are left out unless they are asked for."""
    import pyarrow as pa

    nested = [field.name for field in table.schema if pa.types.is_nested(field.type)]
    frame: pd.DataFrame = table.to_pandas()
    told = (f"columns {', '.join(map(repr, nested))} hold lists or structures and are left out",) if nested else ()
    return FoundTable(frame, lambda row: f"row {row + 1}", extra=tuple(nested), notes=told)


def _damaged(path: Path, form: str, error: Exception) -> DataError:
    """What to tell of a file that cannot be read."""
    return DataError(path, f"cannot be read as {form} ({reason_of(error)})", "write it again")

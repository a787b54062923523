"""All rows of the table, in its order."""

from benchmarks.rows import (
    bursts,
    connecting,
    floor,
    late_joiner,
    latency,
    memory,
    polling,
    record,
    tables,
)
from benchmarks.table import Row

ROWS: list[Row] = [
    *bursts.ROWS,
    *latency.ROWS,
    *connecting.ROWS,
    *memory.ROWS,
    *polling.ROWS,
    *late_joiner.ROWS,
    *tables.ROWS,
    *record.ROWS,
    *floor.ROWS,
]

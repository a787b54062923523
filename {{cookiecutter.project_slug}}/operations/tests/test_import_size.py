"""What a big file costs: seconds, and memory that does not grow with it."""

import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil

from operations.contacts import Contact
from operations.import_contacts import ImportContacts

MIB = 1024 * 1024

Upload = Callable[..., ImportContacts]
Run = Callable[[ImportContacts], object]


def file_of(rows: int) -> bytes:
    lines = (
        f"Person {i};person{i}@example{i % 50}.com;+49 30 {i:07d};Company {i};Köln;Germany;"
        f'"Met at the fair, {i}\nand again later"'
        for i in range(rows)
    )
    return "\n".join(["name;email;phone;company;city;country;notes", *lines]).encode()


@contextmanager
def watched_memory() -> Iterator[list[int]]:
    """Yields a list that grows while the block runs: bytes of the process, more than at first."""
    process = psutil.Process()
    before, grown, over = process.memory_info().rss, [0], threading.Event()

    def watch() -> None:
        while not over.wait(0.02):
            grown.append(process.memory_info().rss - before)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield grown
    finally:
        over.set()
        thread.join()


def test_a_hundred_thousand_rows_take_seconds_and_little_memory(upload: Upload, run: Run) -> None:
    operation = upload(file_of(100_000))
    began = time.process_time()
    with watched_memory() as grown:
        run(operation)
    seconds = time.process_time() - began
    assert Contact.objects.count() == 100_000
    print(
        f"100,000 rows: {seconds:.1f} s of processor time, {max(grown) / MIB:.0f} MiB more memory"
    )
    assert seconds < 60
    assert max(grown) < 64 * MIB


def test_a_row_more_needs_a_hash_more_and_nothing_else(upload: Upload, run: Run) -> None:
    peaks = {}
    for rows in (2_000, 12_000):
        operation = upload(file_of(rows))
        tracemalloc.start()
        try:
            run(operation)
            peaks[rows] = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    each = (peaks[12_000] - peaks[2_000]) / 10_000
    print(f"{each:.0f} bytes for each row; {peaks[12_000] / MIB:.1f} MiB at most for 12,000 rows")
    assert each < 250

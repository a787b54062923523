"""What goes wrong while measuring."""


class BenchmarkError(Exception):
    """Something did not start, did not end in time, or answered nonsense; says what and where."""

"""Gives every test of the site the fixtures of `tests/`."""

pytest_plugins = [
    "tests.left_out",
    "tests.faults.figures",
    "tests.security.promises",
    "tests.stack.steps",
    "tests.levels",
    "tests.fixtures",
    "tests.people",
]

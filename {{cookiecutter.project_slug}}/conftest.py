"""Gives every test of the site the fixtures of `tests/`."""

pytest_plugins = ["tests.left_out", "tests.levels", "tests.fixtures", "tests.people"]

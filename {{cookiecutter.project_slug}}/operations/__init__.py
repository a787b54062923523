"""Your operations: one file each, with its form, templates and tests beside it."""

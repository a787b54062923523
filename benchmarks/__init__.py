"""Measures a generated site against what people use today; see README.md."""

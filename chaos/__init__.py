"""Faults on purpose, against a real broker and real workers: is anything lost? See README.md."""

"""Benchmarks: one file a question; warm up; median and spread; the last line is JSON."""

"""Measurements, each a module with `measure() -> dict`. Nothing here is a test and nothing is asserted."""

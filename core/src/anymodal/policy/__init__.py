"""Decisions about calls that fail, wait or cost: pure functions over plain data."""

"""Compares an answer's shape with the one a document shows: its keys, their order, their types."""

from __future__ import annotations

from typing import Any


def shape(value: Any) -> Any:
    """``value`` with every scalar replaced by the name of its JSON type; key order is kept."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value]
    return type(value).__name__


def lacking(documented: Any, actual: Any, at: str = "$") -> list[str]:
    """Where ``actual`` lacks a key that the document shows or holds another type there.

    Keys that the document does not show are allowed: two documents share one dialect, and the
    shorter shows a subset of the longer.
    """
    if type(documented) is not type(actual):
        return [f"{at}: {type(actual).__name__} instead of {type(documented).__name__}"]
    if not isinstance(documented, dict):
        return []
    missing = [f"{at}.{key}: missing" for key in documented if key not in actual]
    present = [key for key in documented if key in actual]
    return missing + [
        line for key in present for line in lacking(documented[key], actual[key], f"{at}.{key}")
    ]

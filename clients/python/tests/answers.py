"""Answers of the service, in whatever a framework makes of them."""

import json
from typing import Any


def find(value: Any) -> dict[str, Any] | None:
    """The object of the service in a value, as it is or as JSON text at any depth; None if there is none."""
    if isinstance(value, dict) and "success" in value:
        return value
    if isinstance(value, dict | list):
        within = value.values() if isinstance(value, dict) else value
        return next((found for found in map(find, within) if found is not None), None)
    if isinstance(value, str) and value.lstrip().startswith(("{", "[")):
        try:
            return find(json.loads(value))
        except ValueError:
            return None
    return None

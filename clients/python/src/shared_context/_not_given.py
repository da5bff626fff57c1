"""A word for arguments that were not given, where None is a value."""

from typing import Any, Final


class _NotGiven:
    def __repr__(self) -> str:
        return "NOT_GIVEN"

    def __bool__(self) -> bool:
        return False


# Typed as Any so that it can be the default of an argument of any type.
NOT_GIVEN: Final[Any] = _NotGiven()

"""Every error that this package raises. `except NotFoundError` and the other families take several codes at once."""

from collections.abc import Mapping
from typing import Any

from ._base_errors import BusyError as BusyError
from ._base_errors import CredentialsError as CredentialsError
from ._base_errors import NoAnswerError as NoAnswerError
from ._base_errors import NotFoundError as NotFoundError
from ._base_errors import RequestError as RequestError
from ._base_errors import ServerError as ServerError
from ._base_errors import SharedContextError as SharedContextError
from ._base_errors import UnexpectedAnswerError as UnexpectedAnswerError
from ._generated.error_codes import *  # noqa: F403 - every class that has a code
from ._generated.error_codes import BY_CODE


def error_of(tool: str, status: int, body: Mapping[str, Any]) -> ServerError:
    """The error that a failed answer stands for."""
    kind = BY_CODE.get(str(body.get("code")), ServerError)
    return kind(str(body.get("error", "The call failed.")), tool=tool, status=status, body=body)

"""The client of shared-context-server: a shared workspace for AI agents."""

from . import errors
from ._generated import models
from ._not_given import NOT_GIVEN
from .async_client import AsyncClient
from .async_leases import AsyncLease
from .async_work import AsyncHeldTask
from .client import Client
from .errors import SharedContextError
from .events import Event
from .leases import Lease
from .retry import RetryPolicy
from .settings import VERSION as __version__
from .work import HeldTask

__all__ = [
    "NOT_GIVEN",
    "AsyncClient",
    "AsyncHeldTask",
    "AsyncLease",
    "Client",
    "Event",
    "HeldTask",
    "Lease",
    "RetryPolicy",
    "SharedContextError",
    "__version__",
    "errors",
    "models",
]

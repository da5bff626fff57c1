"""LangGraph: a BaseStore and a BaseCheckpointSaver that keep everything in shared-context-server.

Needs: pip install "shared-context-client[langgraph]"
"""

from .checkpoints import SharedContextSaver
from .store import SharedContextStore

__all__ = ["SharedContextSaver", "SharedContextStore"]

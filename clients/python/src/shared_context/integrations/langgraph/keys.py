"""Under which keys checkpoints are."""

from dataclasses import dataclass

from langchain_core.runnables import RunnableConfig

from .._paths import short

# Characters of the parts of a key, which has 255 in all.
_THREAD, _NS, _CHECKPOINT, _TASK, _CHANNEL, _VERSION = 64, 64, 40, 40, 48, 56


@dataclass(frozen=True)
class Place:
    """A thread, and a graph in it: that of the thread or a subgraph."""

    thread_id: str
    checkpoint_ns: str

    @classmethod
    def of(cls, config: RunnableConfig) -> "Place":
        given = config["configurable"]
        return cls(str(given["thread_id"]), given.get("checkpoint_ns", ""))

    def config(self, checkpoint_id: str) -> RunnableConfig:
        return {
            "configurable": {
                "thread_id": self.thread_id,
                "checkpoint_ns": self.checkpoint_ns,
                "checkpoint_id": checkpoint_id,
            }
        }

    @property
    def path(self) -> str:
        return f"{short(self.thread_id, _THREAD)}/{short(self.checkpoint_ns, _NS)}"


class Keys:
    """`b/` for the values of channels, `w/` for pending writes, `c/` for checkpoints."""

    @staticmethod
    def blob(place: Place, channel: str, version: str | int | float) -> str:
        return f"b/{place.path}/{short(channel, _CHANNEL)}/{short(str(version), _VERSION)}"

    @staticmethod
    def checkpoint(place: Place, checkpoint_id: str) -> str:
        return f"c/{place.path}/{short(checkpoint_id, _CHECKPOINT)}"

    @staticmethod
    def checkpoints(thread_id: str | None, checkpoint_ns: str | None) -> str:
        """How the keys of checkpoints begin: of all, of a thread, or of one graph in it."""
        if thread_id is None:
            return "c/"
        thread = f"c/{short(str(thread_id), _THREAD)}/"
        return thread if checkpoint_ns is None else f"{thread}{short(checkpoint_ns, _NS)}/"

    @staticmethod
    def writes(place: Place, checkpoint_id: str) -> str:
        return f"w/{place.path}/{short(checkpoint_id, _CHECKPOINT)}/"

    @staticmethod
    def write(place: Place, checkpoint_id: str, task_id: str, index: int) -> str:
        # Writes are read in the order of their keys; the special ones, whose index is below 0, come last.
        number = f"{index:06}" if index >= 0 else f"x{-index:05}"
        return f"{Keys.writes(place, checkpoint_id)}{short(task_id, _TASK)}/{number}"

    @staticmethod
    def all_of(thread_id: str) -> list[str]:
        """How all keys of a thread begin."""
        thread = short(thread_id, _THREAD)
        return [f"{kind}/{thread}/" for kind in ("b", "w", "c")]

    @staticmethod
    def writes_of(checkpoint_key: str) -> str:
        """How the keys of the writes to a checkpoint begin."""
        return f"w{checkpoint_key[1:]}/"

    @staticmethod
    def folder_of(checkpoint_key: str) -> str:
        return checkpoint_key.rpartition("/")[0]

    @staticmethod
    def id_of(checkpoint_key: str) -> str:
        return checkpoint_key.rpartition("/")[2]


def metadata_field(name: str) -> str:
    """The field of a stored checkpoint in which a part of its metadata can be looked for."""
    return f"metadata.{name}"

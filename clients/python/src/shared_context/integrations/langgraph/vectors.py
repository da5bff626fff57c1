"""Vectors of a store: kept on the server beside the values, and compared here."""

from collections.abc import Iterable, Sequence
from typing import Any

from langgraph.store.base import IndexConfig, PutOp, ensure_embeddings, get_text_at_path, tokenize_path

from ..._generated.models import OperationInput
from .._memory import Memory
from .._vectors import cosine, inner_product, nearness, packed, unpacked

_SCORES = {"cosine": cosine, "inner_product": inner_product, "l2": nearness}


class VectorIndex:
    """Which texts of a value have vectors, how these are made, and how they are compared.

    As LangGraph's PostgresStore it takes a `distance_type`: cosine unless given, inner_product or l2.
    """

    def __init__(self, config: IndexConfig) -> None:
        self._embeddings = ensure_embeddings(config["embed"])
        self.score = _SCORES[str(config.get("distance_type", "cosine"))]
        self._fields = [(path, _tokens(path)) for path in config.get("fields") or ["$"]]

    def texts(self, op: PutOp) -> dict[str, str]:
        """The texts of a value, each by the name of its field."""
        if op.value is None or op.index is False:
            return {}
        fields = self._fields if op.index is None else [(path, _tokens(path)) for path in op.index]
        texts: dict[str, str] = {}
        for path, tokens in fields:
            found = get_text_at_path(op.value, tokens)
            texts.update({path if len(found) == 1 else f"{path}.{i}": text for i, text in enumerate(found)})
        return texts

    def embed(self, puts: Iterable[PutOp], queries: Iterable[str]) -> dict[str, list[float]]:
        """The vectors of all texts and queries."""
        texts = self._all_texts(puts)
        vectors = dict(zip(texts, self._embeddings.embed_documents(texts), strict=True)) if texts else {}
        return {**vectors, **{query: self._embeddings.embed_query(query) for query in queries}}

    async def aembed(self, puts: Iterable[PutOp], queries: Iterable[str]) -> dict[str, list[float]]:
        texts = self._all_texts(puts)
        vectors = dict(zip(texts, await self._embeddings.aembed_documents(texts), strict=True)) if texts else {}
        return {**vectors, **{query: await self._embeddings.aembed_query(query) for query in queries}}

    def _all_texts(self, puts: Iterable[PutOp]) -> list[str]:
        return list(dict.fromkeys(text for op in puts for text in self.texts(op).values()))


class Vectors:
    """The vectors of a store. Each value has its vectors under its own key, in a namespace below that of the store."""

    def __init__(self, memory: Memory, index: VectorIndex) -> None:
        self._memory = memory
        self.index = index

    def operation(self, key: str, op: PutOp, vectors: dict[str, list[float]], expires_in: int) -> OperationInput:
        """What a write does to the vectors of its key."""
        texts = self.index.texts(op)
        if not texts:
            return self._memory.delete(key)
        value = {field: packed(vectors[text]) for field, text in texts.items()}
        return self._memory.set(key, value, expires_in=expires_in)

    def touch(self, keys: Iterable[str]) -> None:
        """Keeps the vectors of these values as long again as when they were written. Not every value has vectors."""
        self._memory.touch(keys)

    def scores(self, prefix: str, query: Sequence[float]) -> list[tuple[str, float]]:
        """The keys that begin so and have vectors, best first: that of its fields which is nearest counts."""
        scores: list[tuple[str, float]] = []
        for entry in self._memory.entries(prefix, values=True):
            fields: dict[str, str] = entry["value"]
            scores.append((entry["key"], max(self.index.score(query, unpacked(text)) for text in fields.values())))
        return sorted(scores, key=lambda each: each[1], reverse=True)


def _tokens(path: str) -> Any:
    # LangGraph takes the whole value for this one.
    return path if path == "$" else tokenize_path(path)

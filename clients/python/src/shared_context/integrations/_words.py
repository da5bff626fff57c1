"""Values that fit words, as search_memory finds them, below a prefix of keys."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ._memory import Memory
from ._paths import unescaped

# Characters of a query that the server takes.
_QUERY_MAX = 500
# What search_memory returns at most.
_RESULTS_MAX = 100
# The server looks at so many values in a search. So does this module, where it has to look itself.
_VALUES_MAX = 2000
_BYTES_MAX = 8_000_000
_PAGE = 200
_THRESHOLD = 60.0

# A key, its value, and its score from 0 to 100.
Found = tuple[str, Any, float]


def cut(query: str) -> str:
    """As much of a query as the server takes. It refuses longer ones."""
    return query[:_QUERY_MAX]


def search(
    memory: Memory,
    query: str,
    prefix: str,
    *,
    wanted: int,
    threshold: float = _THRESHOLD,
    filter: Mapping[str, Any] | None = None,
) -> list[Found]:
    """The values that fit best, best first, of those whose keys begin so.

    The server ranks all of the namespace, whatever the keys, and returns the best 100 of its last 2000 values. If less
    than `wanted` of these are below the prefix, others there may fit too. Then the last 2000 values below the prefix
    are compared here, by the words of the query that they have. None of these gets a better score than the server's
    last result.
    """
    answer = memory.client.search_memory(
        query=cut(query), namespace=memory.namespace, limit=_RESULTS_MAX, fuzzy_threshold=threshold
    )
    results = answer["results"]
    best: list[Found] = [
        (each["key"], each["value"], each["score"])
        for each in results
        if each["namespace"] == memory.namespace and each["key"].startswith(prefix)
    ]
    if filter and best:
        allowed = {entry["key"] for entry in memory.entries(prefix, filter=filter)}
        best = [each for each in best if each[0] in allowed]
    if len(best) >= wanted or (len(results) < _RESULTS_MAX and not answer["partial"]):
        return best
    most = results[-1]["score"] if len(results) == _RESULTS_MAX else 100.0
    known = {key for key, _, _ in best}
    rest = [each for each in _compared(memory, cut(query), prefix, filter, most) if each[0] not in known]
    rest = [each for each in rest if each[2] >= threshold]
    return sorted([*best, *rest], key=lambda each: each[2], reverse=True)


def _compared(
    memory: Memory, query: str, prefix: str, filter: Mapping[str, Any] | None, most: float
) -> Iterator[Found]:
    words = set(re.findall(r"\w+", query.casefold()))
    # A longer word tells more than a short one, in any language.
    total = sum(len(word) for word in words)
    size = 0
    entries = memory.entries(prefix, filter=filter, values=True, order="updated", limit=_PAGE)
    for n, entry in enumerate(entries, 1):
        size += entry["value_size"]
        text = "\n".join([unescaped(entry["key"]), *_texts(entry["value"])]).casefold()
        has = sum(len(word) for word in words if word in text)
        if has:
            yield entry["key"], entry["value"], min(most, 100 * has / total)
        if n == _VALUES_MAX or size > _BYTES_MAX:
            return


def _texts(value: Any) -> Iterator[str]:
    """What the server looks at in a value, too: each text and number, at any depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, int | float):
        yield str(value)
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part)

"""Vectors as text, and how near they are."""

import base64
import math
import struct
from collections.abc import Sequence


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    """From -1 to 1; 0 if one of them is nothing."""
    size = math.sqrt(sum(x * x for x in one)) * math.sqrt(sum(x * x for x in other))
    return 0.0 if size == 0 else inner_product(one, other) / size


def inner_product(one: Sequence[float], other: Sequence[float]) -> float:
    return sum(x * y for x, y in zip(one, other, strict=True))


def nearness(one: Sequence[float], other: Sequence[float]) -> float:
    """The distance with its sign changed: 0 is the same, less is farther away."""
    return -math.dist(one, other)


def packed(vector: Sequence[float]) -> str:
    """Single precision is what databases of vectors keep too."""
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def unpacked(text: str) -> tuple[float, ...]:
    data = base64.b64decode(text)
    return struct.unpack(f"<{len(data) // 4}f", data)

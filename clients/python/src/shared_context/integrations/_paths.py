"""Paths of names as keys of memory: `users/123/prefs`."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import unquote

# The longest key that the server takes, in characters.
KEY_MAX = 255
_EMPTY = "%"
_HASHED = "~"
# ASCII that is not escaped: most names are of it, and a look at each character takes many times as long.
_PLAIN = re.compile(r"[!-$&-.0-}](?:[ -$&-.0-}]*[!-$&-.0-}])?")


def escaped(part: str) -> str:
    """One part of a path. What the server would trim, compose or refuse in a key is percent-encoded."""
    if part == "":
        return _EMPTY
    if _PLAIN.fullmatch(part) is not None:
        return part
    last = len(part) - 1
    return "".join(
        char if _is_plain(char) and (char != " " or 0 < i < last) else "".join(f"%{byte:02X}" for byte in char.encode())
        for i, char in enumerate(part)
    )


def unescaped(part: str) -> str:
    return "" if part == _EMPTY else unquote(part)


def path_of(parts: Iterable[str]) -> str:
    """The path of these parts, with a slash at its end: everything below it begins so."""
    # Plain texts: an enumeration equals its text, and prints otherwise.
    return _path_of(tuple(str.__str__(part) for part in parts))


# A batch names the same few namespaces again and again.
@lru_cache(maxsize=256)
def _path_of(parts: tuple[str, ...]) -> str:
    return "".join(f"{escaped(part)}/" for part in parts)


def parts_of(path: str) -> tuple[str, ...]:
    """The parts of a path or key."""
    return tuple(unescaped(part) for part in path.split("/") if part)


def short(part: str, longest: int) -> str:
    """A part of at most so many characters: a longer one is named by its hash, and can be looked up, but not read."""
    text = escaped(part)
    return text if len(text) <= longest else _HASHED + hashlib.sha256(part.encode()).hexdigest()[: longest - 1]


def _is_plain(char: str) -> bool:
    return (
        char not in "%/~"
        and (char == " " or char.isprintable())
        and unicodedata.combining(char) == 0
        and unicodedata.is_normalized("NFC", char)
    )

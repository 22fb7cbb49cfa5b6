"""Kinds without a page of their own: every field, its name in words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from . import common

if TYPE_CHECKING:
    from wavetank.cluster import Cluster
    from wavetank.printing.objects import Object

    from .page import Page

_LEFT_OUT = frozenset(
    f"metadata.{field}" for field in ("annotations", "labels", "managedFields", "name", "namespace")
)
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z][a-z]*|[a-z]+|[^A-Za-z]+")
_ACRONYMS = frozenset(("API", "URL", "UID", "GUID"))


def generic(page: Page, cluster: Cluster, item: Object) -> None:
    """Describe an object of any kind."""
    common.head(page, item)
    _fields(page, item, "", 0)
    common.events(page, cluster, item)


def _fields(page: Page, content: Object, path: str, level: int) -> None:
    for field in sorted(content):
        value, here = content[field], f"{path}.{field}" if path else field
        if here in _LEFT_OUT:
            continue
        if isinstance(value, Mapping):
            page.row(f"{title(field)}:", level=level)
            _fields(page, value, here, level + 1)
        elif isinstance(value, list):
            page.row(f"{title(field)}:", level=level)
            for item in value:
                _item(page, item, here, level + 1)
        else:
            page.row(f"{title(field)}:", common.go(value), level=level)


def _item(page: Page, item: Any, path: str, level: int) -> None:
    if isinstance(item, Mapping):
        _fields(page, item, path, level)
    else:
        page.row(common.go(item), level=level)


def title(field: str) -> str:
    """Return a field's name as a title: ``apiVersion`` is ``API Version``."""
    if not all(letter.isalpha() or letter == "-" for letter in field):
        return field
    words: list[str] = []
    for word in _WORDS.findall(field):
        # A word of capitals keeps the capital that follows: `HTTPGet` is one.
        if words and _is_capitals(words[-1]) and word[0].isupper():
            words[-1] += word
        else:
            words.append(word)
    return " ".join(_word(word) for word in words)


def _is_capitals(word: str) -> bool:
    return len(word) > 1 and word.isupper()


def _word(word: str) -> str:
    if word.upper() in _ACRONYMS:
        return word.upper()
    return word.title() if word == word.lower() else word

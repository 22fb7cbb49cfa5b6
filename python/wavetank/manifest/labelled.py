"""Labels of many pods by key and value, so that a selector is not tried on every one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Labels = Mapping[str, str]


class Labelled:
    """Sets of labels; equal ones are kept once."""

    def __init__(self) -> None:
        self._sets: dict[frozenset[tuple[str, str]], Labels] = {}
        self._by_pair: dict[tuple[str, str], list[Labels]] = {}

    def add(self, labels: Labels) -> None:
        """Take in the labels of a pod."""
        pairs = frozenset(labels.items())
        if pairs not in self._sets:
            self._sets[pairs] = labels
            for pair in pairs:
                self._by_pair.setdefault(pair, []).append(labels)

    def any(self, required: Labels, matches: Callable[[Labels], bool]) -> bool:
        """Tell whether some labels match; those that do have the required ones among them."""
        if not required:
            return any(map(matches, self._sets.values()))
        rarest = min((self._by_pair.get(pair, []) for pair in required.items()), key=len)
        return any(map(matches, rarest))

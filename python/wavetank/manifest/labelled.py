"""Labels of many pods by key and value, so that a selector is not tried on every one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Labels = Mapping[str, str]


Port = tuple[str, str]


class Labelled:
    """Sets of labels, and the container ports of pods that have them; equal ones are kept once."""

    def __init__(self) -> None:
        self._sets: dict[frozenset[tuple[str, str]], Labels] = {}
        self._by_pair: dict[tuple[str, str], list[Labels]] = {}
        self._ports: dict[frozenset[tuple[str, str]], set[Port]] = {}

    def add(self, labels: Labels, ports: Iterable[Port] = ()) -> None:
        """Take in the labels of a pod, and names and protocols of its ports."""
        pairs = frozenset(labels.items())
        self._ports.setdefault(pairs, set()).update(ports)
        if pairs not in self._sets:
            self._sets[pairs] = labels
            for pair in pairs:
                self._by_pair.setdefault(pair, []).append(labels)

    def any(self, required: Labels, matches: Callable[[Labels], bool]) -> bool:
        """Tell whether some labels match; those that do have the required ones among them."""
        return any(map(matches, self._candidates(required)))

    def has_port(self, required: Labels, port: Port) -> bool:
        """Tell whether a pod with the required labels has a container port."""
        wanted = required.items()
        return any(
            port in self._ports[frozenset(labels.items())]
            for labels in self._candidates(required)
            if wanted <= labels.items()
        )

    def _candidates(self, required: Labels) -> Iterable[Labels]:
        if not required:
            return self._sets.values()
        return min((self._by_pair.get(pair, []) for pair in required.items()), key=len)

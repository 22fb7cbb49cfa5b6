"""The contract between the engine and a controller.

A controller watches kinds and gets *keys*, never events. The engine stops when keys are ready,
hands over a batch in the order the keys were added, and goes on when each key has an answer:
done, look again after a while, or failed. Nothing of the engine runs meanwhile, so an exception
simply propagates: the keys not yet worked on go back to the front of the queue.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from wavetank import _core

if TYPE_CHECKING:
    from collections.abc import Sequence

#: A Kubernetes object as the API has it.
Object = dict[str, Any]


@dataclass(frozen=True)
class Watch:
    """A kind whose writes concern a controller, and the keys they yield.

    Parameters
    ----------
    resource
        The kind, as kubectl takes it: ``"deployments"``, ``"pods"``, ``"widgets.example.com"``;
        ``"*"`` is every kind.
    owner
        Yield the object of this kind that controls the one written. For an object nobody
        controls, yield those of this kind whose ``spec.selector`` selects it.
    selected_by
        Yield the objects of this kind whose ``spec.selector`` selects the one written.
    namespace
        Yield the namespace of the object written.
    spec_only
        Pass over writes that change the status alone.
    deletes_only
        Pass over everything but deletions.
    """

    resource: str
    owner: str | None = None
    selected_by: str | None = None
    namespace: bool = False
    spec_only: bool = False
    deletes_only: bool = False

    def to_core(self, context: Context) -> tuple[int | None, str, int | None, bool, bool]:
        """Return it as the core takes it: kinds by their numbers."""
        kind = None if self.resource == "*" else context.kind(self.resource)
        of = self.owner or self.selected_by
        mapping = "namespace" if self.namespace else "itself"
        if of is not None:
            mapping = "controller" if self.owner else "selected"
        number = None if of is None else context.kind(of)
        return kind, mapping, number, self.spec_only, self.deletes_only


@dataclass(frozen=True)
class Answer:
    """What a controller says about a key; see :data:`DONE`, :func:`after`, :func:`timeout`."""

    word: str
    delay_ns: int = 0


#: Longer than anything a simulation waits for.
_LONGEST_NS = 2**62

#: Nothing more to do until something changes.
DONE = Answer("done")
#: It failed; try again after backing off.
FAILED = Answer("failed")


def after(delay_ns: int) -> Answer:
    """Look at the key again after ``delay_ns`` nanoseconds of virtual time."""
    return Answer("after", min(max(0, int(delay_ns)), _LONGEST_NS))


def timeout(delay_ns: int) -> Answer:
    """Look again after ``delay_ns``, unless the cluster settles before: a deadline."""
    return Answer("timeout", min(max(0, int(delay_ns)), _LONGEST_NS))


@dataclass
class Context:
    """What a controller works with: the cluster's objects and clock.

    Attributes
    ----------
    world
        The compiled cluster; its methods are the API's verbs.
    """

    world: _core.World
    _ids: dict[str, int] = field(default_factory=dict)

    def kind(self, resource: str) -> int:
        """Return the number of a kind, by a name kubectl would take."""
        number = self._ids.get(resource)
        if number is None:
            number = self.world.resolve(resource)[0]["id"]
            self._ids[resource] = number
        return number

    @property
    def now_ns(self) -> int:
        """The virtual time, nanoseconds since the Unix epoch."""
        return self.world.now_ns

    @property
    def timestamp(self) -> str:
        """The virtual time as the API writes it."""
        return _core.format_time(self.world.now_ns)

    def event(self, key: int, event_type: str, reason: str, component: str, message: str) -> None:
        """Record an event of type ``Normal`` or ``Warning`` about an object."""
        self.world.record_event(key, event_type, reason, component, message)


class Controller(ABC):
    """A control loop over one kind.

    Subclasses name themselves, say what they watch and implement :meth:`sync`; one that can do
    better for many keys at once overrides :meth:`sync_batch`.
    """

    #: The name, also the component of its events.
    name: str = ""

    @abstractmethod
    def watches(self) -> Sequence[Watch]:
        """Return the kinds that concern this controller."""

    @abstractmethod
    def sync(self, context: Context, key: int) -> Answer | None:
        """Bring the world in line with one object; ``None`` means :data:`DONE`."""

    def sync_batch(self, context: Context, keys: Sequence[int]) -> list[Answer]:
        """Work on many keys; an API error of one fails that key alone."""
        return [self.attempt(context, key) for key in keys]

    def attempt(self, context: Context, key: int) -> Answer:
        """Work on one key; an API error becomes :data:`FAILED`."""
        try:
            answer = self.sync(context, key)
        except _core.ApiError:
            return FAILED
        return DONE if answer is None else answer

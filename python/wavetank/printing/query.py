"""What the arguments of ``kubectl get`` and ``describe`` ask for, and what there is of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wavetank.errors import ApiError, BadRequestError, NotFoundError
from wavetank.resource import Resource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wavetank.cluster import Cluster
    from wavetank.kinds import Kind


@dataclass(frozen=True)
class Query:
    """What to look for.

    Parameters
    ----------
    arguments
        As typed: ``pods``, ``pod web-0``, ``deploy,svc``, ``pod/web-0 svc/web``.
    namespace
        Where to look; ``None`` means everywhere.
    labels, fields
        Selectors.
    """

    arguments: Sequence[str]
    namespace: str | None = "default"
    labels: str | None = None
    fields: str | None = None

    @property
    def by_name(self) -> bool:
        """Whether single objects are asked for."""
        return len(self.arguments) > 1 or any("/" in word for word in self.arguments)


@dataclass
class Found:
    """The objects of one kind."""

    kind: Kind
    items: list[Resource]


@dataclass
class Answer:
    """What there is of a query: objects by kind, and a sentence for each that is missing."""

    groups: list[Found] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def items(self) -> list[Resource]:
        """All objects."""
        return [item for group in self.groups for item in group.items]

    def add(self, kind: Kind, items: list[Resource]) -> None:
        """Add objects, below those of the same kind that came right before."""
        if self.groups and self.groups[-1].kind.resource == kind.resource:
            self.groups[-1].items += items
        else:
            self.groups.append(Found(kind, items))


def answer(cluster: Cluster, query: Query) -> Answer:
    """Look for what a query asks for.

    Raises
    ------
    ValueError
        When the arguments make no sense.
    ApiError
        When a selector does.
    """
    _check(query)
    found = Answer()
    if not query.by_name:
        for kind in _kinds(cluster, query.arguments[0]):
            found.add(kind, _all(cluster, kind, query))
        return found
    for kind, name in _named(cluster, query.arguments):
        _add(found, cluster, kind, name, query.namespace)
    return found


def _add(found: Answer, cluster: Cluster, kind: Kind, name: str, namespace: str | None) -> None:
    try:
        found.add(kind, [_one(cluster, kind, name, namespace)])
    except NotFoundError as error:
        found.errors.append(server_error(error))


def beginning_with(cluster: Cluster, query: Query) -> Answer:
    """Return the objects whose names begin with the one asked for, as ``describe`` does."""
    found = Answer()
    for kind, prefix in _named(cluster, query.arguments):
        items = _all(cluster, kind, Query((), query.namespace))
        found.add(kind, [item for item in items if item.name.startswith(prefix)])
    return found


def server_error(error: ApiError) -> str:
    """Return an answer of the API server as kubectl prints it."""
    return f"Error from server ({error.reason}): {error}"


def _check(query: Query) -> None:
    if not query.arguments:
        raise ValueError("you must specify the type of resource to get")
    if not query.by_name:
        return
    if query.namespace is None:
        raise ValueError("a resource cannot be retrieved by name across all namespaces")
    if query.labels or query.fields:
        raise ValueError("name cannot be provided when a selector is specified")
    slashes = {"/" in word for word in query.arguments}
    if slashes == {True, False}:
        raise ValueError(
            "there is no need to specify a resource type as a separate argument when passing "
            "arguments in resource/name form (e.g. 'wavetank get resource/<resource_name>' "
            "instead of 'wavetank get resource resource/<resource_name>'"
        )


def _kinds(cluster: Cluster, argument: str) -> list[Kind]:
    try:
        return cluster.kinds_of(argument)
    except ValueError:
        unknown = next((word for word in argument.split(",") if not _exists(cluster, word)), "")
        raise ValueError(f'the server doesn\'t have a resource type "{unknown}"') from None


def _exists(cluster: Cluster, word: str) -> bool:
    try:
        return bool(cluster.kinds_of(word))
    except ValueError:
        return False


def _named(cluster: Cluster, arguments: Sequence[str]) -> list[tuple[Kind, str]]:
    if "/" not in arguments[0]:
        kinds = _kinds(cluster, arguments[0])
        return [(kind, name) for name in arguments[1:] for kind in kinds]
    named = []
    for word in arguments:
        resource, _, name = word.partition("/")
        if "/" in name:
            raise ValueError("arguments in resource/name form may not have more than one slash")
        if not resource or not name:
            raise ValueError("arguments in resource/name form must have a single resource and name")
        named += [(kind, name) for kind in _kinds(cluster, resource)]
    return named


def _all(cluster: Cluster, kind: Kind, query: Query) -> list[Resource]:
    namespace = query.namespace if kind.namespaced else None
    try:
        items, *_ = cluster.world.list(kind.id, namespace, query.labels, query.fields)
    except BadRequestError as error:
        resource = f"/{kind.version}, Resource={kind.plural}"
        sentence = (
            f'Unable to find "{kind.group}{resource}" that match label selector '
            f'"{query.labels or ""}", field selector "{query.fields or ""}": {error}'
        )
        error.args = (sentence,)
        raise
    return [Resource(item) for item in cluster.in_version(kind, items)]


def _one(cluster: Cluster, kind: Kind, name: str, namespace: str | None) -> Resource:
    place = (namespace or "default") if kind.namespaced else None
    found = cluster.world.get(kind.id, name, place)
    return Resource(cluster.in_version(kind, [found])[0])

"""The verbs of the API server, over the objects of a cluster."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, Literal

from .kinds import Kind, as_kind
from .listing import ResourceList, without_gc
from .manifest.single import one_object, with_current
from .resource import Resource

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from . import _core

_PATCHES = ("strategic", "merge", "json")


class Api:
    """Create, read, change, delete and watch objects: what a client of a cluster can do.

    :class:`wavetank.Cluster` is one; this half of it knows nothing of time.
    """

    _world: _core.World
    _kinds: dict[str, Kind]

    @property
    def world(self) -> _core.World:
        """The compiled cluster, for what this class has no word for."""
        return self._world

    def kind(self, resource: str) -> Kind:
        """Return the kind an argument names, as kubectl would understand it.

        Raises
        ------
        ValueError
            When no kind has that name, or several have.
        """
        known = self._kinds.get(_text("a kind", resource))
        if known is None:
            found = self._world.resolve(resource)
            if len(found) != 1:
                words = ", ".join(as_kind(entry).plural for entry in found)
                told = f"it names {words}; ask for each" if found else "it names none"
                raise ValueError(f"one kind is wanted, not {resource!r}: {told}")
            known = as_kind(found[0])
            if not known.custom:
                self._kinds[resource] = known
        return known

    def kinds_of(self, resources: str) -> list[Kind]:
        """Return the kinds behind an argument such as ``deploy,svc`` or ``all``.

        Raises
        ------
        ValueError
            When a word of it names no kind.
        """
        return [as_kind(entry) for entry in self._world.resolve(resources)]

    def kinds(self) -> list[Kind]:
        """Return every kind there is, custom ones included."""
        return [as_kind(entry) for entry in self._world.kinds()]

    def create(
        self,
        obj: Mapping[str, Any] | str,
        *,
        namespace: str | None = None,
        dry_run: bool = False,
        strict: bool = False,
    ) -> Resource:
        """Create an object and return it as stored.

        Parameters
        ----------
        obj
            A dict, or YAML or JSON text with one object.

        Raises
        ------
        ApiError
            Whatever the API server answers; nothing is changed then.
        """
        validation: Literal["Strict", "Ignore"] = "Strict" if strict else "Ignore"
        created, _ = with_current(
            self._world,
            obj,
            lambda item: self._world.create(
                item, namespace, dry_run=dry_run, field_validation=validation
            ),
        )
        return Resource(created)

    def create_many(
        self,
        template: Mapping[str, Any],
        count: int | None = None,
        *,
        names: Sequence[str] | None = None,
        prefix: str | None = None,
        namespace: str | None = None,
    ) -> NDArray[np.int64]:
        """Create many objects that differ in their name only, in one call.

        The template is defaulted and validated once and its body is shared, so a million pods
        cost about a second and a few hundred bytes each.

        Parameters
        ----------
        template
            The object. With ``count`` alone it has ``metadata.generateName``.
        count
            How many.
        names
            The names to use, instead of ``count``.
        prefix
            Name them ``PREFIX0``, ``PREFIX1``, ...

        Returns
        -------
        array of int64, shape (count,)
            Keys for :meth:`delete_many` and :meth:`set_pods`.
        """
        if names is not None and (prefix is not None or count is not None):
            raise ValueError("names say how many and which: leave count and prefix out")
        if names is None and count is None:
            raise ValueError("create_many needs count or names")
        if isinstance(names, str):
            raise TypeError("names is a list of names, not one text")
        return self._world.create_many(
            template,
            namespace,
            count=0 if count is None else _whole("count", count),
            prefix=prefix,
            names=None if names is None else list(names),
        )

    def get(
        self,
        resource: str,
        name: str | None = None,
        *,
        namespace: str | None = None,
        label_selector: str | None = None,
        field_selector: str | None = None,
    ) -> Any:
        """Read objects, in kubectl's words.

        Parameters
        ----------
        resource
            ``"pods"``, ``"deploy"``, ``"pod/web-0"``.
        name
            One object; without it all that match.
        namespace
            Where to look; without it everywhere, or in ``default`` for one object.
        label_selector, field_selector
            As kubectl's ``-l`` and ``--field-selector``.

        Returns
        -------
        Resource or ResourceList
            One object when a name is given, else all that match, sorted by namespace and name.

        Raises
        ------
        NotFoundError
            When a name is given and nothing has it.
        """
        kind, name = self._named(resource, name)
        if name is not None:
            found = self._world.get(kind.id, name, self._place(kind, namespace))
            return Resource(self.in_version(kind, [found])[0])
        with without_gc():
            objects, *_ = self._world.list(
                kind.id, _where(namespace), label_selector, field_selector
            )
            return ResourceList(self.in_version(kind, objects), kind, self._world.now_ns)

    def find(
        self, resource: str, name: str | None = None, *, namespace: str | None = None
    ) -> Resource | None:
        """Read one object as :meth:`get` does; ``None`` when nothing has the name."""
        kind, name = self._named(resource, name)
        if name is None:
            raise ValueError("find needs the name of an object")
        key = self._world.find(kind.id, name, self._place(kind, namespace))
        if key is None:
            return None
        return Resource(self.in_version(kind, self._world.get_many([key]))[0])

    def in_version(self, kind: Kind, objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return objects of a kind in the version that was asked for, as the API server does."""
        others = [at for at, item in enumerate(objects) if item["apiVersion"] != kind.api_version]
        if others:
            wanted = [objects[at] for at in others]
            converted = self._world.in_version(kind.id, kind.version, wanted)
            for at, item in zip(others, converted, strict=True):
                objects[at] = item
        return objects

    def _named(self, resource: str, name: str | None) -> tuple[Kind, str | None]:
        """Return kind and name of ``("pod", "web-0")`` or ``"pod/web-0"``."""
        _text("a kind", resource)
        if name is not None:
            _text("the name of an object", name)
        elif "/" in resource:
            resource, name = resource.split("/", 1)
        return self.kind(resource), name

    @staticmethod
    def _place(kind: Kind, namespace: str | None) -> str | None:
        return (namespace or "default") if kind.namespaced else None

    def pages(
        self,
        resource: str,
        *,
        limit: int = 500,
        namespace: str | None = None,
        label_selector: str | None = None,
        field_selector: str | None = None,
    ) -> Iterator[ResourceList]:
        """Read objects a page at a time; every page shows the moment of the first."""
        kind = self.kind(resource)
        limit = _whole("limit", limit)
        token = None
        while True:
            objects, _, token, _ = self._world.list(
                kind.id, _where(namespace), label_selector, field_selector, limit, token
            )
            yield ResourceList(self.in_version(kind, objects), kind, self._world.now_ns)
            if token is None:
                return

    def update(
        self,
        obj: Mapping[str, Any] | str,
        *,
        subresource: str = "",
        dry_run: bool = False,
        strict: bool = False,
    ) -> Resource:
        """Replace an object by a changed copy.

        Parameters
        ----------
        obj
            The whole object, as a dict or as text. A ``metadata.resourceVersion`` in it must be
            the stored one.
        subresource
            ``"status"`` writes the status alone.

        Raises
        ------
        ConflictError
            When the object changed since it was read.
        """
        validation: Literal["Strict", "Ignore"] = "Strict" if strict else "Ignore"
        written, _, _ = with_current(
            self._world,
            obj,
            lambda item: self._world.update(
                item, subresource, None, dry_run=dry_run, field_validation=validation
            ),
        )
        return Resource(written)

    def patch(
        self,
        resource: str,
        name: str | None = None,
        patch: Any = None,
        *,
        namespace: str | None = None,
        type: str = "strategic",  # noqa: A002 - kubectl's word
        subresource: str = "",
        dry_run: bool = False,
    ) -> Resource:
        """Change parts of an object.

        Parameters
        ----------
        resource, name
            The object: ``("deployment", "web")`` or ``"deployment/web"``.
        patch
            A dict, or for ``type="json"`` a list of operations; or either as text.
        type
            ``"strategic"`` (kubectl's default), ``"merge"`` or ``"json"``.
        subresource
            ``"status"`` patches the status alone.
        """
        kind, name = self._named(resource, name)
        if name is None:
            raise ValueError("patch needs the name of an object")
        if patch is None:
            raise ValueError("patch needs what to change: patch=...")
        if type not in _PATCHES:
            raise ValueError(f'type is "strategic", "merge" or "json", not {type!r}')
        written, _, _ = self._world.patch(
            kind.id,
            name,
            one_object(patch),
            type,
            subresource,
            self._place(kind, namespace),
            dry_run=dry_run,
            field_validation="Ignore",
        )
        return Resource(written)

    def delete(
        self,
        resource: str,
        name: str | None = None,
        *,
        namespace: str | None = None,
        grace_period_seconds: int | None = None,
        propagation_policy: str = "Background",
        uid: str | None = None,
        resource_version: str | None = None,
    ) -> bool:
        """Delete an object.

        Returns
        -------
        bool
            True when it is gone at once; False when it waits for finalizers, dependents or its
            kubelet.
        """
        kind, name = self._named(resource, name)
        if name is None:
            raise ValueError("delete needs the name of an object; see delete_all")
        gone, _ = self._world.delete(
            kind.id,
            name,
            self._place(kind, namespace),
            grace_seconds=grace_period_seconds,
            propagation=propagation_policy,
            uid=uid,
            resource_version=resource_version,
        )
        return gone

    def delete_all(
        self,
        resource: str,
        *,
        namespace: str | None = None,
        label_selector: str | None = None,
        field_selector: str | None = None,
        grace_period_seconds: int | None = None,
    ) -> int:
        """Delete every object that matches; return how many there were."""
        keys = self.keys(
            resource,
            namespace=namespace,
            label_selector=label_selector,
            field_selector=field_selector,
        )
        return self.delete_many(keys, grace_period_seconds=grace_period_seconds)

    def keys(
        self,
        resource: str,
        *,
        namespace: str | None = None,
        label_selector: str | None = None,
        field_selector: str | None = None,
    ) -> NDArray[np.int64]:
        """Return the keys of the objects that match, for the bulk calls."""
        kind = self.kind(resource)
        return self._world.matching(kind.id, _where(namespace), label_selector, field_selector)

    def delete_many(
        self, keys: NDArray[np.int64], *, grace_period_seconds: int | None = None
    ) -> int:
        """Delete objects by key in one call; return how many were still there."""
        return self._world.delete_many(
            _packed(keys), grace_seconds=grace_period_seconds, propagation="Background"
        )

    def set_pods(
        self,
        keys: NDArray[np.int64],
        *,
        phase: str | None = None,
        ready: bool | None = None,
        exit_code: int | None = None,
    ) -> int:
        """Change the status of many pods in one call; return how many changed."""
        return self._world.change_pods(_packed(keys), phase=phase, ready=ready, exit_code=exit_code)

    def scale(
        self, resource: str, name: str | None = None, *, replicas: int, namespace: str | None = None
    ) -> Resource:
        """Set ``spec.replicas`` of a workload.

        Raises
        ------
        ValueError
            When the kind has no replicas, or ``replicas`` is no whole number.
        """
        kind, _ = self._named(resource, name)
        if "scale" not in kind.subresources:
            raise ValueError(f"{kind.resource} cannot be scaled: they have no replicas")
        replicas = _whole("replicas", replicas)
        return self.patch(
            resource, name, {"spec": {"replicas": replicas}}, namespace=namespace, type="merge"
        )

    def watch(
        self,
        resource: str,
        *,
        namespace: str | None = None,
        label_selector: str | None = None,
        field_selector: str | None = None,
        resource_version: int | str | None = None,
    ) -> _core.Watch:
        """Watch a kind from a resourceVersion on, or from now.

        Returns
        -------
        Watch
            Its ``poll(limit)`` returns what happened since: pairs of ``"ADDED"``,
            ``"MODIFIED"`` or ``"DELETED"`` and the object, and ``("BOOKMARK", version)``.

        Raises
        ------
        GoneError
            When that much history is no longer kept.
        """
        kind = self.kind(resource)
        version = None
        if resource_version is not None:
            version = _whole("resource_version", int(resource_version))
        return self._world.watch(
            kind.id, _where(namespace), label_selector, field_selector, version
        )


def _packed(keys: Any) -> NDArray[np.int64]:
    """Return keys as the core takes them."""
    import numpy as np  # noqa: PLC0415 - slow to import

    given = np.asarray(keys)
    if given.ndim != 1 or (given.size and given.dtype.kind not in "iu"):
        raise TypeError("keys are a flat array of whole numbers, as Cluster.keys returns them")
    return np.ascontiguousarray(given, dtype=np.int64)


def _where(namespace: str | None) -> str | None:
    if namespace == "":
        raise ValueError("the namespace is empty: leave it out to look everywhere")
    return namespace


def _text(what: str, given: Any) -> str:
    if not isinstance(given, str):
        raise TypeError(f"{what} is text, not {type(given).__name__}")
    return given


def _whole(what: str, given: Any) -> int:
    """Return a whole number that is not negative, NumPy's among them."""
    try:
        number = operator.index(given)
    except TypeError:
        raise TypeError(f"{what} is a whole number, not {given!r}") from None
    if isinstance(given, bool) or not 0 <= number < 2**63:
        raise ValueError(f"{what} is a whole number from 0 on, not {given!r}")
    return number

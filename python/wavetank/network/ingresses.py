"""The Ingresses of a cluster as their controllers see them, kept up with what changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wavetank.controllers.ingress import Controllers, Served, controllers
from wavetank.errors import GoneError

from .ingress import IngressTable

if TYPE_CHECKING:
    from wavetank import _core
    from wavetank.api import Api

_WATCHED = ("ingressclasses", "services", "ingresses")


class Ingresses:
    """A table of rules per controller; asked for by requests.

    Ingresses that change are put into the tables one by one. When classes or Services change, who
    serves what is worked out anew.
    """

    def __init__(self, api: Api) -> None:
        self._api = api
        self.serving = Controllers()
        self._tables: dict[Served, IngressTable] = {}
        self._places: dict[tuple[str, str], Served] = {}
        self._watches: dict[str, _core.Watch] = {}
        self._start()

    @classmethod
    def of(cls, api: Api) -> Ingresses:
        """Return those of a cluster, up to date."""
        known: Ingresses | None = api.__dict__.get("_ingresses")
        if known is None:
            known = api.__dict__["_ingresses"] = cls(api)
        else:
            known.follow()
        return known

    def _start(self) -> None:
        version = str(self._api.world.revision)
        self._watches = {kind: self._api.watch(kind, resource_version=version) for kind in _WATCHED}
        self.serving = controllers(self._api.world)
        self._tables, self._places = {}, {}
        for item in self._api.get("ingresses"):
            self._put(item)

    def follow(self) -> None:
        """Take in what changed since the last time."""
        try:
            changes = {kind: self._changes(kind) for kind in _WATCHED}
        except GoneError:
            self._start()
            return
        if changes["ingressclasses"] or changes["services"]:
            now = controllers(self._api.world)
            if now != self.serving:
                self._start()
                return
        for word, item in changes["ingresses"]:
            key = (item["metadata"]["namespace"], item["metadata"]["name"])
            old = self._places.pop(key, None)
            if old is not None:
                self._tables[old].remove(key)
            if word != "DELETED":
                self._put(item)

    def _changes(self, kind: str) -> list[tuple[str, Any]]:
        found: list[tuple[str, Any]] = []
        while True:
            read = self._watches[kind].poll()
            found += [one for one in read if one[0] != "BOOKMARK"]
            if not read:
                return found

    def _put(self, item: Any) -> None:
        served = self.serving.of(item)
        if served is not None:
            self._places[item["metadata"]["namespace"], item["metadata"]["name"]] = served
            self._tables.setdefault(served, IngressTable()).put(item)

    def table(self, served: Served) -> IngressTable:
        """Return the rules of a controller."""
        return self._tables.get(served) or IngressTable()

    def at(self, address: str) -> Served | None:
        """Return the controller without pods that stands at an address."""
        every = self.serving.all()
        return next((one for one in every if not one.service and address in one.addresses), None)

    def behind(self, namespace: str, labels: dict[str, str]) -> Served | None:
        """Return the deployed controller whose Service selects a pod with these labels."""
        for served in self.serving.all():
            if served.service is None or served.service[0] != namespace:
                continue
            service = self._api.find("service", served.service[1], namespace=namespace)
            selector = service["spec"].get("selector") or {} if service else {}
            if selector and selector.items() <= labels.items():
                return served
        return None

    def addresses_of(self, host: str) -> list[str]:
        """Return where a host some rule names is served."""
        for served, table in self._tables.items():
            if table.names(host):
                return served.addresses
        return []

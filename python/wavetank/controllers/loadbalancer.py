"""The load balancer controller: Services of type LoadBalancer get an address from a pool.

Reference: networking, section 5.4. Addresses and events are as MetalLB has them; the finalizer is
that of Kubernetes' own service controller. Which nodes a balancer sends to is asked when it does:
:func:`is_target`.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from .base import DONE, Answer, Context, Controller, Object, Watch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

#: Where addresses come from unless a cluster says otherwise.
POOL = ("203.0.113.0/24", "2001:db8:113::/112")

FINALIZER = "service.kubernetes.io/load-balancer-cleanup"
EXCLUDED = "node.kubernetes.io/exclude-from-external-load-balancers"
TO_BE_DELETED = "ToBeDeletedByClusterAutoscaler"

_Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
_FAMILIES = {4: "IPv4", 6: "IPv6"}


class LoadBalancerController(Controller):
    """Hands out the addresses of load balancers.

    Parameters
    ----------
    pool
        CIDR blocks or ranges ``first-last`` of both families, used up in order. Addresses that
        end in .0 or .255 are left out.
    classes
        The values of ``spec.loadBalancerClass`` that are served; Services without one are served
        unless ``default`` is false.
    ip_mode
        ``"VIP"`` when packets reach nodes with the balancer's address as destination, ``"Proxy"``
        when with the node's.

    Raises
    ------
    ValueError
        When a block or a mode is none.
    """

    name = "load-balancer-controller"

    def __init__(
        self,
        pool: str | Sequence[str] = POOL,
        *,
        classes: Iterable[str] = (),
        default: bool = True,
        ip_mode: Literal["VIP", "Proxy"] = "VIP",
    ) -> None:
        if ip_mode not in {"VIP", "Proxy"}:
            raise ValueError(
                f'ip_mode: Unsupported value: {ip_mode!r}: supported values: "Proxy", "VIP"'
            )
        self.pool = tuple(pool.split(",") if isinstance(pool, str) else pool)
        self._ranges = [_parse(block) for block in self.pool]
        self._classes = {*classes, *([None] if default else [])}
        self._ip_mode = ip_mode
        #: Whose each address is, by the key of the Service; ``None`` before anybody looked.
        self._given: dict[_Address, int] | None = None
        #: Where the search for a free address goes on, by family; from the start without.
        self._next: dict[str, tuple[int, _Address]] = {}
        #: Services that wait for an address.
        self._pending: set[int] = set()

    def watches(self) -> Sequence[Watch]:
        """Watch Services."""
        return (Watch("services"),)

    def sync(self, context: Context, key: int) -> Answer | None:
        """Give one Service its addresses, or take them back."""
        return self.sync_batch(context, [key])[0]

    def sync_batch(self, context: Context, keys: Sequence[int]) -> list[Answer]:
        """Work on many Services; those that wait are tried again when an address is free."""
        freed = False
        for key, service in zip(keys, context.world.get_many(list(keys)), strict=True):
            freed |= self._sync(context, key, service)
        if freed and self._pending:
            waiting = sorted(self._pending)
            for key, service in zip(waiting, context.world.get_many(waiting), strict=True):
                self._sync(context, key, service)
        return [DONE] * len(keys)

    def _sync(self, context: Context, key: int, service: Object | None) -> bool:
        """Bring one Service up to date; say whether an address became free."""
        self._pending.discard(key)
        if service is None:
            return self._free(key)
        wanted = service["spec"].get("type") == "LoadBalancer"
        if wanted and "deletionTimestamp" not in service["metadata"]:
            if service["spec"].get("loadBalancerClass") not in self._classes:
                return False
            return self._serve(context, key, service)
        return self._clean_up(context, key, service)

    def _clean_up(self, context: Context, key: int, service: Object) -> bool:
        if FINALIZER not in service["metadata"].get("finalizers", []):
            return False
        freed = self._free(key)
        deleting = "deletionTimestamp" in service["metadata"]
        if service.get("status", {}).get("loadBalancer") and not deleting:
            service = _updated(context, {**service, "status": {"loadBalancer": {}}}, "status")
        left = [one for one in service["metadata"]["finalizers"] if one != FINALIZER]
        _updated(context, {**service, "metadata": {**service["metadata"], "finalizers": left}})
        return freed

    def _serve(self, context: Context, key: int, service: Object) -> bool:
        given = self._taken(context)
        ingress = service.get("status", {}).get("loadBalancer", {}).get("ingress") or []
        has = [ipaddress.ip_address(one["ip"]) for one in ingress if "ip" in one]
        families = service["spec"].get("ipFamilies") or ["IPv4"]
        asked = service["spec"].get("loadBalancerIP")
        fits = {_FAMILIES[address.version] for address in has} == set(families)
        if (
            has
            and (fits or _prefers_both(service))
            and (not asked or _text(asked) in map(str, has))
        ):
            given.update(dict.fromkeys(has, key))
            return False
        freed = self._free(key)
        try:
            chosen = self._choose(context, service, families, key)
        except LookupError as error:
            self._pending.add(key)
            if has:
                _updated(context, {**service, "status": {"loadBalancer": {}}}, "status")
            name = _name(service)
            message = f'Failed to allocate IP for "{name}": {error}'
            context.event(key, "Warning", "AllocationFailed", self.name, message)
            return freed
        given.update(dict.fromkeys(chosen, key))
        finalizers = service["metadata"].get("finalizers", [])
        if FINALIZER not in finalizers:
            meta = {**service["metadata"], "finalizers": [*finalizers, FINALIZER]}
            service = _updated(context, {**service, "metadata": meta})
        entries = [{"ip": str(address), "ipMode": self._ip_mode} for address in chosen]
        _updated(context, {**service, "status": {"loadBalancer": {"ingress": entries}}}, "status")
        said = " ".join(f'"{address}"' for address in chosen)
        context.event(key, "Normal", "IPAllocated", self.name, f"Assigned IP [{said}]")
        return freed

    def _choose(
        self, context: Context, service: Object, families: Sequence[str], key: int
    ) -> list[_Address]:
        given = self._given or {}
        asked = service["spec"].get("loadBalancerIP")
        if asked:
            address = ipaddress.ip_address(_text(asked))
            if not any(first <= address <= last for first, last in self._of(address.version)):
                raise LookupError(f'["{address}"] is not allowed in config')
            if given.get(address, key) != key:
                name = _name(service)
                other = _name(context.world.get_many([given[address]])[0])
                raise LookupError(
                    f'can\'t change sharing key for "{name}", address also in use by {other}'
                )
            return [address]
        free = {family: self._first_free(family) for family in families}
        found = [address for address in free.values() if address is not None]
        if not found or (len(found) < len(families) and not _prefers_both(service)):
            raise LookupError("no available IPs")
        return found

    def _of(self, version: int) -> Iterator[tuple[Any, Any]]:
        return ((first, last) for first, last in self._ranges if first.version == version)

    def _first_free(self, family: str) -> _Address | None:
        given = self._given or {}
        blocks = list(self._of(4 if family == "IPv4" else 6))
        at, address = self._next.get(family, (0, None))
        for number, (first, last) in enumerate(blocks[at:], at):
            address = address or first
            while address <= last:
                is_odd = address.version == 4 and int(address) & 255 in {0, 255}
                if not is_odd and address not in given:
                    self._next[family] = (number, address)
                    return address
                address += 1
            address = None
        return None

    def _taken(self, context: Context) -> dict[_Address, int]:
        """Return whose each address is; read from the Services the first time."""
        if self._given is None:
            self._given = {}
            keys = context.world.matching(context.kind("services")).tolist()
            for key, service in zip(keys, context.world.get_many(keys), strict=True):
                if service["spec"].get("loadBalancerClass") not in self._classes:
                    continue
                status = service.get("status", {}).get("loadBalancer", {})
                for entry in status.get("ingress") or []:
                    if "ip" in entry:
                        self._given[ipaddress.ip_address(entry["ip"])] = key
        return self._given

    def _free(self, key: int) -> bool:
        mine = [address for address, owner in (self._given or {}).items() if owner == key]
        for address in mine:
            del (self._given or {})[address]
            self._next.pop(_FAMILIES[address.version], None)
        return bool(mine)


def is_target(node: Mapping[str, Any]) -> bool:
    """Return whether load balancers send to a node."""
    meta = node["metadata"]
    taints = node.get("spec", {}).get("taints", [])
    return (
        "deletionTimestamp" not in meta
        and EXCLUDED not in meta.get("labels", {})
        and not any(taint["key"] == TO_BE_DELETED for taint in taints)
    )


def _prefers_both(service: Object) -> bool:
    return bool(service["spec"].get("ipFamilyPolicy") == "PreferDualStack")


def _name(service: Object) -> str:
    return f"{service['metadata']['namespace']}/{service['metadata']['name']}"


def _text(address: str) -> str:
    """Return an address in its usual form, whatever zeros it was written with."""
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return ".".join(str(int(part)) for part in address.split("."))


def _updated(context: Context, service: Object, part: str = "") -> Object:
    return context.world.update(service, part)[0]


def _parse(block: str) -> tuple[_Address, _Address]:
    try:
        if "-" in block:
            low, high = (ipaddress.ip_address(end.strip()) for end in block.split("-"))
            if low.version == high.version and int(low) <= int(high):
                return low, high
        else:
            network = ipaddress.ip_network(block.strip())
            return network[0], network[-1]
    except ValueError:
        pass
    raise ValueError(
        f"load_balancer_pool: {block!r}: must be a CIDR block or a range FIRST-LAST, "
        f"(e.g. 203.0.113.0/24 or 203.0.113.10-203.0.113.20)"
    )

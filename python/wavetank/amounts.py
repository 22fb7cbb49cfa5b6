"""Amounts of resources as people read them."""

from __future__ import annotations


def cores(milli: int) -> str:
    """Return CPU as people sum it up: ``5.79``."""
    return f"{milli / 1000:,.2f}".rstrip("0").rstrip(".")


def cpu(milli: int) -> str:
    """Return CPU as manifests have it: ``250m``, ``2``."""
    return str(milli // 1000) if milli % 1000 == 0 else f"{milli}m"


def size(count: int) -> str:
    """Return bytes in the largest binary unit that leaves a figure of at least one.

    >>> size(268435456), size(1610612736), size(0)
    ('256Mi', '1.5Gi', '0')
    """
    for unit, power in (("Pi", 50), ("Ti", 40), ("Gi", 30), ("Mi", 20), ("Ki", 10)):
        if abs(count) >= 2**power:
            value = count / 2**power
            text = f"{value:.0f}" if value >= 100 else f"{value:.1f}".removesuffix(".0")
            return f"{text}{unit}"
    return str(count)


def amount(resource: str, count: int) -> str:
    """Return an amount of a resource."""
    if resource == "cpu":
        return cores(count)
    if resource in {"memory", "ephemeral-storage"} or resource.startswith("hugepages-"):
        return size(count)
    return f"{count:,}"

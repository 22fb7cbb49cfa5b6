"""Metadata: names, labels and annotations, as every kind has them."""

from __future__ import annotations

from .rule import Check, call, field


def metadata(
    name: str = "dns_subdomain", *, namespaced: bool = True, finalizers: bool = True
) -> Check:
    """Check the metadata of a new object whose name has this form.

    Kinds of younger groups do not look at the form of finalizers.
    """
    rules = {"name": name, "namespaced": namespaced, "finalizers": finalizers}
    return field("metadata", call("metadata", **rules))


def metadata_update(*, finalizers: bool = True) -> Check:
    """Check the metadata of an object that replaces another."""
    return field("metadata", call("metadata_update", finalizers=finalizers))


LABELS: Check = call("labels")
"""The map that stands here is a set of labels."""

ANNOTATIONS: Check = call("annotations")
"""The map that stands here is a set of annotations."""

SELECTOR: Check = call("label_selector")
"""What stands here is a label selector, if it is there at all."""

COMMON: list[Check] = [field("metadata", call("metadata_common", namespaced=False))]
"""What holds for the metadata of every kind outside namespaces."""

COMMON_NAMESPACED: list[Check] = [field("metadata", call("metadata_common", namespaced=True))]
"""What holds for the metadata of every kind in namespaces."""

COMMON_UPDATE: list[Check] = [field("metadata", call("metadata_update", finalizers=False))]
"""What holds for the metadata of every object that replaces another."""

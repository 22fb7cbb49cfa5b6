"""What the API server makes of objects: recorded answers against a cluster's."""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wavetank import ApiError, Cluster

from .edits import edited
from .recorded import accepted, answer_of, cases, given_in, in_any_order, objects, statuses

if TYPE_CHECKING:
    from collections.abc import Callable

    from wavetank._core import World

Object = dict[str, Any]


@cache
def empty() -> World:
    return Cluster().world


@cache
def stored() -> World:
    """A cluster with every object of the golden files."""
    world = empty().fork()
    for document in objects().values():
        world.create(document)
    return world


@cache
def advanced() -> World:
    """The same with their statuses, where those are accepted."""
    world = stored().fork()
    for name, status in statuses().items():
        with suppress(ApiError):
            world.update({**current(world, name), "status": status}, "status")
    return world


def current(world: World, name: str) -> Object:
    document = objects()[name]
    kind = world.kind_of(document["apiVersion"], document["kind"])
    assert kind is not None
    namespace = "default" if kind["namespaced"] else None
    found: Object = world.get(kind["id"], document["metadata"]["name"], namespace)
    return found


def created(case: Object) -> Object:
    sent = edited(objects()[case["on"]], case["edit"])
    try:
        answer, _ = empty().create(sent, "default", dry_run=True, field_validation="Strict")
    except ApiError as error:
        return answer_of(error.code, error.status, sent)
    return answer_of(201, answer, sent)


def replaced(world: World, case: Object, part: str) -> Object:
    before = current(world, case["on"])
    sent = edited(before, case["edit"])
    written = given_in(case)
    try:
        answer, _, _ = world.update(sent, part, dry_run=True, field_validation="Strict")
    except ApiError as error:
        return answer_of(error.code, error.status, written, before)
    return answer_of(200, answer, written, before)


def compare(file: str, name: str, ask: Callable[[Object], Object]) -> None:
    """Ask for every case about one object; a case of no fixed order is compared in none."""
    for case in cases(file):
        if case["on"] != name:
            continue
        answer = ask(case)
        if case.get("order") == "any":
            answer = in_any_order(answer)
        assert {"on": name, "edit": case["edit"], **answer} == case


def test_the_recording_is_large_and_mixed() -> None:
    files = ("create", "update", "status", "update-after-status", "status-after-status")
    codes = [case["code"] for file in files for case in cases(f"{file}.jsonl")]
    assert len(codes) > 1700
    assert codes.count(422) > 1000
    assert sum(accepted(code) for code in codes) > 500
    assert {400, 403, 409} < set(codes)


@pytest.mark.parametrize("name", sorted(objects()))
def test_creates_are_answered_as_recorded(name: str) -> None:
    compare("create.jsonl", name, created)


@pytest.mark.parametrize("name", sorted(objects()))
def test_updates_are_answered_as_recorded(name: str) -> None:
    compare("update.jsonl", name, lambda case: replaced(stored(), case, ""))


@pytest.mark.parametrize("name", sorted(statuses()))
def test_statuses_are_answered_as_recorded(name: str) -> None:
    compare("status.jsonl", name, lambda case: replaced(stored(), case, "status"))
    compare("status-after-status.jsonl", name, lambda case: replaced(advanced(), case, "status"))
    compare("update-after-status.jsonl", name, lambda case: replaced(advanced(), case, ""))


def variants() -> st.SearchStrategy[Object]:
    """Valid objects: those recorded as accepted."""
    valid = [case for case in cases("create.jsonl") if accepted(case["code"])]
    return st.sampled_from(valid).map(lambda case: edited(objects()[case["on"]], case["edit"]))


@settings(max_examples=300, deadline=None)
@given(variants())
def test_what_is_stored_is_stored_alike_again(document: Object) -> None:
    """Defaulting is idempotent, and a valid object stays valid when it replaces itself."""
    world = empty().fork()
    answer, _ = world.create(document)
    again, _, changed = world.update(answer)
    assert not changed
    assert again == answer


@settings(max_examples=300, deadline=None)
@given(variants())
def test_a_stored_object_creates_its_equal(document: Object) -> None:
    first, _ = empty().create(document, dry_run=True)
    second, _ = empty().create(first, dry_run=True)
    assert _without_marks(second) == _without_marks(first)


def _without_marks(document: Object) -> Object:
    """Leave out what is drawn anew: uid, and what a Job derives from it; addresses and ports."""
    metadata = {k: v for k, v in document["metadata"].items() if k != "uid"}
    plain = {**document, "metadata": metadata}
    if document["kind"] in {"Job", "PersistentVolume"}:
        return {"kind": document["kind"]}
    return plain


def says_all(name: str) -> bool:
    """Whether a manifest has all that the server does not default but derive, once and for all."""
    kinds = {"Job", "PersistentVolume", "Service", "Namespace"}
    return name.split("/", maxsplit=1)[0] not in kinds and name != "Pod/full"


@pytest.mark.parametrize("name", sorted(filter(says_all, objects())))
def test_a_manifest_that_is_sent_again_changes_nothing(name: str) -> None:
    before = current(stored(), name)
    again = edited(objects()[name], {})
    again["metadata"]["resourceVersion"] = before["metadata"]["resourceVersion"]
    answer, _, changed = stored().update(again, dry_run=True)
    assert not changed
    assert answer == before


@pytest.mark.parametrize(
    ("api_version", "kind"),
    [
        ("storage.k8s.io/v1beta1", "VolumeAttributesClass"),
        ("networking.k8s.io/v1beta1", "IPAddress"),
        ("coordination.k8s.io/v1beta1", "LeaseCandidate"),
        ("resource.k8s.io/v1beta1", "ResourceClaim"),
        ("apps/v2", "Deployment"),
    ],
)
def test_versions_that_are_off_are_refused(api_version: str, kind: str) -> None:
    document = {"apiVersion": api_version, "kind": kind, "metadata": {"name": "a"}}
    with pytest.raises(ApiError) as refused:
        empty().create(document, dry_run=True)
    assert str(refused.value) == f'no matches for kind "{kind}" in version "{api_version}"'


def test_a_dump_may_hold_versions_that_are_off() -> None:
    world = empty().fork()
    document = {
        "apiVersion": "networking.k8s.io/v1beta1",
        "kind": "IPAddress",
        "metadata": {"name": "10.0.0.1"},
        "spec": {"parentRef": {"resource": "services", "namespace": "default", "name": "a"}},
    }
    restored, _ = world.restore(document)
    assert restored["apiVersion"] == "networking.k8s.io/v1beta1"

"""What the API server makes of objects: recorded answers against a cluster's."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from wavetank import ApiError, Cluster

from .edits import edited
from .recorded import answer_of, cases, objects, statuses

Object = dict[str, Any]


@cache
def empty() -> Any:
    return Cluster().world


@cache
def stored() -> Any:
    """A cluster with every object of the golden files."""
    world = empty().fork()
    for document in objects().values():
        world.create(document)
    return world


@cache
def advanced() -> Any:
    """The same with their statuses, where those are accepted."""
    world = stored().fork()
    for name, status in statuses().items():
        try:
            world.update({**current(world, name), "status": status}, "status")
        except ApiError:
            continue
    return world


def current(world: Any, name: str) -> Object:
    document = objects()[name]
    kind = world.kind_of(document["apiVersion"], document["kind"])
    namespace = "default" if kind["namespaced"] else None
    found: Object = world.get(kind["id"], document["metadata"]["name"], namespace)
    return {**found, "apiVersion": document["apiVersion"]}


def created(case: Object) -> Object:
    sent = edited(objects()[case["on"]], case["edit"])
    try:
        answer, _ = empty().create(sent, "default", dry_run=True, field_validation="Strict")
    except ApiError as error:
        return answer_of(error.code, error.status, sent)
    return answer_of(201, answer, sent)


def replaced(world: Any, case: Object, part: str) -> Object:
    before = current(world, case["on"])
    sent = edited(before, case["edit"])
    given = {**objects()[case["on"]], "edit": case["edit"]}
    options = {"dry_run": True, "field_validation": "Strict"}
    try:
        answer, _, _ = world.update(sent, part, **options)
    except ApiError as error:
        return answer_of(error.code, error.status, given, before)
    return answer_of(200, answer, given, before)


def without_answer(case: Object) -> Object:
    return {key: case[key] for key in ("on", "edit")}


@pytest.mark.parametrize("name", sorted(objects()))
def test_creates_are_answered_as_recorded(name: str) -> None:
    recorded = [case for case in cases("create.jsonl") if case["on"] == name]
    answers = [without_answer(case) | created(case) for case in recorded]
    assert recorded
    assert answers == recorded

"""What a manifest may be, and in which order files are read."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
import wavetank as wt
from wavetank.manifest import load


def config(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}


def names(source: Any, **options: Any) -> list[str | None]:
    return [document.text("metadata", "name") for document in load(source, **options)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.yaml", "a.yml", "B.json", "z/c.yaml", "notes.md", "a/d.yaml", "a-b.yaml"):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(config(name.replace("/", "-").rsplit(".", 1)[0])))
    return tmp_path


def test_a_folder_is_read_in_the_order_of_names(folder: Path) -> None:
    assert names(folder) == ["B", "a-b", "a", "b"]


def test_folders_within_are_read_on_request(folder: Path) -> None:
    assert names(folder, recursive=True) == ["B", "a-d", "a-b", "a", "b", "z-c"]


def test_a_file_is_read_whatever_its_ending(folder: Path) -> None:
    assert names(folder / "notes.md") == ["notes"]
    assert names(str(folder / "notes.md")) == ["notes"]


def test_text_bytes_dicts_and_lists_of_them(folder: Path) -> None:
    text = json.dumps(config("text"))
    given = [config("one"), config("two"), text, text.encode(), folder / "b.yaml"]
    assert names(given) == ["one", "two", "text", "text", "b"]
    assert names(tuple(given[:1])) == ["one"]
    assert names(load(text)) == ["text"]


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    data = io.BytesIO(json.dumps(config("piped")).encode())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(data))
    found = load("-")
    assert [document.source for document in found] == ["STDIN"]


def test_one_line_of_yaml_is_text() -> None:
    assert names("kind: ConfigMap") == [None]


def test_lists_are_taken_apart() -> None:
    items = [config("one"), {"apiVersion": "v1", "kind": "List", "items": [config("two")]}]
    assert names({"apiVersion": "v1", "kind": "List", "items": items}) == ["one", "two"]


def test_items_of_a_typed_list_need_no_kind() -> None:
    items = [{"metadata": {"name": "one"}}, {"metadata": {"name": "two"}}]
    found = load({"apiVersion": "apps/v1", "kind": "DeploymentList", "items": items})
    kinds = [(document.text("apiVersion"), document.text("kind")) for document in found]
    assert kinds == [("apps/v1", "Deployment")] * 2


def test_a_document_knows_the_lines_of_its_fields() -> None:
    text = "# one\nkind: A\n---\nkind: B\nspec:\n  ports:\n  - port: 1\n  - port: 2\n"
    first, second = load(text)
    assert (first.number, first.line([])) == (1, 2)
    assert (second.number, second.line([])) == (2, 4)
    assert second.line(["spec", "ports", 1, "port"]) == 8
    assert second.line(["spec", "nothing"]) == 5


def test_objects_are_named_by_their_number() -> None:
    with pytest.raises(wt.ApplyError) as met:
        wt.Cluster().apply([config("one"), config("Two")])
    assert str(met.value).startswith('object 2: ConfigMap "Two" is invalid: metadata.name: ')

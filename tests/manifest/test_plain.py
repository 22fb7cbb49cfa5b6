"""The compiled reader against recorded answers of kubectl's libraries, and the readable reader
against both.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from wavetank import _core
from wavetank.errors import ManifestError
from wavetank.manifest import plain

if TYPE_CHECKING:
    from pathlib import Path

#: Recorded tables: lines of text, and on how many of them the readable reader differs, because
#: it leaves that out (the tags `!`, `!!binary`, `!!timestamp`, anchors defined
#: twice) or because PyYAML's parser takes less (tabs, surrogates, directives, `|#`).
TABLES = {"scalars": (704, 56), "documents": (399, 27), "random": (650, 16)}


def fast(data: str | bytes) -> list[Any] | str:
    try:
        return [document.object() for document in _core.read_manifest(data, "text")]
    except ManifestError as error:
        return str(error)


def readable(text: str) -> list[Any] | str:
    try:
        return plain.read(text)
    except ValueError as error:
        return str(error)


def same(first: list[Any] | str, second: list[Any] | str) -> bool:
    """Whether two answers are equal, types of numbers included; errors in their existence."""
    if isinstance(first, str) or isinstance(second, str):
        return isinstance(first, str) and isinstance(second, str)
    return json.dumps(first, sort_keys=True) == json.dumps(second, sort_keys=True)


def table(root: Path, name: str) -> list[tuple[str | bytes, list[Any] | str]]:
    lines = (root / f"rust/core/tests/golden/manifest/{name}.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    return [
        (bytes.fromhex(given["hex"]) if isinstance(given, dict) else given, answer)
        for given, answer in rows
    ]


@pytest.mark.parametrize("name", TABLES)
def test_the_compiled_reader_reads_as_kubectl_does(root: Path, name: str) -> None:
    rows = table(root, name)
    assert len(rows) == TABLES[name][0]
    assert [given for given, answer in rows if not same(fast(given), answer)] == []


@pytest.mark.parametrize("name", TABLES)
def test_the_readable_reader_reads_as_kubectl_does(root: Path, name: str) -> None:
    rows = [(given, answer) for given, answer in table(root, name) if isinstance(given, str)]
    differing = [given for given, answer in rows if not same(readable(given), answer)]
    assert len(differing) == TABLES[name][1], differing


def test_both_readers_agree_on_real_manifests(data: Path) -> None:
    folders = [data / "kubernetes-website-examples", data / "app-manifests"]
    files = sorted(file for folder in folders for file in folder.rglob("*.y*ml"))
    assert len(files) > 300
    differing = []
    for file in files:
        text = file.read_text()
        objects = [item for item in readable(text) if not _is_list(item)]
        found = [item for item in fast(text) if not _is_list(item)]
        if "kind: List" not in text and not same(found, objects):
            differing.append(file.name)
    assert differing == []


def _is_list(item: Any) -> bool:
    return isinstance(item, dict) and str(item.get("kind", "")).endswith("List")


WORDS = st.sampled_from(
    ["y", "Yes", "NO", "on", "Off", "null", "~", "Null", "true", "FALSE", "inf", "nan", "e"]
)
NUMERIC = st.text("0123456789_+-.eExXobBaF", min_size=1, max_size=10)


@settings(deadline=None)
@given(st.one_of(NUMERIC, WORDS, st.builds("".join, st.lists(st.one_of(NUMERIC, WORDS)))))
def test_scalars_mean_the_same_to_both(text: str) -> None:
    if text.startswith(("-", "...")) and text.strip("-.") == "":
        return
    assert same(fast(f"a: {text}\n"), readable(f"a: {text}\n"))


LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=12),
    st.text("ab: -#'\"\n|>&*!%@`{}[],?", max_size=12),
)
KEYS = st.text("abcexyz/.-+_ 015", max_size=6)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=12,
)


@settings(deadline=None)
@given(st.dictionaries(KEYS, VALUES, min_size=1, max_size=4), st.sampled_from([None, True, False]))
def test_what_pyyaml_writes_means_the_same_to_both(
    value: dict[str, Any], flow: bool | None
) -> None:
    text = yaml.safe_dump(value, default_flow_style=flow, allow_unicode=True)
    assert same(fast(text), readable(text))


@settings(deadline=None)
@given(st.dictionaries(KEYS, VALUES, min_size=1, max_size=4))
def test_what_is_written_reads_back(value: dict[str, Any]) -> None:
    once = fast(_core.to_yaml(value))
    assert same(once, readable(_core.to_yaml(value)))
    assert isinstance(once, list)
    assert same(fast(_core.to_yaml(once[0])), once)
    assert same(fast(_core.to_json(value)), once)

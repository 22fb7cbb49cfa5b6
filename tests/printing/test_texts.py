"""Single texts as kubectl writes them: ages, JSON, JSONPath."""

from __future__ import annotations

import pytest
from wavetank.printing.ages import human
from wavetank.printing.describe.generic import title
from wavetank.printing.jsonpath import JSONPath, relaxed
from wavetank.printing.output import as_json

#: Recorded from k8s.io/apimachinery 0.36.3 (HumanDuration): nanoseconds and their text.
AGES = [
    (-5_000_000_000, "<invalid>"),
    (-1_500_000_000, "0s"),
    (-1_000_000_000, "0s"),
    (0, "0s"),
    (999_000_000, "0s"),
    (1_000_000_000, "1s"),
    (59_000_000_000, "59s"),
    (119_000_000_000, "119s"),
    (120_000_000_000, "2m"),
    (121_000_000_000, "2m1s"),
    (599_000_000_000, "9m59s"),
    (600_000_000_000, "10m"),
    (601_000_000_000, "10m"),
    (10_799_000_000_000, "179m"),
    (10_800_000_000_000, "3h"),
    (10_860_000_000_000, "3h1m"),
    (28_740_000_000_000, "7h59m"),
    (28_800_000_000_000, "8h"),
    (32_340_000_000_000, "8h"),
    (169_200_000_000_000, "47h"),
    (172_800_000_000_000, "2d"),
    (176_400_000_000_000, "2d1h"),
    (687_600_000_000_000, "7d23h"),
    (691_200_000_000_000, "8d"),
    (709_200_000_000_000, "8d"),
    (62_985_600_000_000_000, "729d"),
    (63_072_000_000_000_000, "2y"),
    (63_158_400_000_000_000, "2y1d"),
    (103_248_000_000_000_000, "3y100d"),
    (252_201_600_000_000_000, "7y364d"),
    (252_288_000_000_000_000, "8y"),
    (269_568_000_000_000_000, "8y"),
    (3_153_600_000_000_000_000, "100y"),
]


@pytest.mark.parametrize(("nanoseconds", "text"), AGES)
def test_ages_have_two_figures(nanoseconds: int, text: str) -> None:
    assert human(nanoseconds) == text


def test_json_is_written_as_go_writes_it() -> None:
    item = {"b": [1.0, 1e21, 1e-7, 1e20, True, None], "a": {"<x>&\u2028é": '\t"'}, "e": {}, "l": []}
    assert as_json(item) == (
        "{\n"
        '    "a": {\n'
        '        "\\u003cx\\u003e\\u0026\\u2028é": "\\t\\""\n'
        "    },\n"
        '    "b": [\n'
        "        1,\n"
        "        1e+21,\n"
        "        1e-7,\n"
        "        100000000000000000000,\n"
        "        true,\n"
        "        null\n"
        "    ],\n"
        '    "e": {},\n'
        '    "l": []\n'
        "}\n"
    )


PODS = {
    "items": [
        {"metadata": {"name": "a", "labels": {"app.io/x": "1"}}, "spec": {"n": 3, "on": True}},
        {"metadata": {"name": "b"}, "spec": {"n": 7, "list": [10, 20, 30]}},
    ]
}

#: Recorded from k8s.io/client-go 0.36.3 (util/jsonpath, missing keys allowed).
PATHS = {
    "{.items[*].metadata.name}": "a b",
    "{.items[0].metadata.labels.app\\.io/x}": "1",
    "{.items[-1].metadata.name}": "b",
    "{.items[1].spec.list[0:2]}": "10 20",
    "{.items[1].spec.list[::2]}": "10 30",
    "{.items[?(@.spec.n>5)].metadata.name}": "b",
    '{.items[?(@.metadata.name=="a")].spec.n}': "3",
    "{range .items[*]}{.metadata.name}={.spec.n};{end}": "a=3;b=7;",
    "names: {..name}": "names: a b",
    '{.items[0].spec}{"\\n"}': '{"n":3,"on":true}\n',
    "{.items[*]['spec.n']}": "3 7",
    "{.items[0]['metadata']['labels']['app\\.io/x']}": "1",
    '{.items[?(@.metadata.name==")")].spec.n}': "",
    "{.nothing}": "",
}


@pytest.mark.parametrize("template", PATHS)
def test_jsonpath(template: str) -> None:
    assert JSONPath(template).text(PODS) == PATHS[template]


@pytest.mark.parametrize(
    ("template", "sentence"),
    [
        ("{.a", "unclosed action"),
        ("{.a[}", "unterminated array"),
        ("{.a[?(@.b)}", "unclosed array expect ]"),
        ("{.a[?(@.b}", "unterminated filter"),
        ("{'a}", "unterminated quoted string"),
        ("{.items[5].a}", "array index out of bounds: index 5, length 2"),
    ],
)
def test_jsonpath_that_makes_no_sense(template: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        JSONPath(template).text(PODS)


def test_paths_may_lack_braces_and_dot() -> None:
    assert [relaxed(text) for text in ("a.b", ".a.b", "{a.b}", "{.a.b}")] == ["{.a.b}"] * 4
    with pytest.raises(ValueError, match="unexpected path string"):
        relaxed("{a")


#: Recorded from kubectl 1.36.3: fields as titles of a description.
TITLES = {
    "apiVersion": "API Version",
    "podIPs": "Pod I Ps",
    "HTTPGet": "HTTPGet",
    "clusterIPFamily": "Cluster IPFamily",
    "uid": "UID",
    "metadataUID": "Metadata UID",
    "a-b": "A - B",
    "app.io/x": "app.io/x",
    "replicas2": "replicas2",
    "URLPath": "URLPath",
    "guid": "GUID",
    "ABc": "A Bc",
    "observedGeneration": "Observed Generation",
    "TLSSecretName": "TLSSecret Name",
    "x": "X",
}


@pytest.mark.parametrize("field", TITLES)
def test_fields_as_titles(field: str) -> None:
    assert title(field) == TITLES[field]

"""Input that makes no sense: one sentence that names the place, and nothing changed."""

from __future__ import annotations

from pathlib import Path

import pytest
import wavetank as wt
from wavetank.manifest import load


def pod(name: str = "web", resources: str = "{}") -> str:
    return (
        "apiVersion: v1\n"
        "kind: Pod\n"
        f"metadata: {{name: {name}}}\n"
        "spec:\n"
        "  containers:\n"
        "  - name: c\n"
        "    image: i\n"
        f"    resources: {resources}\n"
    )


DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: other}}
    spec: {containers: [{name: c, image: i}]}
"""

QUANTITY = "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "
    "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)

#: What is given, and the sentence it meets. None of these texts can be read at all.
UNREADABLE = {
    "an empty text": ("", "no objects passed to apply"),
    "empty documents": ("# nothing\n---\n---\n", "no objects passed to apply"),
    "an empty list": ("apiVersion: v1\nkind: List\nitems: []\n", "no objects passed to apply"),
    "tabs": (
        "apiVersion: v1\nkind: Pod\nmetadata:\n\tname: web\n",
        "<text>:4: found character that cannot start any token: a tab cannot indent YAML",
    ),
    "a NUL byte": (
        b"apiVersion: v1\nkind: Pod\x00\nmetadata: {name: web}\n",
        "<text>:2: control characters are not allowed",
    ),
    "a map that never ends": ("apiVersion: {v1\n", "<text>:1: did not find expected ',' or '}'"),
}

#: What is given, and the sentence it meets. These can be read, and the cluster refuses them.
REFUSED = {
    "a quantity with a wrong unit": (
        pod(resources="{requests: {memory: 1Gb}}"),
        '<text>:8, document 1: pod/web: Pod in version "v1" cannot be handled as a Pod: '
        f"quantities must match the regular expression {QUANTITY}: "
        'spec.containers[0].resources.requests.memory is "1Gb"',
    ),
    "a negative request": (
        pod(resources="{requests: {cpu: -1}}"),
        '<text>:8, document 1: Pod "web" is invalid: '
        'spec.containers[0].resources.requests[cpu]: Invalid value: "-1": must be greater than '
        "or equal to 0",
    ),
    "a request over its limit": (
        pod(resources="{requests: {cpu: 2}, limits: {cpu: 1}}"),
        '<text>:8, document 1: Pod "web" is invalid: spec.containers[0].resources.requests: '
        'Invalid value: "2": must be less than or equal to cpu limit of 1',
    ),
    "a selector that does not match its template": (
        DEPLOYMENT,
        '<text>:8, document 1: Deployment.apps "web" is invalid: '
        'spec.template.metadata.labels: Invalid value: {"app":"other"}: `selector` does not '
        "match template `labels`",
    ),
    "a name of 300 characters": (
        pod("n" * 300),
        f'<text>:3, document 1: Pod "{"n" * 300}" is invalid: metadata.name: Invalid value: '
        f'"{"n" * 300}": must be no more than 253 characters',
    ),
    "a name that is no name": (
        pod("Web_1"),
        f'<text>:3, document 1: Pod "Web_1" is invalid: metadata.name: Invalid value: "Web_1": '
        f"{SUBDOMAIN}",
    ),
    "an unknown kind": (
        "apiVersion: v1\nkind: Pood\nmetadata: {name: web}\n",
        '<text>:1, document 1: pood/web: no matches for kind "Pood" in version "v1"',
    ),
    "no kind": ("metadata: {name: web}\n", "<text>:1, document 1: web: Object 'Kind' is missing"),
    "no version": (
        "kind: Pod\nmetadata: {name: web}\n",
        "<text>:1, document 1: pod/web: Object 'apiVersion' is missing",
    ),
    "a Service without ports": (
        "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: web}}\n",
        '<text>:4, document 1: Service "web" is invalid: spec.ports: Required value',
    ),
    "a namespace that does not exist": (
        pod("web, namespace: nowhere"),
        '<text>:1, document 1: pod/web: namespaces "nowhere" not found',
    ),
    "a number where a text is wanted": (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata:\n  port: 80\n",
        '<text>:4, document 1: configmap/web: ConfigMap in version "v1" cannot be handled as a '
        "ConfigMap: json: cannot unmarshal number into Go struct field ConfigMap.data of type "
        "string",
    ),
    "a version that was removed": (
        "apiVersion: policy/v1beta1\nkind: PodSecurityPolicy\nmetadata: {name: web}\nspec: {}\n",
        "<text>:1, document 1: podsecuritypolicy.policy/web: policy/v1beta1 PodSecurityPolicy "
        "was removed in Kubernetes 1.25; use Pod Security Admission",
    ),
    "text": (
        "hello\nworld\n",
        "<text>:1, document 1: a document of a manifest is an object, this one is text",
    ),
    "a list": (
        "- 1\n- 2\n",
        "<text>:1, document 1: a document of a manifest is an object, this one is a list",
    ),
}


@pytest.fixture
def cluster() -> wt.Cluster:
    cluster = wt.Cluster()
    cluster.apply(pod("already-there"))
    return cluster


def state(cluster: wt.Cluster) -> bytes:
    return cluster.world.to_bytes()


@pytest.mark.parametrize("case", UNREADABLE)
def test_what_cannot_be_read_changes_nothing(cluster: wt.Cluster, case: str) -> None:
    text, sentence = UNREADABLE[case]
    before = state(cluster)
    with pytest.raises(wt.ManifestError) as met:
        cluster.apply(text)
    assert str(met.value) == sentence
    assert state(cluster) == before


@pytest.mark.parametrize("case", REFUSED)
def test_what_kubernetes_refuses_changes_nothing(cluster: wt.Cluster, case: str) -> None:
    text, sentence = REFUSED[case]
    before = state(cluster)
    with pytest.raises(wt.ApplyError) as met:
        cluster.apply(text)
    assert str(met.value) == sentence
    assert met.value.applied == []
    assert state(cluster) == before


#: Emptiness is no mistake beside other objects.
BROKEN = sorted(UNREADABLE.keys() - {"an empty text", "empty documents", "an empty list"})


@pytest.mark.parametrize("case", BROKEN)
def test_one_unreadable_document_stops_all_others(cluster: wt.Cluster, case: str) -> None:
    text = UNREADABLE[case][0]
    whole = pod().encode() + b"---\n" + (text if isinstance(text, bytes) else text.encode())
    before = state(cluster)
    with pytest.raises(wt.ManifestError):
        cluster.apply(whole)
    assert state(cluster) == before


def test_an_alias_bomb_is_refused_before_it_grows(cluster: wt.Cluster) -> None:
    levels = [f"l{at}: &l{at} [{', '.join([f'*l{at - 1}'] * 9)}]" for at in range(1, 12)]
    bomb = "\n".join(["l0: &l0 [x, x, x, x, x, x, x, x, x]", *levels, ""])
    before = state(cluster)
    with pytest.raises(wt.ManifestError, match="^<text>:4: document contains excessive aliasing$"):
        cluster.apply(bomb)
    assert state(cluster) == before


def test_a_manifest_of_100_megabytes_is_read_and_refused_for_its_size(
    cluster: wt.Cluster, tmp_path: Path
) -> None:
    file = tmp_path / "large.yaml"
    line = b"x" * 1_000_000
    with file.open("wb") as written:
        written.write(b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: large}\ndata:\n")
        for at in range(100):
            written.write(b"  k%d: %b\n" % (at, line))
    before = state(cluster)
    with pytest.raises(wt.ApplyError) as met:
        cluster.apply(file)
    assert str(met.value) == (
        f'{file}:3, document 1: ConfigMap "large" is invalid: [metadata.annotations: Too long: may '
        "not be more than 262144 bytes, : Too long: may not be more than 1048576 bytes]"
    )
    assert state(cluster) == before


def test_a_text_beyond_the_limit_is_not_read() -> None:
    with pytest.raises(wt.ManifestError, match="has 110 bytes, more than the 10 allowed$"):
        load(pod(), bytes_max=10)


def test_a_folder_that_does_not_exist(cluster: wt.Cluster, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as met:
        cluster.apply(tmp_path / "nowhere")
    assert str(met.value) == f'the path "{tmp_path}/nowhere" does not exist'


def test_a_folder_without_manifests(cluster: wt.Cluster, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text(pod())
    with pytest.raises(wt.ManifestError) as met:
        cluster.apply(tmp_path)
    listed = "recognized file extensions are [.json .yaml .yml]"
    assert str(met.value) == f"error reading [{tmp_path}]: {listed}"


def test_addresses_of_the_network_are_not_fetched(cluster: wt.Cluster) -> None:
    with pytest.raises(FileNotFoundError, match="wavetank reads nothing from the network"):
        cluster.apply("https://k8s.io/examples/pods/simple-pod.yaml")


def test_something_that_is_no_manifest(cluster: wt.Cluster) -> None:
    with pytest.raises(TypeError, match="a manifest is a path, text, a dict or a list"):
        cluster.apply(3)


#: What Kubernetes takes, and what a planner should hear about it.
ACCEPTED = {
    "an object given twice": (
        pod() + "---\n" + pod(),
        ["<text>:10, document 2: pod/web is given more than once, first at <text>:1, document 1; "
         "the last counts"],
    ),
    "bytes that are not UTF-8": (
        b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata:\n  key: \xff\n",
        ["<text>:5, document 1: invalid UTF-8 was read as U+FFFD"],
    ),
    "an unknown field": (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndat: {}\n",
        ['<text>:4, document 1: unknown field "dat"'],
    ),
    "a field given twice": (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {a: b}\ndata: {a: c}\n",
        ['<text>:5, document 1: duplicate field "data"'],
    ),
    "a node without CPU": (
        "apiVersion: v1\nkind: Node\nmetadata: {name: none}\n"
        "status:\n  capacity: {cpu: 0, memory: 1Gi, pods: 10}\n",
        ["<text>:4, document 1: node/none has no allocatable cpu: no pod that requests any fits"],
    ),
    "a Service that selects nothing": (
        "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n"
        "spec:\n  selector: {app: web}\n  ports: [{port: 80}]\n",
        ["<text>:5, document 1: service/web selects no pod: nothing has the labels app=web"],
    ),
    "a version that was removed and has a successor": (
        DEPLOYMENT.replace("apps/v1", "extensions/v1beta1").replace("other", "web"),
        ["<text>:2, document 1: extensions/v1beta1 Deployment was removed in Kubernetes 1.16; it "
         "was read as apps/v1 Deployment"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ACCEPTED)
def test_what_kubernetes_accepts_is_accepted_with_a_warning(cluster: wt.Cluster, case: str) -> None:
    text, sentences = ACCEPTED[case]
    applied = cluster.apply(text)
    assert applied[0].word == "created"
    assert [str(warning) for warning in applied.warnings] == sentences


@pytest.mark.parametrize("case", ["an unknown field", "a field given twice"])
def test_strict_refuses_fields_that_make_no_sense(cluster: wt.Cluster, case: str) -> None:
    before = state(cluster)
    with pytest.raises(wt.ApplyError, match='strict decoding error: (unknown|duplicate) field "'):
        cluster.apply(ACCEPTED[case][0], strict=True)
    assert state(cluster) == before


def test_one_refused_object_leaves_the_others_applied(cluster: wt.Cluster) -> None:
    several = "---\n".join([pod("one"), pod("Two"), pod("three")])
    with pytest.raises(wt.ApplyError) as met:
        cluster.apply(several)
    assert [failure.name for failure in met.value.failures] == ["pod/Two"]
    assert str(met.value.applied) == "pod/one created\npod/three created"
    assert met.value.failures[0].place.line == 12

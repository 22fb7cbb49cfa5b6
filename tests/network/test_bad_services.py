"""Services and Ingresses that cannot be, and those that can and lead nowhere."""

from __future__ import annotations

import pytest
import wavetank as wt

POD = """
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec:
  containers:
  - {name: web, image: "web:1", ports: [{name: http, containerPort: 8080}]}
"""


def service(spec: str, name: str = "web") -> str:
    return f"apiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\nspec:\n  {spec}\n"


def ingress(rule: str) -> str:
    return (
        "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: web}\n"
        f"spec:\n  rules:\n  - {rule}\n"
    )


def backend(name: str, port: str, path: str = "/") -> str:
    return (
        f"http: {{paths: [{{path: {path}, pathType: Prefix, "
        f"backend: {{service: {{name: {name}, port: {{{port}}}}}}}}}]}}"
    )


def warnings(*documents: str) -> list[str]:
    applied = wt.Cluster().apply("---\n".join(documents))
    return [notice.message for notice in applied.warnings]


def refused(cluster: wt.Cluster, text: str) -> str:
    with pytest.raises(wt.ApplyError) as met:
        cluster.apply(text)
    assert len(met.value.failures) == 1
    return str(met.value.failures[0].error)


BAD = {
    "a cluster IP outside the range": (
        service("{clusterIP: 192.0.2.1, ports: [{port: 80}]}"),
        "failed to allocate IP 192.0.2.1: the provided network does not match the current range",
    ),
    "a taken cluster IP": (
        service("{clusterIP: 10.96.0.77, ports: [{port: 80}]}"),
        "failed to allocate IP 10.96.0.77: provided IP is already allocated",
    ),
    "a taken node port": (
        service("{type: NodePort, ports: [{port: 80, nodePort: 30080}]}"),
        "spec.ports[0].nodePort: Invalid value: 30080: provided port is already allocated",
    ),
    "a node port out of range": (
        service("{type: NodePort, ports: [{port: 80, nodePort: 80}]}"),
        "spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. "
        "The range of valid ports is 30000-32767",
    ),
    "a host of two wildcards": (
        ingress('{host: "*.*.com", ' + backend("web", "number: 80") + "}"),
        'spec.rules[0].host: Invalid value: "*.*.com"',
    ),
    "a path without a slash": (
        ingress("{" + backend("web", "number: 80", "api") + "}"),
        'spec.rules[0].http.paths[0].path: Invalid value: "api": must be an absolute path',
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_in_the_words_of_the_api_server(case: str) -> None:
    cluster = wt.Cluster()
    cluster.apply(
        service(
            "{type: NodePort, clusterIP: 10.96.0.77, ports: [{port: 80, nodePort: 30080}]}", "held"
        )
    )
    text, sentence = BAD[case]
    assert sentence in refused(cluster, text)


def test_a_port_name_that_no_selected_pod_has_is_pointed_out() -> None:
    def named(name: str) -> str:
        return service(f"{{selector: {{app: web}}, ports: [{{port: 80, targetPort: {name}}}]}}")

    assert warnings(POD, named("http")) == []
    assert warnings(POD, named("web")) == [
        'service/web port 80 leads nowhere: no pod it selects has a TCP port named "web"'
    ]


def test_pods_already_there_have_their_ports() -> None:
    cluster = wt.Cluster()
    cluster.apply(POD)
    for name, count in (("http", 0), ("other", 1)):
        text = service(f"{{selector: {{app: web}}, ports: [{{port: 80, targetPort: {name}}}]}}")
        assert len(cluster.apply(text).warnings) == count


def test_an_ingress_to_what_is_not_there_is_pointed_out() -> None:
    web = service("{selector: {app: web}, ports: [{name: http, port: 80}]}")
    assert warnings(POD, web, ingress("{" + backend("web", "number: 80") + "}")) == []
    assert warnings(POD, web, ingress("{" + backend("web", "name: http") + "}")) == []
    assert warnings(POD, web, ingress("{" + backend("web", "number: 81") + "}")) == [
        "ingress/web leads nowhere: Service default/web has no port 81"
    ]
    assert warnings(POD, web, ingress("{" + backend("web", "name: nope") + "}")) == [
        'ingress/web leads nowhere: Service default/web has no port named "nope"'
    ]
    assert warnings(ingress("{" + backend("api", "number: 80") + "}")) == [
        "ingress/web leads nowhere: there is no Service default/api"
    ]


def test_a_dry_run_knows_the_services_given_with_it() -> None:
    web = service("{selector: {app: web}, ports: [{port: 80}]}")
    text = "---\n".join([POD, web, ingress("{" + backend("web", "number: 80") + "}")])
    assert wt.Cluster().apply(text, dry_run=True).warnings == []


def test_deprecated_and_ignored_fields_bring_the_warnings_of_the_api_server() -> None:
    assert warnings(service('{externalIPs: ["2001:DB8::1"], ports: [{port: 80}]}')) == [
        'spec.externalIPs[0]: IPv6 address "2001:DB8::1" should be in RFC 5952 canonical format '
        '("2001:db8::1")',
        "spec.externalIPs is deprecated and may no longer be implemented in some clusters",
    ]
    assert warnings(service("{clusterIP: None, externalIPs: [192.0.2.1]}")) == [
        "spec.externalIPs is ignored for headless services"
    ]

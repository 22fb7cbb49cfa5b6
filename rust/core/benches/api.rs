//! What every document pays: finding its kind, decoding it, patching it.

#![allow(missing_docs, reason = "benches are not an interface")]

use divan::{Bencher, black_box};
use wavetank_core::api::decode::{canonicalize, decode};
use wavetank_core::api::patch::{strategic, three_way};
use wavetank_core::api::{Registry, Schema};
use wavetank_core::base::Value;

fn main() {
    divan::main();
}

/// A Deployment of about one kilobyte, as people write them.
const DEPLOYMENT: &str = r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web",
"namespace":"shop","labels":{"app":"web","tier":"front"}},"spec":{"replicas":3,"selector":
{"matchLabels":{"app":"web"}},"strategy":{"type":"RollingUpdate","rollingUpdate":{"maxSurge":"25%",
"maxUnavailable":0}},"template":{"metadata":{"labels":{"app":"web","tier":"front"}},"spec":
{"containers":[{"name":"web","image":"shop/web:1.4.2","ports":[{"name":"http","containerPort":8080}],
"env":[{"name":"PORT","value":"8080"},{"name":"DB","valueFrom":{"secretKeyRef":{"name":"db",
"key":"url"}}}],"resources":{"requests":{"cpu":"250m","memory":"256Mi"},"limits":{"memory":"512Mi"}},
"readinessProbe":{"httpGet":{"path":"/ready","port":"http"},"periodSeconds":5},"volumeMounts":
[{"name":"config","mountPath":"/etc/web"}]}],"volumes":[{"name":"config","configMap":{"name":"web"}}],
"topologySpreadConstraints":[{"maxSkew":1,"topologyKey":"topology.kubernetes.io/zone",
"whenUnsatisfiable":"ScheduleAnyway","labelSelector":{"matchLabels":{"app":"web"}}}]}}}}"#;

fn deployment() -> (Schema, Value) {
    let schema = Schema::builtin("apps/v1", "Deployment").expect("built in");
    (schema, Value::from_json(DEPLOYMENT).expect("JSON"))
}

#[divan::bench]
fn find_a_kind(bencher: Bencher) {
    let registry = Registry::new();
    bencher.bench(|| registry.find(black_box("apps/v1"), black_box("Deployment")).map(|f| f.id));
}

#[divan::bench]
fn resolve_a_short_name(bencher: Bencher) {
    let registry = Registry::new();
    bencher.bench(|| registry.resolve(black_box("netpol")).map(|found| found.id));
}

#[divan::bench]
fn decode_a_deployment(bencher: Bencher) {
    let (schema, value) = deployment();
    bencher.with_inputs(|| value.clone()).bench_refs(|value| decode(&schema, value));
}

#[divan::bench]
fn write_a_deployment_as_go_does(bencher: Bencher) {
    let (schema, value) = deployment();
    bencher.with_inputs(|| value.clone()).bench_refs(|value| canonicalize(&schema, value));
}

#[divan::bench]
fn patch_an_image(bencher: Bencher) {
    let (schema, value) = deployment();
    let text =
        r#"{"spec":{"template":{"spec":{"containers":[{"name":"web","image":"shop/web:2"}]}}}}"#;
    let patch = Value::from_json(text).expect("JSON");
    bencher.bench(|| strategic::apply(&schema, &value, black_box(&patch)));
}

#[divan::bench]
fn find_nothing_to_apply(bencher: Bencher) {
    let (schema, value) = deployment();
    bencher.bench(|| three_way::strategic(&schema, &value, black_box(&value), &value, true));
}

#[divan::bench]
fn make_a_registry(bencher: Bencher) {
    Registry::new();
    bencher.bench(Registry::new);
}

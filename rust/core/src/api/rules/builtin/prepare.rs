//! What a write does to an object before it is checked.

use super::NamedStep;
use crate::api::rules::reference::{field, text};
use crate::api::rules::shapes;
use crate::base::{Map, Value};

pub(super) const STEPS: &[NamedStep] = &[
    ("owners", "ownerReferences", owners),
    ("pod_status", "status", pod_status),
    ("merged_label_keys", "spec", merged_label_keys),
    ("dropped_pod_fields", "spec", dropped_pod_fields),
    ("namespace_finalizers", "finalizers", namespace_finalizers),
    ("data_sources", "spec", data_sources),
    ("job_selector", "spec", job_selector),
    ("template_generation", "metadata", template_generation),
];

/// The status of a pod that is new.
fn pod_status(pod: &Value, _: &Value) -> Option<Value> {
    let given = text(field(pod, "status"), "qosClass");
    let class =
        if given.is_empty() { super::pod_resources::quality_of_service(pod) } else { given };
    let mut status =
        Value::map([("phase", Value::from("Pending")), ("qosClass", Value::from(class))]);
    if !field(pod, "spec").list_at(&["schedulingGates"]).is_empty() {
        let condition = Value::map([
            ("type", Value::from("PodScheduled")),
            ("status", Value::from("False")),
            ("reason", Value::from("SchedulingGated")),
            ("message", Value::from("Scheduling is blocked due to non-empty scheduling gates")),
            ("lastProbeTime", Value::Null),
            ("lastTransitionTime", Value::Null),
        ]);
        status.set(&["conditions"], vec![condition]);
    }
    (status != *field(pod, "status")).then_some(status)
}

/// Label keys of affinity terms and spread constraints become expressions of their selectors.
fn merged_label_keys(pod: &Value, _: &Value) -> Option<Value> {
    let labels = pod.at(&["metadata", "labels"])?.as_map()?;
    let spec = field(pod, "spec");
    let mut wanted = spec.clone();
    let constraints = spec.list_at(&["topologySpreadConstraints"]);
    if constraints.iter().any(has_keys) {
        let merged: Vec<Value> = constraints.iter().map(|one| merged(one, labels)).collect();
        wanted.set(&["topologySpreadConstraints"], merged);
    }
    for kind in ["podAffinity", "podAntiAffinity"] {
        let required = "requiredDuringSchedulingIgnoredDuringExecution";
        let preferred = "preferredDuringSchedulingIgnoredDuringExecution";
        let terms = spec.list_at(&["affinity", kind, required]);
        if terms.iter().any(has_keys) {
            let merged: Vec<Value> = terms.iter().map(|term| merged(term, labels)).collect();
            wanted.set(&["affinity", kind, required], merged);
        }
        let weighted = spec.list_at(&["affinity", kind, preferred]);
        if weighted.iter().any(|one| has_keys(field(one, "podAffinityTerm"))) {
            let merge = |one: &Value| {
                let mut one = one.clone();
                let term = merged(field(&one, "podAffinityTerm"), labels);
                one.set(&["podAffinityTerm"], term);
                one
            };
            let merged: Vec<Value> = weighted.iter().map(merge).collect();
            wanted.set(&["affinity", kind, preferred], merged);
        }
    }
    (wanted != *spec).then_some(wanted)
}

fn has_keys(term: &Value) -> bool {
    ["matchLabelKeys", "mismatchLabelKeys"].iter().any(|name| !term.list_at(&[name]).is_empty())
}

fn merged(term: &Value, labels: &Map) -> Value {
    if !has_keys(term) || field(term, "labelSelector").is_null() {
        return term.clone();
    }
    let mut expressions = term.list_at(&["labelSelector", "matchExpressions"]).to_vec();
    for (list, operator) in [("matchLabelKeys", "In"), ("mismatchLabelKeys", "NotIn")] {
        for key in term.list_at(&[list]).iter().filter_map(Value::as_str) {
            let Some(value) = labels.get(key) else { continue };
            expressions.push(Value::map([
                ("key", Value::from(key)),
                ("operator", Value::from(operator)),
                ("values", vec![value.clone()].into()),
            ]));
        }
    }
    let mut term = term.clone();
    if !expressions.is_empty() {
        term.set(&["labelSelector", "matchExpressions"], expressions);
    }
    term
}

/// Fields behind feature gates that are off in 1.36 are dropped without a word.
fn dropped_pod_fields(pod: &Value, _: &Value) -> Option<Value> {
    let spec = field(pod, "spec");
    let mut wanted = spec.clone();
    wanted.remove(&["schedulingGroup"]);
    for list in ["containers", "initContainers"] {
        let containers = spec.list_at(&[list]);
        if containers.iter().any(|one| one.at(&["lifecycle", "stopSignal"]).is_some()) {
            let without = |one: &Value| {
                let mut one = one.clone();
                one.remove(&["lifecycle", "stopSignal"]);
                if field(&one, "lifecycle").is_empty() {
                    one.remove(&["lifecycle"]);
                }
                one
            };
            wanted.set(&[list], containers.iter().map(without).collect::<Vec<_>>());
        }
    }
    (wanted != *spec).then_some(wanted)
}

fn namespace_finalizers(spec: &Value, _: &Value) -> Option<Value> {
    let finalizers = spec.list_at(&["finalizers"]);
    let wanted = Value::from("kubernetes");
    (!finalizers.contains(&wanted))
        .then(|| finalizers.iter().cloned().chain([wanted]).collect::<Vec<_>>().into())
}

/// What a claim is filled from stands in two fields, of which writers know one or both.
fn data_sources(claim: &Value, old: &Value) -> Option<Value> {
    let spec = field(claim, "spec");
    let mut wanted = spec.clone();
    let source = field(spec, "dataSource");
    let (group, kind) = (text(source, "apiGroup"), text(source, "kind"));
    let known = (group.is_empty() && kind == "PersistentVolumeClaim")
        || (group == "snapshot.storage.k8s.io" && kind == "VolumeSnapshot");
    let fresh = field(field(old, "spec"), "dataSource").is_null()
        && field(field(old, "spec"), "dataSourceRef").is_null();
    if fresh && !known && field(spec, "dataSourceRef").is_null() {
        wanted.remove(&["dataSource"]);
    }
    // Sources in other namespaces are behind a gate that is off.
    let elsewhere = !text(field(spec, "dataSourceRef"), "namespace").is_empty();
    if elsewhere && text(field(field(old, "spec"), "dataSourceRef"), "namespace").is_empty() {
        wanted.remove(&["dataSourceRef"]);
    }
    let (source, reference) =
        (field(&wanted, "dataSource").clone(), field(&wanted, "dataSourceRef").clone());
    if !source.is_null() && reference.is_null() {
        wanted.set(&["dataSourceRef"], source);
    } else if !reference.is_null() && source.is_null() && text(&reference, "namespace").is_empty() {
        let mut source = reference;
        source.remove(&["namespace"]);
        wanted.set(&["dataSource"], source);
    }
    (wanted != *spec).then_some(wanted)
}

/// A Job that does not write its own selector gets one made from its uid, and its pods the
/// labels for it.
fn job_selector(job: &Value, _: &Value) -> Option<Value> {
    let spec = field(job, "spec");
    if field(spec, "manualSelector").as_bool() == Some(true) {
        return None;
    }
    let metadata = field(job, "metadata");
    let (name, uid) = (text(metadata, "name"), text(metadata, "uid"));
    let mut wanted = spec.clone();
    for (label, value) in [
        ("job-name", name),
        ("batch.kubernetes.io/job-name", name),
        ("controller-uid", uid),
        ("batch.kubernetes.io/controller-uid", uid),
    ] {
        let path = ["template", "metadata", "labels", label];
        if wanted.at(&path).is_none() {
            wanted.set(&path, value);
        }
    }
    let path = ["selector", "matchLabels", "batch.kubernetes.io/controller-uid"];
    if wanted.at(&path).is_none() {
        wanted.set(&path, uid);
    }
    (wanted != *spec).then_some(wanted)
}

/// A DaemonSet counts the changes of its template in an annotation.
fn template_generation(set: &Value, old: &Value) -> Option<Value> {
    const KEY: &str = "deprecated.daemonset.template.generation";
    let of = |set: &Value| -> i64 {
        let text = set.str_at(&["metadata", "annotations", KEY]).unwrap_or_default();
        text.parse().unwrap_or(0)
    };
    let template = |set: &Value| field(field(set, "spec"), "template").clone();
    let number = if old.is_null() {
        of(set).max(1)
    } else {
        let shape = shapes::by_name("PodTemplateSpec");
        let changed = !shapes::equal(&template(set), &template(old), shape);
        of(old) + i64::from(changed)
    };
    let text = number.to_string();
    let metadata = field(set, "metadata");
    if metadata.str_at(&["annotations", KEY]) == Some(&text) {
        return None;
    }
    let mut metadata = metadata.clone();
    metadata.set(&["annotations", KEY], text);
    Some(metadata)
}

/// An owner that is named twice counts once.
fn owners(metadata: &Value, _: &Value) -> Option<Value> {
    let given = metadata.list_at(&["ownerReferences"]);
    let repeated = |at: usize| given[..at].contains(&given[at]);
    (1..given.len()).any(repeated).then(|| {
        let once = (0..given.len()).filter(|at| !repeated(*at));
        once.map(|at| given[at].clone()).collect::<Vec<_>>().into()
    })
}

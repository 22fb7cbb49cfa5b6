//! Deployments, DaemonSets, ReplicaSets and StatefulSets of `extensions/v1beta1`,
//! `apps/v1beta1` and `apps/v1beta2`: where they defaulted differently from `apps/v1`.

use super::fields::{default, is_unset, rename};
use crate::base::Value;

/// "No limit", as these versions wrote it.
const UNLIMITED: i64 = i32::MAX as i64;

const TEMPLATE_LABELS: [&str; 4] = ["spec", "template", "metadata", "labels"];

/// `extensions/v1beta1` Deployment.
pub fn extensions_deployment(object: &mut Value) {
    labels_from_template(object);
    let strategy = object.str_at(&["spec", "strategy", "type"]).unwrap_or_default();
    let given = !object.at(&["spec", "strategy", "rollingUpdate"]).is_none_or(Value::is_null);
    if given || strategy.is_empty() || strategy == "RollingUpdate" {
        default(object, &["spec", "strategy", "rollingUpdate", "maxUnavailable"], 1);
        default(object, &["spec", "strategy", "rollingUpdate", "maxSurge"], 1);
    }
    default(object, &["spec", "progressDeadlineSeconds"], UNLIMITED);
    default(object, &["spec", "revisionHistoryLimit"], UNLIMITED);
    rollback_to(object);
}

/// `apps/v1beta1` Deployment.
pub fn beta1_deployment(object: &mut Value) {
    labels_from_template(object);
    default(object, &["spec", "revisionHistoryLimit"], 2);
    rollback_to(object);
}

/// `extensions/v1beta1` DaemonSet.
pub fn extensions_daemon_set(object: &mut Value) {
    labels_from_template(object);
    if is_unset(object, &["spec", "updateStrategy", "type"]) {
        object.set(&["spec", "updateStrategy", "type"], "OnDelete");
    }
    if let Some(generation) = object.remove(&["spec", "templateGeneration"])
        && let Some(number) = generation.as_int()
    {
        let key = "deprecated.daemonset.template.generation";
        object.set(&["metadata", "annotations", key], number.to_string());
    }
}

/// `extensions/v1beta1` ReplicaSet.
pub fn extensions_replica_set(object: &mut Value) {
    labels_from_template(object);
}

/// `apps/v1beta1` StatefulSet.
pub fn beta1_stateful_set(object: &mut Value) {
    labels_from_template(object);
    if is_unset(object, &["spec", "updateStrategy", "type"]) {
        object.set(&["spec", "updateStrategy", "type"], "OnDelete");
    }
}

/// These versions took a missing selector, and missing labels, from the pod template.
fn labels_from_template(object: &mut Value) {
    let Some(labels @ Value::Map(_)) = object.at(&TEMPLATE_LABELS).cloned() else { return };
    if object.at(&["spec", "selector"]).is_none_or(Value::is_null) {
        object.set(&["spec", "selector", "matchLabels"], labels.clone());
    }
    if is_unset(object, &["metadata", "labels"]) && !labels.is_empty() {
        object.set(&["metadata", "labels"], labels);
    }
}

/// A rollback asked for in the spec lives on in an annotation.
fn rollback_to(object: &mut Value) {
    let Some(rollback) = object.remove(&["spec", "rollbackTo"]) else { return };
    if matches!(rollback, Value::Map(_)) {
        let revision = rollback.int_at(&["revision"]).unwrap_or_default().to_string();
        let key = "deprecated.deployment.rollback.to";
        object.set(&["metadata", "annotations", key], revision);
    }
}

/// `node.k8s.io/v1alpha1` RuntimeClass had its fields in a spec.
pub fn runtime_class(object: &mut Value) {
    rename(object, &["spec", "runtimeHandler"], &["handler"]);
    rename(object, &["spec", "overhead"], &["overhead"]);
    rename(object, &["spec", "scheduling"], &["scheduling"]);
    if object.get("spec").is_some_and(Value::is_empty) {
        object.remove(&["spec"]);
    }
}

//! HorizontalPodAutoscalers: `autoscaling/v1`, which knows one CPU target and keeps the rest in
//! annotations, and `autoscaling/v2`; and the removed `v2beta1` and `v2beta2`.

use super::fields::{each, ordered_json};
use super::hpa_metrics::{spec_to_flat, spec_to_v2, status_to_flat, status_to_v2};
use crate::base::{Map, Value};

const METRICS: &str = "autoscaling.alpha.kubernetes.io/metrics";
const STATUSES: &str = "autoscaling.alpha.kubernetes.io/current-metrics";
const CONDITIONS: &str = "autoscaling.alpha.kubernetes.io/conditions";
const BEHAVIOR: &str = "autoscaling.alpha.kubernetes.io/behavior";
const DEFAULT_CPU_PERCENT: i64 = 80;

/// The order Go writes the fields of metrics, conditions and behavior in.
#[rustfmt::skip]
const ORDER: [&str; 39] = [
    "type", "status", "lastTransitionTime", "reason", "message", "object", "pods", "resource",
    "containerResource", "external", "kind", "name", "apiVersion", "target", "metricName",
    "metricSelector", "targetValue", "targetAverageUtilization", "targetAverageValue",
    "currentValue", "currentAverageUtilization", "currentAverageValue", "selector", "averageValue",
    "container", "matchLabels", "matchExpressions", "key", "operator", "values", "ScaleUp",
    "ScaleDown", "StabilizationWindowSeconds", "SelectPolicy", "Policies", "Tolerance", "Type",
    "Value", "PeriodSeconds",
];

/// `autoscaling/v1` as `autoscaling/v2`.
pub fn v1_to_v2(object: &mut Value) {
    let percent = object.remove(&["spec", "targetCPUUtilizationPercentage"]);
    let percent = percent.as_ref().and_then(Value::as_int);
    let mut metrics: Vec<Value> = annotation(object, METRICS)
        .as_ref()
        .and_then(Value::as_list)
        .map(|list| list.iter().map(spec_to_v2).collect())
        .unwrap_or_default();
    if percent.is_some() || metrics.is_empty() {
        metrics.push(cpu_metric(percent.unwrap_or(DEFAULT_CPU_PERCENT)));
    }
    object.set(&["spec", "metrics"], metrics);
    if let Some(behavior) = annotation(object, BEHAVIOR).filter(|behavior| !behavior.is_empty()) {
        object.set(&["spec", "behavior"], recased(&behavior, lower_first));
    }
    v1_status_to_v2(object);
    for key in [METRICS, STATUSES, CONDITIONS, BEHAVIOR] {
        object.remove(&["metadata", "annotations", key]);
    }
    if object.at(&["metadata", "annotations"]).is_some_and(Value::is_empty) {
        object.remove(&["metadata", "annotations"]);
    }
}

fn v1_status_to_v2(object: &mut Value) {
    let percent = object.remove(&["status", "currentCPUUtilizationPercentage"]);
    if let Some(statuses @ Value::List(_)) = annotation(object, STATUSES) {
        let statuses = statuses.as_list().unwrap_or_default().iter().map(status_to_v2);
        object.set(&["status", "currentMetrics"], Value::list(statuses));
    } else if let Some(percent) = percent.filter(|percent| !percent.is_null()) {
        let mut status = Value::map([("type", "Resource".into())]);
        status.set(&["resource", "name"], "cpu");
        status.set(&["resource", "current", "averageUtilization"], percent);
        object.set(&["status", "currentMetrics"], Value::list([status]));
    }
    if let Some(conditions @ Value::List(_)) = annotation(object, CONDITIONS) {
        object.set(&["status", "conditions"], conditions);
    }
}

/// `autoscaling/v2` as `autoscaling/v1`.
pub fn v2_to_v1(object: &mut Value) {
    for key in [METRICS, STATUSES, CONDITIONS, BEHAVIOR] {
        object.remove(&["metadata", "annotations", key]);
    }
    let metrics = object.remove(&["spec", "metrics"]).unwrap_or_default();
    let metrics = metrics.as_list().unwrap_or_default();
    if let Some(metric) = metrics.iter().find(|metric| is_cpu_utilization(metric)) {
        let percent = metric.at(&["resource", "target", "averageUtilization"]).cloned();
        object.set(&["spec", "targetCPUUtilizationPercentage"], percent.unwrap_or_default());
    }
    let others = metrics.iter().filter(|metric| !is_cpu_utilization(metric)).map(spec_to_flat);
    annotate(object, METRICS, &Value::list(others));
    if let Some(behavior) = object.remove(&["spec", "behavior"]).filter(|value| !value.is_null()) {
        annotate(object, BEHAVIOR, &written_behavior(&behavior));
    }
    let statuses = object.remove(&["status", "currentMetrics"]).unwrap_or_default();
    let statuses = statuses.as_list().unwrap_or_default();
    let cpu = |status: &&Value| status.str_at(&["resource", "name"]) == Some("cpu");
    let percent = |status: &Value| {
        status.at(&["resource", "current", "averageUtilization"]).filter(|v| !v.is_null()).cloned()
    };
    if let Some(percent) = statuses.iter().filter(cpu).filter_map(percent).next_back() {
        object.set(&["status", "currentCPUUtilizationPercentage"], percent);
    }
    annotate(object, STATUSES, &Value::list(statuses.iter().map(status_to_flat)));
    let conditions = object.remove(&["status", "conditions"]).unwrap_or_default();
    annotate(object, CONDITIONS, &conditions);
}

/// The removed `autoscaling/v2beta1`.
pub fn v2beta1(object: &mut Value) {
    each(object, &["spec", "metrics"], |metric| *metric = spec_to_v2(metric));
    each(object, &["status", "currentMetrics"], |metric| *metric = status_to_v2(metric));
}

fn is_cpu_utilization(metric: &Value) -> bool {
    metric.str_at(&["type"]) == Some("Resource")
        && metric.str_at(&["resource", "name"]) == Some("cpu")
        && metric.int_at(&["resource", "target", "averageUtilization"]).is_some()
}

fn cpu_metric(percent: i64) -> Value {
    let mut metric = Value::map([("type", "Resource".into())]);
    metric.set(&["resource", "name"], "cpu");
    metric.set(&["resource", "target", "type"], "Utilization");
    metric.set(&["resource", "target", "averageUtilization"], percent);
    metric
}

fn annotation(object: &Value, key: &str) -> Option<Value> {
    Value::from_json(object.str_at(&["metadata", "annotations", key])?).ok()
}

fn annotate(object: &mut Value, key: &str, value: &Value) {
    if !value.is_empty() {
        object.set(&["metadata", "annotations", key], ordered_json(value, &ORDER));
    }
}

/// The behavior annotation spells fields as the Go struct has them and leaves none out.
fn written_behavior(behavior: &Value) -> Value {
    const RULES: [&str; 4] =
        ["StabilizationWindowSeconds", "SelectPolicy", "Policies", "Tolerance"];
    let mut out = recased(behavior, upper_first);
    for direction in ["ScaleUp", "ScaleDown"] {
        let rules = out.map_mut().entry(direction);
        if !rules.is_null() {
            for key in RULES {
                rules.map_mut().entry(key);
            }
        }
    }
    out
}

fn recased(value: &Value, case: fn(&str) -> String) -> Value {
    match value {
        Value::Map(map) => {
            let pairs = map.iter().filter(|(_, item)| !item.is_null());
            let pairs = pairs.map(|(key, item)| (case(key).into(), recased(item, case)));
            pairs.collect::<Map>().into()
        }
        Value::List(items) => Value::list(items.iter().map(|item| recased(item, case))),
        other => other.clone(),
    }
}

fn lower_first(text: &str) -> String {
    with_first(text, |symbol| symbol.to_ascii_lowercase())
}

fn upper_first(text: &str) -> String {
    with_first(text, |symbol| symbol.to_ascii_uppercase())
}

fn with_first(text: &str, case: impl Fn(char) -> char) -> String {
    let mut symbols = text.chars();
    symbols.next().map(case).into_iter().chain(symbols).collect()
}

//! Metrics of a HorizontalPodAutoscaler: the flat form of `autoscaling/v2beta1`, which
//! `autoscaling/v1` still keeps in annotations, and the form of `autoscaling/v2`.

use crate::base::{Map, Value};

/// A flat metric of the spec in the form of v2.
pub fn spec_to_v2(metric: &Value) -> Value {
    let mut out = typed(metric);
    copy_source(metric, &mut out, "object", |old| {
        let average = old.get("averageValue").filter(|value| !value.is_null());
        let value = old.get("targetValue");
        let value = value.filter(|value| average.is_none() || !is_zero(value));
        let kind = if average.is_some() { "AverageValue" } else { "Value" };
        let zero = Value::from("0");
        let value = value.or(average.is_none().then_some(&zero));
        let mut new = pairs(&[("describedObject", old.get("target"))]);
        new.set(&["metric"], identifier(old, "selector"));
        new.set(&["target"], target(kind, &[("value", value), ("averageValue", average)]));
        new
    });
    copy_source(metric, &mut out, "pods", |old| {
        let average = old.get("targetAverageValue").cloned().unwrap_or_else(|| "0".into());
        let target = target("AverageValue", &[("averageValue", Some(&average))]);
        Value::map([("metric", identifier(old, "selector")), ("target", target)])
    });
    for source in ["resource", "containerResource"] {
        copy_source(metric, &mut out, source, |old| {
            let utilization = old.get("targetAverageUtilization").filter(|value| !value.is_null());
            let average = old.get("targetAverageValue");
            let kind = if utilization.is_some() { "Utilization" } else { "AverageValue" };
            let mut new = pairs(&[("name", old.get("name")), ("container", old.get("container"))]);
            let values = [("averageUtilization", utilization), ("averageValue", average)];
            new.set(&["target"], target(kind, &values));
            new
        });
    }
    copy_source(metric, &mut out, "external", |old| {
        let value = old.get("targetValue").filter(|value| !value.is_null());
        let average = old.get("targetAverageValue");
        let kind = if value.is_some() { "Value" } else { "AverageValue" };
        let target = target(kind, &[("value", value), ("averageValue", average)]);
        Value::map([("metric", identifier(old, "metricSelector")), ("target", target)])
    });
    out
}

/// A metric of the spec of v2 in the flat form.
pub fn spec_to_flat(metric: &Value) -> Value {
    let mut out = typed(metric);
    copy_source(metric, &mut out, "object", |new| {
        pairs(&[
            ("target", new.get("describedObject")),
            ("metricName", new.at(&["metric", "name"])),
            ("selector", new.at(&["metric", "selector"])),
            ("targetValue", Some(&or_zero(new.at(&["target", "value"])))),
            ("averageValue", new.at(&["target", "averageValue"])),
        ])
    });
    copy_source(metric, &mut out, "pods", |new| {
        pairs(&[
            ("metricName", new.at(&["metric", "name"])),
            ("selector", new.at(&["metric", "selector"])),
            ("targetAverageValue", Some(&or_zero(new.at(&["target", "averageValue"])))),
        ])
    });
    for source in ["resource", "containerResource"] {
        copy_source(metric, &mut out, source, |new| {
            pairs(&[
                ("name", new.get("name")),
                ("container", new.get("container")),
                ("targetAverageUtilization", new.at(&["target", "averageUtilization"])),
                ("targetAverageValue", new.at(&["target", "averageValue"])),
            ])
        });
    }
    copy_source(metric, &mut out, "external", |new| {
        pairs(&[
            ("metricName", new.at(&["metric", "name"])),
            ("metricSelector", new.at(&["metric", "selector"])),
            ("targetValue", new.at(&["target", "value"])),
            ("targetAverageValue", new.at(&["target", "averageValue"])),
        ])
    });
    out
}

/// A flat metric of the status in the form of v2.
pub fn status_to_v2(metric: &Value) -> Value {
    let mut out = typed(metric);
    let current = |pairs_of: &[(&str, Option<&Value>)]| pairs(pairs_of);
    copy_source(metric, &mut out, "object", |old| {
        let mut new = pairs(&[("describedObject", old.get("target"))]);
        new.set(&["metric"], identifier(old, "selector"));
        let value = or_zero(old.get("currentValue"));
        let average = old.get("averageValue");
        new.set(&["current"], current(&[("value", Some(&value)), ("averageValue", average)]));
        new
    });
    copy_source(metric, &mut out, "pods", |old| {
        let average = or_zero(old.get("currentAverageValue"));
        let current = current(&[("averageValue", Some(&average))]);
        Value::map([("metric", identifier(old, "selector")), ("current", current)])
    });
    for source in ["resource", "containerResource"] {
        copy_source(metric, &mut out, source, |old| {
            let average = or_zero(old.get("currentAverageValue"));
            let utilization = old.get("currentAverageUtilization");
            let mut new = pairs(&[("name", old.get("name")), ("container", old.get("container"))]);
            let values = [("averageUtilization", utilization), ("averageValue", Some(&average))];
            new.set(&["current"], current(&values));
            new
        });
    }
    copy_source(metric, &mut out, "external", |old| {
        let value = or_zero(old.get("currentValue"));
        let average = old.get("currentAverageValue");
        let current = current(&[("value", Some(&value)), ("averageValue", average)]);
        Value::map([("metric", identifier(old, "metricSelector")), ("current", current)])
    });
    out
}

/// A metric of the status of v2 in the flat form.
pub fn status_to_flat(metric: &Value) -> Value {
    let mut out = typed(metric);
    copy_source(metric, &mut out, "object", |new| {
        pairs(&[
            ("target", new.get("describedObject")),
            ("metricName", new.at(&["metric", "name"])),
            ("selector", new.at(&["metric", "selector"])),
            ("currentValue", Some(&or_zero(new.at(&["current", "value"])))),
            ("averageValue", new.at(&["current", "averageValue"])),
        ])
    });
    copy_source(metric, &mut out, "pods", |new| {
        pairs(&[
            ("metricName", new.at(&["metric", "name"])),
            ("selector", new.at(&["metric", "selector"])),
            ("currentAverageValue", Some(&or_zero(new.at(&["current", "averageValue"])))),
        ])
    });
    for source in ["resource", "containerResource"] {
        copy_source(metric, &mut out, source, |new| {
            pairs(&[
                ("name", new.get("name")),
                ("container", new.get("container")),
                ("currentAverageUtilization", new.at(&["current", "averageUtilization"])),
                ("currentAverageValue", Some(&or_zero(new.at(&["current", "averageValue"])))),
            ])
        });
    }
    copy_source(metric, &mut out, "external", |new| {
        pairs(&[
            ("metricName", new.at(&["metric", "name"])),
            ("metricSelector", new.at(&["metric", "selector"])),
            ("currentValue", Some(&or_zero(new.at(&["current", "value"])))),
            ("currentAverageValue", new.at(&["current", "averageValue"])),
        ])
    });
    out
}

fn typed(metric: &Value) -> Value {
    pairs(&[("type", metric.get("type"))])
}

fn copy_source(from: &Value, to: &mut Value, source: &str, edit: impl FnOnce(&Value) -> Value) {
    if let Some(old @ Value::Map(_)) = from.get(source) {
        to.set(&[source], edit(old));
    }
}

/// A map of the pairs whose value is there.
fn pairs(pairs: &[(&str, Option<&Value>)]) -> Value {
    let mut map = Map::new();
    for (key, value) in pairs {
        if let Some(value) = value.filter(|value| !value.is_null()) {
            map.insert(*key, value.clone());
        }
    }
    map.into()
}

fn identifier(old: &Value, selector: &str) -> Value {
    pairs(&[("name", old.get("metricName")), ("selector", old.get(selector))])
}

fn target(kind: &str, values: &[(&str, Option<&Value>)]) -> Value {
    let mut target = pairs(values);
    target.set(&["type"], kind);
    target
}

/// A quantity that the flat form cannot leave out.
fn or_zero(value: Option<&Value>) -> Value {
    value.filter(|value| !value.is_null()).cloned().unwrap_or_else(|| "0".into())
}

fn is_zero(value: &Value) -> bool {
    crate::base::Quantity::from_value(value).is_ok_and(crate::base::Quantity::is_zero)
}

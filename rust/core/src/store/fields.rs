//! The fields each kind can be selected by, beyond `metadata.name` and `metadata.namespace`.

use super::Store;
use super::object::Row;
use super::pod::PodState;
use crate::api::kinds::Kind;
use crate::api::{ApiError, ApiResult, KindId};
use crate::base::{Text, Value};
use crate::labels::FieldSelector;

/// Group, kind and the fields it adds.
const FIELDS: &[(&str, &str, &[&str])] = &[
    (
        "",
        "Pod",
        &[
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.podIPs",
            "status.nominatedNodeName",
        ],
    ),
    ("", "Node", &["spec.unschedulable"]),
    ("", "Namespace", &["status.phase"]),
    ("", "Secret", &["type"]),
    ("", "Service", &["spec.clusterIP", "spec.type"]),
    ("", "ReplicationController", &["status.replicas"]),
    (
        "",
        "Event",
        &[
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        ],
    ),
    ("apps", "ReplicaSet", &["status.replicas"]),
    ("batch", "Job", &["status.successful"]),
    ("certificates.k8s.io", "CertificateSigningRequest", &["spec.signerName"]),
    ("resource.k8s.io", "ResourceSlice", &["spec.nodeName", "spec.driver"]),
];

/// Refuses a selector that names a field the kind cannot be selected by.
///
/// # Errors
/// 400 in the words the API server has for that kind.
pub fn check(kind: &Kind, selector: &FieldSelector) -> ApiResult<()> {
    let extra = extra_fields(kind);
    for term in selector.terms() {
        let field = term.field.as_str();
        if matches!(field, "metadata.name" | "metadata.namespace") || extra.contains(&field) {
            continue;
        }
        let core_fields = kind.id.group.is_empty() && !extra.is_empty();
        let message = match (&*kind.id.kind, core_fields) {
            ("Job", _) => {
                format!("field label {} not supported for Job", crate::base::go_quote(field))
            }
            (_, true) => format!("field label not supported: {field}"),
            _ => format!(
                "{} is not a known field selector: only \"metadata.name\", \"metadata.namespace\"",
                crate::base::go_quote(field)
            ),
        };
        return Err(ApiError::bad_request(message));
    }
    Ok(())
}

fn extra_fields(kind: &Kind) -> &'static [&'static str] {
    FIELDS
        .iter()
        .find(|(group, name, _)| *group == kind.id.group && *name == kind.id.kind)
        .map_or(&[], |(_, _, fields)| fields)
}

/// The value of a field; `None` when it is not set.
pub fn value(
    store: &Store,
    kind: KindId,
    row: &Row,
    pod: Option<&PodState>,
    field: &str,
) -> Option<Text> {
    let body = row.body.as_ref()?;
    match field {
        "metadata.name" => return Some(row.name.text(&store.strings)),
        "metadata.namespace" => return body.namespace.map(|id| store.strings.text(id).into()),
        _ => {}
    }
    if let Some(pod) = pod {
        match field {
            "spec.nodeName" => return pod.node.map(|node| store.strings.text(node).into()),
            "status.phase" => return Some(pod.phase.name().into()),
            "status.nominatedNodeName" => {
                return pod.nominated.map(|node| store.strings.text(node).into());
            }
            "spec.hostNetwork" => return Some(boolean(body.at(&["spec", "hostNetwork"]))),
            _ => {}
        }
        if field.starts_with("status.") {
            let object = store.render(kind, row, Some(pod), row.revision);
            return text(object.at(&path(field))?);
        }
    }
    let path = path(field);
    let document = match path[0] {
        "status" => body.status.at(&path[1..]),
        _ => body.at(&path),
    };
    match field {
        "spec.unschedulable" => Some(boolean(document)),
        "status.replicas" | "status.successful" => {
            Some(document.and_then(text).unwrap_or("0".into()))
        }
        "source" => text(body.at(&["source", "component"])?),
        _ => text(document?),
    }
}

fn path(field: &str) -> Vec<&str> {
    match field {
        // The API's name of the field is not its place.
        "status.successful" => vec!["status", "succeeded"],
        _ => field.split('.').collect(),
    }
}

fn boolean(value: Option<&Value>) -> Text {
    value.and_then(Value::as_bool).unwrap_or(false).to_string().into()
}

fn text(value: &Value) -> Option<Text> {
    match value {
        Value::Str(text) => Some(text.clone()),
        Value::Int(number) => Some(number.to_string().into()),
        Value::Bool(flag) => Some(flag.to_string().into()),
        _ => None,
    }
}

//! One object in another version of its kind.
//!
//! [`convert`] goes between versions that are served side by side; most differ in `apiVersion`
//! only. [`upgrade`] reads documents of versions that Kubernetes has removed: with the defaults
//! they had then, as the version that took their place; or it refuses them in one sentence.

mod autoscaling;
mod dra;
mod event;
mod fields;
mod hpa_metrics;
mod ingress;
mod misc;
mod removed;
mod workloads;

use super::kinds::Kind;
use super::names::GroupVersion;
use crate::base::Value;

pub use event::{core_event, named_event};
pub use removed::{Removed, removed};

/// `object` in another served version of its kind. An unknown version is a relabel, as for
/// custom resources without a conversion of their own.
pub fn convert(kind: &Kind, object: &Value, version: &str) -> Value {
    let from = object.str_at(&["apiVersion"]).unwrap_or_default();
    let to = GroupVersion::new(&kind.id.group, version).to_string();
    if from == to {
        return object.clone();
    }
    let mut object = object.clone();
    match (kind.id.group.as_str(), kind.id.kind.as_str()) {
        ("autoscaling", "HorizontalPodAutoscaler") => match version {
            "v1" => autoscaling::v2_to_v1(&mut object),
            _ => autoscaling::v1_to_v2(&mut object),
        },
        ("resource.k8s.io", name) => dra::convert(&mut object, name, from, &to),
        _ => {}
    }
    object.set(&["apiVersion"], to);
    object
}

/// A document read as a newer version of its kind.
#[derive(Clone, Debug, PartialEq)]
pub struct Upgraded {
    /// The document in the newer version.
    pub object: Value,
    /// What to tell the user.
    pub warning: String,
}

/// Reads a document of a removed version; nothing for any other document.
///
/// # Errors
/// One sentence when there is no faithful reading.
pub fn upgrade(object: &Value) -> Result<Option<Upgraded>, String> {
    let api_version = object.str_at(&["apiVersion"]).unwrap_or_default();
    let kind = object.str_at(&["kind"]).unwrap_or_default();
    let Some(removed) = removed(api_version, kind) else { return Ok(None) };
    let gone = format!("{api_version} {kind} was removed in Kubernetes {}", removed.removed_in);
    let Some((to, reading)) = removed.reading else {
        return Err(format!("{gone}; {}", removed.advice));
    };
    let mut object = object.clone();
    reading(&mut object);
    object.set(&["apiVersion"], to);
    Ok(Some(Upgraded { object, warning: format!("{gone}; it was read as {to} {kind}") }))
}

#[cfg(test)]
mod tests {
    use super::{convert, core_event, named_event, upgrade};
    use crate::api::Registry;
    use crate::base::Value;

    /// Every pair was checked against the conversions and defaults of Kubernetes 1.36.3, as far
    /// as it still has the version: stored through either document, the object is the same.
    #[test]
    fn documents_of_other_versions_read_as_kubernetes_reads_them() {
        let registry = Registry::new();
        let golden = include_str!("../../../tests/golden/api/convert.jsonl");
        for line in golden.lines() {
            let case = Value::from_json(line).unwrap();
            let (from, to) = (case.get("from").unwrap(), case.get("to").unwrap());
            let api_version = from.str_at(&["apiVersion"]).unwrap();
            let kind = from.str_at(&["kind"]).unwrap();
            let made = match case.str_at(&["version"]) {
                None => upgrade(from).unwrap().unwrap().object,
                Some(version) => {
                    convert(registry.find(api_version, kind).unwrap().kind, from, version)
                }
            };
            assert_eq!(made.to_json(), to.to_json(), "{line}");
        }
    }

    #[test]
    fn an_upgrade_says_what_it_did_and_a_refusal_what_to_do() {
        let document = |text: &str| Value::from_json(text).unwrap();
        let old = document(r#"{"apiVersion":"batch/v1beta1","kind":"CronJob"}"#);
        let upgraded = upgrade(&old).unwrap().unwrap();
        assert_eq!(
            upgraded.warning,
            "batch/v1beta1 CronJob was removed in Kubernetes 1.25; it was read as batch/v1 CronJob"
        );
        let old = document(r#"{"apiVersion":"policy/v1beta1","kind":"PodSecurityPolicy"}"#);
        assert_eq!(
            upgrade(&old).unwrap_err(),
            "policy/v1beta1 PodSecurityPolicy was removed in Kubernetes 1.25; use Pod Security \
             Admission"
        );
        let current = document(r#"{"apiVersion":"batch/v1","kind":"CronJob"}"#);
        assert_eq!(upgrade(&current), Ok(None));
    }

    #[test]
    fn every_removed_version_leads_to_a_kind_that_is_served() {
        let registry = Registry::new();
        for row in super::removed::REMOVED {
            for kind in row.kinds {
                assert!(registry.find(row.api_version, kind).is_none(), "{row:?}");
                if let Some((to, _)) = row.reading {
                    assert!(registry.schema(to, kind).is_some(), "{row:?}");
                }
            }
        }
    }

    #[test]
    fn an_event_has_two_names_and_one_content() {
        let text = r#"{"apiVersion":"v1","kind":"Event","message":"m","reason":"r","count":2,
            "involvedObject":{"name":"p"},"source":{"component":"c"},"reportingComponent":"x"}"#;
        let event = Value::from_json(text).unwrap();
        let named = named_event(&event);
        assert_eq!(named.str_at(&["note"]), Some("m"));
        assert_eq!(named.str_at(&["regarding", "name"]), Some("p"));
        assert_eq!(named.int_at(&["deprecatedCount"]), Some(2));
        assert_eq!(core_event(&named), event);
    }
}

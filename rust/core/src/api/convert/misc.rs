//! The other removed versions that differ from their successors in more than the name.

use super::fields::{default, each, is_unset, rename, within};
use crate::base::{Map, Value};

/// `policy/v1beta1` PodDisruptionBudget: an empty selector chose no pods, not all of them.
pub fn disruption_budget(object: &mut Value) {
    const KEY: &str = "pdb.kubernetes.io/deprecated-v1beta1-empty-selector-match";
    let Some(selector) = object.at(&["spec", "selector"]).filter(|s| !s.is_null()) else {
        return;
    };
    let expression = |operator: &str| {
        Value::list([Value::map([("key", KEY.into()), ("operator", operator.into())])])
    };
    let labels_unset = is_unset(selector, &["matchLabels"]);
    let expressions = selector.list_at(&["matchExpressions"]);
    if labels_unset && expressions.is_empty() {
        object.set(&["spec", "selector"], Map::new());
        object.set(&["spec", "selector", "matchExpressions"], expression("Exists"));
    } else if labels_unset && expression("DoesNotExist").as_list() == Some(expressions) {
        object.set(&["spec", "selector"], Map::new());
    } else {
        within(object, &["spec", "selector", "matchExpressions"], |list| {
            list.list_mut().retain(|item| item.str_at(&["key"]) != Some(KEY));
        });
    }
}

/// `rbac.authorization.k8s.io/v1alpha1` bindings: subjects named an API version.
pub fn alpha_binding(object: &mut Value) {
    const GROUP: &str = "rbac.authorization.k8s.io";
    each(object, &["subjects"], |subject| {
        let version = subject.remove(&["apiVersion"]).unwrap_or_default();
        match subject.str_at(&["kind"]) {
            Some("ServiceAccount") => {}
            Some("User" | "Group") => subject.set(&["apiGroup"], GROUP),
            _ => {
                if let Some((group, _)) = version.as_str().and_then(|text| text.split_once('/')) {
                    subject.set(&["apiGroup"], group);
                }
            }
        }
        let everyone =
            subject.str_at(&["kind"]) == Some("User") && subject.str_at(&["name"]) == Some("*");
        if everyone {
            subject.set(&["kind"], "Group");
            subject.set(&["name"], "system:authenticated");
        }
    });
}

/// `discovery.k8s.io/v1beta1` EndpointSlice: where an endpoint is was a map of labels.
pub fn endpoint_slice(object: &mut Value) {
    each(object, &["endpoints"], |endpoint| {
        let Some(mut topology @ Value::Map(_)) = endpoint.remove(&["topology"]) else { return };
        if let Some(zone) = topology.remove(&["topology.kubernetes.io/zone"]) {
            endpoint.set(&["zone"], zone);
        }
        let node = endpoint.get("nodeName");
        if node.is_some() && topology.get("kubernetes.io/hostname") == node {
            topology.remove(&["kubernetes.io/hostname"]);
        }
        if !topology.is_empty() {
            endpoint.set(&["deprecatedTopology"], topology);
        }
    });
}

/// `admissionregistration.k8s.io/v1beta1` webhooks: other defaults.
pub fn webhooks(object: &mut Value) {
    each(object, &["webhooks"], |webhook| {
        default(webhook, &["failurePolicy"], "Ignore");
        default(webhook, &["matchPolicy"], "Exact");
        default(webhook, &["sideEffects"], "Unknown");
        default(webhook, &["timeoutSeconds"], 30);
        if is_unset(webhook, &["admissionReviewVersions"]) {
            webhook.set(&["admissionReviewVersions"], Value::list(["v1beta1".into()]));
        }
    });
}

/// `admissionregistration.k8s.io/v1alpha1` ValidatingAdmissionPolicyBinding: missing parameters
/// denied by default.
pub fn alpha_policy_binding(object: &mut Value) {
    within(object, &["spec", "paramRef"], |reference| {
        default(reference, &["parameterNotFoundAction"], "Deny");
    });
}

/// `flowcontrol.apiserver.k8s.io/v1beta1` and `v1beta2` PriorityLevelConfiguration.
pub fn priority_level(object: &mut Value) {
    let shares = ["spec", "limited", "assuredConcurrencyShares"];
    rename(object, &shares, &["spec", "limited", "nominalConcurrencyShares"]);
    beta3_priority_level(object);
}

/// `flowcontrol.apiserver.k8s.io/v1beta3` PriorityLevelConfiguration: no shares meant thirty.
pub fn beta3_priority_level(object: &mut Value) {
    const ZERO: &str = "flowcontrol.k8s.io/v1beta3-preserve-zero-concurrency-shares";
    let kept = object.remove(&["metadata", "annotations", ZERO]).is_some();
    let shares = ["spec", "limited", "nominalConcurrencyShares"];
    if !kept && object.at(&shares).and_then(Value::as_int) == Some(0) {
        object.set(&shares, 30);
    }
}

/// `authorization.k8s.io/v1beta1` reviews called the groups `group`.
pub fn access_review(object: &mut Value) {
    rename(object, &["spec", "group"], &["spec", "groups"]);
}

/// `certificates.k8s.io/v1beta1` CertificateSigningRequest: signer and usages had defaults.
pub fn signing_request(object: &mut Value) {
    if object.at(&["spec", "usages"]).is_none_or(Value::is_null) {
        let usages = ["digital signature", "key encipherment"].map(Value::from);
        object.set(&["spec", "usages"], Value::list(usages));
    }
    default(object, &["spec", "signerName"], "kubernetes.io/legacy-unknown");
    each(object, &["status", "conditions"], |condition| {
        if is_unset(condition, &["status"]) {
            condition.set(&["status"], "True");
        }
    });
}

/// `apiextensions.k8s.io/v1beta1` CustomResourceDefinition: schema, subresources and columns
/// were the same for all versions unless a version had its own, and unknown fields stayed
/// unless told otherwise.
pub fn definition(object: &mut Value) {
    let Some(mut spec) = object.get("spec").cloned() else { return };
    let version = spec.remove(&["version"]).filter(|version| !version.is_empty());
    if is_unset(&spec, &["versions"])
        && let Some(name) = version
    {
        let only = [("name", name), ("served", true.into()), ("storage", true.into())];
        spec.set(&["versions"], Value::list([Value::map(only)]));
    }
    let schema = spec.remove(&["validation"]).unwrap_or_default();
    let subresources = spec.remove(&["subresources"]).unwrap_or_default();
    let columns = spec.remove(&["additionalPrinterColumns"]).unwrap_or_default();
    let keeps = spec.remove(&["preserveUnknownFields"]) != Some(Value::Bool(false));
    each(&mut spec, &["versions"], |version| {
        for (key, shared) in [
            ("schema", &schema),
            ("subresources", &subresources),
            ("additionalPrinterColumns", &columns),
        ] {
            if !shared.is_empty() {
                default(version, &[key], shared.clone());
            }
        }
        each(version, &["additionalPrinterColumns"], |column| {
            rename(column, &["JSONPath"], &["jsonPath"]);
        });
        default(version, &["schema", "openAPIV3Schema", "type"], "object");
        if keeps {
            within(version, &["schema", "openAPIV3Schema"], keep_unknown_fields);
        }
    });
    within(&mut spec, &["conversion"], |conversion| {
        rename(conversion, &["webhookClientConfig"], &["webhook", "clientConfig"]);
        let versions = ["webhook", "conversionReviewVersions"];
        rename(conversion, &["conversionReviewVersions"], &versions);
    });
    default(&mut spec, &["scope"], "Namespaced");
    object.set(&["spec"], spec);
}

/// Marks every object of a schema as one that keeps fields the schema does not name, and as an
/// object, which it did not have to say.
fn keep_unknown_fields(schema: &mut Value) {
    if schema.get("properties").is_some() {
        default(schema, &["type"], "object");
    }
    let of_object =
        schema.str_at(&["type"]) == Some("object") && schema.get("additionalProperties").is_none();
    if of_object || schema.get("properties").is_some() {
        schema.set(&["x-kubernetes-preserve-unknown-fields"], true);
    }
    within(schema, &["properties"], |properties| {
        properties.map_mut().iter_mut().for_each(|(_, inner)| keep_unknown_fields(inner));
    });
    for key in ["items", "additionalProperties"] {
        within(schema, &[key], |inner| {
            if matches!(inner, Value::Map(_)) {
                keep_unknown_fields(inner);
            }
        });
    }
}

//! Volumes, claims and storage classes.

use super::CheckFn;
use super::pod_update::difference;
use super::resources::{entries, resource_amount};
use crate::api::rules::check::{Walk, quantity};
use crate::api::rules::reference::{field, text};
use crate::api::rules::shapes;
use crate::api::{BadValue, FieldError, Path};
use crate::base::{Quantity, Value, names};

pub(super) const CHECKS: &[(&str, CheckFn)] = &[
    ("caseless_name", caseless_name),
    ("exclusive_mode", exclusive_mode),
    ("claim_size", claim_size),
    ("data_sources_agree", data_sources_agree),
    ("claim_changes", claim_changes),
    ("template_metadata", template_metadata),
    ("volume_capacity", volume_capacity),
    ("volume_source_changes", volume_source_changes),
    ("volume_affinity_changes", volume_affinity_changes),
    ("mount_options", mount_options),
    ("basic_amounts", basic_amounts),
    ("class_parameters", class_parameters),
    ("topology_terms", topology_terms),
    ("csi_drivers_stay", csi_drivers_stay),
];

const POSITIVE: &str = "must be greater than zero";

/// The access mode for a single pod stands alone.
fn exclusive_mode<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    let modes = here.as_list().unwrap_or_default();
    let has =
        |wanted: &[&str]| modes.iter().filter_map(Value::as_str).any(|mode| wanted.contains(&mode));
    if has(&["ReadWriteOncePod"]) && has(&["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany"]) {
        let detail = "may not use ReadWriteOncePod with other access modes";
        walk.errors.push(FieldError::forbidden(path, detail));
    }
}

/// How much a claim asks for.
fn claim_size<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    let resources = path.child("resources");
    let at = resources.key("storage");
    let Some(size) = field(field(here, "resources"), "requests").get("storage") else {
        walk.errors.push(FieldError::required(at, ""));
        return;
    };
    let size = quantity(size);
    if size.sign() <= 0 {
        walk.errors.push(FieldError::invalid(at, &size.to_string(), POSITIVE));
    } else {
        resource_amount(walk, "storage", size, &at);
    }
}

/// Both ways to name what a claim is filled from must name the same.
fn data_sources_agree<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    let (source, reference) = (field(here, "dataSource"), field(here, "dataSourceRef"));
    if source.is_null() || reference.is_null() {
        return;
    }
    let same = ["apiGroup", "kind", "name"]
        .iter()
        .all(|name| field(source, name) == field(reference, name));
    let detail = if !text(reference, "namespace").is_empty() {
        "may not be specified when dataSourceRef.namespace is specified"
    } else if !same {
        "must match dataSourceRef"
    } else {
        return;
    };
    // Kubernetes puts the path where the value should be; it prints as an empty object.
    walk.errors.push(FieldError::invalid(path, BadValue::raw("{}"), detail));
}

/// A claim that exists may grow once it is bound, and little else.
fn claim_changes<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    let old_claim = walk.scope.old;
    let (spec, old) = (field(here, "spec"), field(old_claim, "spec"));
    let (mut new_spec, mut old_spec) = (spec.clone(), old.clone());
    if text(old, "volumeName").is_empty() {
        keep(&mut old_spec, spec, "volumeName");
    }
    if field(old, "storageClassName").is_null() {
        keep(&mut new_spec, old, "storageClassName");
    }
    if text(field(here, "status"), "phase") == "Bound" {
        if new_spec.at(&["resources", "requests"]).is_some() {
            let size = old.at(&["resources", "requests", "storage"]).cloned();
            new_spec.set(&["resources", "requests", "storage"], size.unwrap_or_default());
        }
        keep(&mut new_spec, old, "volumeAttributesClassName");
    }
    let path_of = path.child("spec");
    if let Some(shape) = shapes::by_name("PersistentVolumeClaimSpec")
        && !shapes::equal(&new_spec, &old_spec, Some(shape))
    {
        let detail = format!(
            "spec is immutable after creation except resources.requests and \
             volumeAttributesClassName for bound claims\n{}",
            difference(&old_spec, &new_spec, shape)
        );
        walk.errors.push(FieldError::forbidden(path_of, detail));
    }
    let size = |spec: &Value| {
        spec.at(&["resources", "requests", "storage"]).map_or(Quantity::ZERO, quantity)
    };
    let capacity = old_claim.at(&["status", "capacity", "storage"]);
    let capacity = capacity.map_or(Quantity::ZERO, quantity);
    if size(spec) < size(old) && size(spec) <= capacity {
        let resources = path_of.child("resources");
        let requests = resources.child("requests");
        let detail = "field can not be less than status.capacity";
        walk.errors.push(FieldError::forbidden(requests.child("storage"), detail));
    }
    if field(spec, "volumeMode") != field(old, "volumeMode") {
        let shown = BadValue::json(field(spec, "volumeMode"));
        let at = path.child("volumeMode");
        walk.errors.push(FieldError::invalid(at, shown, "field is immutable"));
    }
    attributes_class(walk, here, &path_of);
}

fn attributes_class(walk: &mut Walk<'_, '_>, claim: &Value, path: &Path<'_>) {
    let name = "volumeAttributesClassName";
    let old = walk.scope.old;
    let (new, known) = (field(field(claim, "spec"), name), field(field(old, "spec"), name));
    let current = field(field(old, "status"), "currentVolumeAttributesClassName");
    if new == known || current.is_null() {
        return;
    }
    let what = match new.as_str() {
        None => "nil",
        Some("") => "empty string",
        Some(_) => return,
    };
    let detail = format!(
        "update to {what} is forbidden when status.currentVolumeAttributesClassName is not nil"
    );
    walk.errors.push(FieldError::forbidden(path.child(name), detail));
}

fn keep(value: &mut Value, from: &Value, name: &str) {
    match from.get(name) {
        Some(kept) => {
            value.map_mut().insert(name, kept.clone());
        }
        None => {
            value.map_mut().remove(name);
        }
    }
}

/// The metadata of a template, which may have labels and annotations only.
fn template_metadata<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    for (check, name) in [("annotations", "annotations"), ("labels", "labels")] {
        if let Some(check) = super::check(check) {
            check(walk, field(here, name), &path.child(name), &crate::api::rules::reference::NULL);
        }
    }
    for name in [
        "name",
        "generateName",
        "namespace",
        "selfLink",
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "ownerReferences",
        "finalizers",
        "managedFields",
    ] {
        if !crate::api::rules::reference::is_zero(field(here, name)) {
            walk.errors.push(FieldError::forbidden(path.child(name), "cannot be set"));
        }
    }
}

/// How much a volume holds: one amount of storage.
fn volume_capacity<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    let capacity = field(here, "capacity");
    let path = path.child("capacity");
    let count = capacity.as_map().map_or(0, crate::base::Map::len);
    if count == 0 {
        walk.errors.push(FieldError::required(path, ""));
    }
    if capacity.get("storage").is_none() || count > 1 {
        let shown = BadValue::json(capacity);
        walk.errors.push(FieldError::not_supported(path, shown, ["storage"]));
    }
    for (name, value) in entries(capacity) {
        let at = path.key(name);
        let amount = quantity(value);
        basic_amount(walk, amount, &at);
        if amount.sign() <= 0 {
            walk.errors.push(FieldError::invalid(at, &amount.to_string(), POSITIVE));
        }
    }
}

fn basic_amounts<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    for (name, value) in entries(here) {
        basic_amount(walk, quantity(value), &path.key(name));
    }
}

pub(super) fn basic_amount(walk: &mut Walk<'_, '_>, amount: Quantity, path: &Path<'_>) {
    if amount.value() < 0 {
        let detail = "must be a valid resource quantity";
        walk.errors.push(FieldError::invalid(path, amount.value(), detail));
    }
}

/// What a volume stands for stays.
fn volume_source_changes<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    let Some(shape) = shapes::by_name("PersistentVolumeSource") else { return };
    let old = field(walk.scope.old, "spec");
    let mut new = field(here, "spec").clone();
    let secret = ["csi", "controllerExpandSecretRef"];
    if old.get("csi").is_some() && old.at(&secret).is_none() && new.at(&secret).is_some() {
        new.remove(&secret);
    }
    if !shapes::equal(&new, old, Some(shape)) {
        let detail = format!(
            "spec.persistentvolumesource is immutable after creation\n{}",
            difference(old, &new, shape)
        );
        let spec = path.child("spec");
        walk.errors.push(FieldError::forbidden(spec.child("persistentvolumesource"), detail));
    }
}

/// Where a volume can be reached from stays; old names of labels may become new ones.
fn volume_affinity_changes<'d>(
    walk: &mut Walk<'_, 'd>,
    here: &'d Value,
    path: &Path<'_>,
    _: &Value,
) {
    let new = field(field(here, "spec"), "nodeAffinity");
    let old = field(field(walk.scope.old, "spec"), "nodeAffinity");
    if old.is_null() || shapes::equal(new, &renamed(old, new), None) {
        return;
    }
    let shown = match shapes::by_name("VolumeNodeAffinity") {
        Some(shape) if !new.is_null() => BadValue::raw(shapes::internal(new, shape).to_json()),
        _ => BadValue::json(new),
    };
    let detail = "field is immutable, except for updating from beta label to GA";
    walk.errors.push(FieldError::invalid(path.child("nodeAffinity"), shown, detail));
}

/// The old value with the label names of the new one where those merely became stable.
fn renamed(old: &Value, new: &Value) -> Value {
    const STABLE: [(&str, &str); 5] = [
        ("failure-domain.beta.kubernetes.io/zone", "topology.kubernetes.io/zone"),
        ("failure-domain.beta.kubernetes.io/region", "topology.kubernetes.io/region"),
        ("beta.kubernetes.io/os", "kubernetes.io/os"),
        ("beta.kubernetes.io/arch", "kubernetes.io/arch"),
        ("beta.kubernetes.io/instance-type", "node.kubernetes.io/instance-type"),
    ];
    match (old, new) {
        (Value::Map(map), new) => {
            let entry =
                |(key, value): (&str, &Value)| (key.to_owned(), renamed(value, field(new, key)));
            Value::map(map.iter().map(entry))
        }
        (Value::List(items), Value::List(others)) if items.len() == others.len() => {
            Value::list(items.iter().zip(others.iter()).map(|(old, new)| renamed(old, new)))
        }
        (Value::Str(name), Value::Str(other))
            if STABLE.contains(&(name.as_str(), other.as_str())) =>
        {
            new.clone()
        }
        _ => old.clone(),
    }
}

/// Some types of volumes have no mount options, and an annotation may not ask for them.
fn mount_options<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    const KEY: &str = "volume.beta.kubernetes.io/mount-options";
    let spec = field(here, "spec");
    let supported = [
        "gcePersistentDisk",
        "awsElasticBlockStore",
        "glusterfs",
        "nfs",
        "rbd",
        "quobyte",
        "iscsi",
        "cinder",
        "cephfs",
        "azureFile",
        "vsphereVolume",
        "azureDisk",
        "photonPersistentDisk",
    ];
    let annotated = field(field(here, "metadata"), "annotations").get(KEY).is_some();
    if annotated && supported.iter().all(|name| field(spec, name).is_null()) {
        let metadata = path.child("metadata");
        let annotations = metadata.child("annotations");
        let detail = "may not specify mount options for this volume type";
        walk.errors.push(FieldError::forbidden(annotations.child(KEY), detail));
    }
}

fn class_parameters<'d>(
    walk: &mut Walk<'_, 'd>,
    here: &'d Value,
    path: &Path<'_>,
    arguments: &Value,
) {
    const BYTES_MAX: usize = 256 << 10;
    let count = here.as_map().map_or(0, crate::base::Map::len);
    if count > 512 {
        walk.errors.push(FieldError::too_long(path, 512));
        return;
    }
    let mut size = 0;
    for (key, value) in entries(here) {
        if key.is_empty() {
            walk.errors.push(FieldError::invalid(path, key, "field can not be empty."));
        }
        size += key.len() + value.as_str().map_or(0, str::len);
    }
    if size > BYTES_MAX {
        walk.errors.push(FieldError::too_long(path, BYTES_MAX));
    }
    if count == 0 && !super::flag(arguments, "may_be_empty") {
        let detail = "must contain at least one key/value pair";
        walk.errors.push(FieldError::required(path, detail));
    }
}

/// The topologies a class allows.
fn topology_terms<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    let terms = here.as_list().unwrap_or_default();
    let mut seen: Vec<Vec<(&str, Vec<&str>)>> = Vec::new();
    for (at, term) in terms.iter().enumerate() {
        let item = path.index(at);
        let known = topology_term(walk, term, &item);
        // An empty term equals the blanks that Kubernetes' list starts with, one per term.
        let blanks = if known.is_empty() { terms.len() } else { 0 };
        let repeated = seen.iter().filter(|other| **other == known).count() + blanks;
        for _ in 0..repeated {
            let at = item.child("matchLabelExpressions");
            walk.errors.push(FieldError::duplicate(at, ""));
        }
        seen.push(known);
    }
}

fn topology_term<'v>(
    walk: &mut Walk<'_, '_>,
    term: &'v Value,
    path: &Path<'_>,
) -> Vec<(&'v str, Vec<&'v str>)> {
    let path = path.child("matchLabelExpressions");
    let mut known: Vec<(&str, Vec<&str>)> = Vec::new();
    for (at, expression) in term.list_at(&["matchLabelExpressions"]).iter().enumerate() {
        let item = path.index(at);
        let values_path = item.child("values");
        let values: Vec<&str> =
            expression.list_at(&["values"]).iter().filter_map(Value::as_str).collect();
        if values.is_empty() {
            walk.errors.push(FieldError::required(values_path, ""));
        }
        for (at, value) in values.iter().enumerate() {
            if values[..at].contains(value) {
                walk.errors.push(FieldError::duplicate(values_path.index(at), *value));
            }
        }
        let key = text(expression, "key");
        super::metadata::invalid(walk, &item.child("key"), key, names::label_key(key));
        if known.iter().any(|(other, _)| *other == key) {
            walk.errors.push(FieldError::duplicate(item.child("key"), key));
        }
        let mut values = values;
        values.sort_unstable();
        values.dedup();
        known.retain(|(other, _)| *other != key);
        known.push((key, values));
    }
    known.sort_unstable();
    known
}

/// Drivers of a node stay as they were registered, but for how many volumes they allow.
fn csi_drivers_stay<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    let old = field(walk.scope.old, "spec").list_at(&["drivers"]);
    let new = field(here, "spec").list_at(&["drivers"]);
    let bare = |driver: &Value| {
        let mut driver = driver.clone();
        driver.remove(&["allocatable"]);
        driver
    };
    let spec = path.child("spec");
    for old in old {
        for new in new.iter().filter(|new| text(new, "name") == text(old, "name")) {
            let (new, old) = (bare(new), bare(old));
            if shapes::equal(&new, &old, None) {
                continue;
            }
            let shown = match shapes::by_name("CSINodeDriver") {
                Some(shape) => shapes::internal(&new, shape).to_json(),
                None => new.to_json(),
            };
            let at = spec.child("drivers");
            walk.errors.push(FieldError::invalid(at, BadValue::raw(shown), "field is immutable"));
        }
    }
}

/// A qualified name whose case does not matter, and which is shown in lower case.
fn caseless_name<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    let name = here.as_str().unwrap_or_default().to_lowercase();
    for problem in names::label_key(&name) {
        walk.errors.push(FieldError::invalid(path, &name, problem));
    }
}

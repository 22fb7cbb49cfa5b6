//! The Endpoints controller: one v1 Endpoints object for each Service with a selector.
//!
//! It says what the EndpointSlices of the Service's first family say, and no more than a thousand
//! addresses. Ports that the same addresses serve share a subset; subsets, and ports in them,
//! stand in order of a hash of how Go prints them, as the real controller leaves them.

use std::collections::BTreeMap;

use super::Family;
use super::endpoint::flag;
use super::ports::{Port, hash_text, subset_port_text, write_port};
use super::slices::group::Group;
use super::slices::slice::{Entry, Owner};
use crate::base::{Map, Text, Value};
use crate::labels::Labels;
use crate::store::Store;
use crate::store::create::WriteOptions;
use crate::store::delete::DeleteOptions;
use crate::store::update::Part;

/// Addresses in an Endpoints object, at most.
const MOST: usize = 1000;
const OVER_CAPACITY: &str = "endpoints.kubernetes.io/over-capacity";
const MANAGED_BY: &str = "endpoints.kubernetes.io/managed-by";
const HEADLESS: &str = "service.kubernetes.io/headless";

/// Addresses and the ports all of them serve.
#[derive(Clone, Debug, Default, PartialEq)]
struct Subset<'a> {
    ready: Vec<&'a Entry>,
    not_ready: Vec<&'a Entry>,
    ports: Vec<&'a Port>,
}

/// Writes the Endpoints of a Service from its slices.
pub fn write(store: &mut Store, owner: &Owner, family: Family, groups: &[Option<Group>; 2]) {
    let mut subsets = groups[family as usize].as_ref().map_or_else(Vec::new, |group| {
        let ports = owner.body.at(&["spec", "ports"]).and_then(Value::as_list).unwrap_or_default();
        repack(group, flag(&owner.body, "publishNotReadyAddresses"), ports.is_empty())
    });
    sort(&mut subsets);
    let is_cut = truncate(&mut subsets);
    let subsets: Vec<Value> = subsets.iter().map(document).collect();
    let mut fields = Map::new();
    if !subsets.is_empty() {
        fields.insert("subsets", subsets);
    }
    let namespace = owner.body.namespace.map(|id| store.strings.text(id).to_owned());
    let found = store.find(store.kinds.endpoints, namespace.as_deref(), &owner.name);
    let labels = labels(store, owner);
    if let Some(id) = found {
        let body = store.body(id).expect("just found");
        let own = store.sets.get(body.labels);
        let own: Map = own.pairs().map(|(key, value)| (key.into(), value.into())).collect();
        if own == labels && body.annotation(OVER_CAPACITY).is_some() == is_cut {
            store.replace_made(id, fields);
            return;
        }
    }
    let kept = found.and_then(|id| store.body(id)?.meta.get("annotations").cloned());
    let mut annotations = kept.as_ref().and_then(Value::as_map).cloned().unwrap_or_default();
    annotations.remove(OVER_CAPACITY);
    if is_cut {
        annotations.insert(OVER_CAPACITY, "truncated");
    }
    let mut meta = Map::new();
    meta.insert("name", owner.name.clone());
    meta.insert("labels", labels);
    meta.insert("annotations", annotations);
    if let Some(namespace) = namespace {
        meta.insert("namespace", namespace);
    }
    fields.insert("apiVersion", "v1");
    fields.insert("kind", "Endpoints");
    fields.insert("metadata", meta);
    let options = WriteOptions::default();
    // In a namespace that is going there are no new ones.
    let _ = match found {
        Some(_) => store.update(fields.into(), Part::Whole, &options),
        None => store.create(fields.into(), &options),
    };
}

/// Deletes the Endpoints of a Service that is gone.
pub fn forget(store: &mut Store, namespace: &str, name: &str) {
    if let Some(id) = store.find(store.kinds.endpoints, Some(namespace), name) {
        store.delete(id, &DeleteOptions::default()).expect("a delete without preconditions");
    }
}

fn labels(store: &Store, owner: &Owner) -> Map {
    let own = store.sets.get(owner.body.labels);
    let mut labels: Map = own.pairs().map(|(key, value)| (key.into(), value.into())).collect();
    labels.remove(HEADLESS);
    if owner.is_headless() {
        labels.insert(HEADLESS, "");
    }
    labels.insert(MANAGED_BY, "endpoint-controller");
    labels
}

/// The subsets, each with the ports that the same addresses serve. Addresses that serve none
/// count only where the Service has no ports either.
fn repack(group: &Group, publish: bool, portless: bool) -> Vec<Subset<'_>> {
    let is_listed = |entry: &&Entry| publish || !entry.is("terminating");
    let mut by_port: BTreeMap<Option<&Port>, Vec<&Entry>> = BTreeMap::new();
    for slice in &group.slices {
        let listed = || slice.entries.iter().filter(is_listed);
        if slice.ports.is_empty() && portless {
            by_port.entry(None).or_default().extend(listed());
        }
        for port in &slice.ports {
            by_port.entry(Some(port)).or_default().extend(listed());
        }
    }
    let mut packed: Vec<(Vec<&Entry>, Vec<&Port>)> = Vec::new();
    for (port, mut entries) in by_port {
        if entries.is_empty() {
            continue;
        }
        entries.sort_unstable_by_key(|entry| order(entry));
        match packed.iter_mut().find(|(known, _)| same(known, &entries)) {
            Some((_, ports)) => ports.extend(port),
            None => packed.push((entries, port.into_iter().collect())),
        }
    }
    let mut subsets = Vec::with_capacity(packed.len());
    for (entries, ports) in packed {
        let (ready, not_ready) =
            entries.into_iter().partition(|entry| publish || entry.is("serving"));
        subsets.push(Subset { ready, not_ready, ports });
    }
    subsets
}

fn same(one: &[&Entry], other: &[&Entry]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one.pod == other.pod)
}

/// Addresses are in order of their text, then of the uid.
fn order(entry: &Entry) -> (&str, &str) {
    (address(entry), text(entry, &["targetRef", "uid"]))
}

fn address(entry: &Entry) -> &str {
    entry.value.list_at(&["addresses"]).first().and_then(Value::as_str).unwrap_or_default()
}

fn text<'a>(entry: &'a Entry, path: &[&str]) -> &'a str {
    entry.value.str_at(path).unwrap_or_default()
}

fn sort(subsets: &mut Vec<Subset>) {
    for subset in subsets.iter_mut().filter(|subset| subset.ports.len() > 1) {
        let printed =
            |port: &&Port| hash_text(&format!("(v1.EndpointPort){}", subset_port_text(port)));
        subset.ports.sort_by_cached_key(printed);
    }
    if subsets.len() > 1 {
        subsets.sort_by_cached_key(|subset| hash_text(&subset_text(subset)));
    }
}

/// A subset as Go prints it.
fn subset_text(subset: &Subset) -> String {
    let list = |items: Vec<String>| match items.as_slice() {
        [] => "<nil>".to_owned(),
        _ => format!("[{}]", items.join(" ")),
    };
    let addresses =
        |entries: &[&Entry]| list(entries.iter().map(|entry| address_text(entry)).collect());
    format!(
        "(v1.EndpointSubset){{Addresses:([]v1.EndpointAddress){} \
         NotReadyAddresses:([]v1.EndpointAddress){} Ports:([]v1.EndpointPort){}}}",
        addresses(&subset.ready),
        addresses(&subset.not_ready),
        list(subset.ports.iter().map(|port| subset_port_text(port)).collect()),
    )
}

fn address_text(entry: &Entry) -> String {
    let reference = |field: &str| text(entry, &["targetRef", field]);
    format!(
        "{{IP:(string){} Hostname:(string){} NodeName:(*string){} \
         TargetRef:(*v1.ObjectReference){{Kind:(string)Pod Namespace:(string){} Name:(string){} \
         UID:(types.UID){} APIVersion:(string) ResourceVersion:(string) FieldPath:(string)}}}}",
        address(entry),
        text(entry, &["hostname"]),
        text(entry, &["nodeName"]),
        reference("namespace"),
        reference("name"),
        reference("uid"),
    )
}

/// Leaves a thousand addresses, each subset its share; ready ones come first.
fn truncate(subsets: &mut [Subset]) -> bool {
    let ready: usize = subsets.iter().map(|subset| subset.ready.len()).sum();
    let not_ready: usize = subsets.iter().map(|subset| subset.not_ready.len()).sum();
    if ready + not_ready <= MOST {
        return false;
    }
    let cuts_ready = ready > MOST;
    let (most, total) = if cuts_ready { (MOST, ready) } else { (MOST - ready, not_ready) };
    let mut left = most;
    for subset in subsets {
        if cuts_ready {
            subset.not_ready.clear();
        }
        let list = if cuts_ready { &mut subset.ready } else { &mut subset.not_ready };
        let share = (list.len() as f64 / total as f64 * most as f64).ceil() as usize;
        list.truncate(share.min(left));
        left -= list.len();
    }
    true
}

fn document(subset: &Subset) -> Value {
    let mut made = Map::new();
    let addresses = |entries: &[&Entry]| -> Vec<Value> {
        entries.iter().map(|entry| address_document(entry)).collect()
    };
    for (field, entries) in [("addresses", &subset.ready), ("notReadyAddresses", &subset.not_ready)]
    {
        if !entries.is_empty() {
            made.insert(field, addresses(entries));
        }
    }
    let port = |port: &&Port| {
        let mut made = write_port(port);
        if port.0.is_empty() {
            made.remove(&["name"]);
        }
        made
    };
    if !subset.ports.is_empty() {
        made.insert("ports", subset.ports.iter().map(port).collect::<Vec<Value>>());
    }
    made.into()
}

fn address_document(entry: &Entry) -> Value {
    let mut made = Map::new();
    made.insert("ip", Text::from(address(entry)));
    for field in ["hostname", "nodeName", "targetRef"] {
        if let Some(value) = entry.value.get(field) {
            made.insert(field, value.clone());
        }
    }
    made.into()
}

//! One EndpointSlice as the controller keeps it, and the document it writes.

use serde::{Deserialize, Serialize};

use super::super::Family;
use super::super::ports::{PortList, read_port, sort_ports, write_port};
use super::super::table::SERVICE_NAME;
use crate::base::{Map, Text, Value};
use crate::labels::Labels;
use crate::store::create::WriteOptions;
use crate::store::delete::DeleteOptions;
use crate::store::update::Part;
use crate::store::{Body, ObjectId, Store};

/// Endpoints per slice, at most.
pub const SLICE_MAX: usize = 100;

/// The label that says who writes a slice.
pub const MANAGED_BY: &str = "endpointslice.kubernetes.io/managed-by";
/// This controller's name there.
pub const MANAGER: &str = "endpointslice-controller.k8s.io";
const HEADLESS: &str = "service.kubernetes.io/headless";

/// A pod in a slice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The pod's slot.
    pub pod: u32,
    /// The pod's name, by which new endpoints are put in order.
    pub name: Text,
    /// Whether new connections go to it.
    pub ready: bool,
    /// The endpoint without hints.
    pub value: Value,
    /// Its hints.
    pub hints: Option<Value>,
}

impl Entry {
    /// Whether it is the same endpoint, though its state may differ.
    pub fn is_same(&self, other: &Self) -> bool {
        let same = |field| self.value.get(field) == other.value.get(field);
        self.name == other.name && same("addresses") && same("hostname")
    }

    /// One of its conditions.
    pub fn is(&self, condition: &str) -> bool {
        self.value.at(&["conditions", condition]) == Some(&Value::Bool(true))
    }

    /// The zone or node it has.
    pub fn place(&self, field: &'static str) -> Option<&str> {
        self.value.get(field)?.as_str()
    }
}

/// What has to be done about a slice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Need {
    /// Nothing.
    #[default]
    Nothing,
    /// It is written.
    Write,
    /// It goes.
    Delete,
}

/// One slice.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Slice {
    /// The object, once there is one.
    pub id: Option<ObjectId>,
    /// What all its endpoints serve.
    pub ports: PortList,
    /// Its endpoints, in the order they came.
    pub entries: Vec<Entry>,
    /// What has to be done.
    pub need: Need,
    /// Its labels may be others by now.
    pub relabelled: bool,
}

impl Slice {
    /// The slice a document describes, with the pods that are still there.
    pub fn read(store: &Store, id: ObjectId, document: &Body) -> Self {
        let namespace = document.namespace.map(|id| store.strings.text(id));
        let list = |field| document.at(&[field]).and_then(Value::as_list).unwrap_or_default();
        let mut entries = Vec::new();
        let mut need = Need::Nothing;
        for endpoint in list("endpoints") {
            let name = endpoint.str_at(&["targetRef", "name"]);
            let Some(pod) = name.and_then(|pod| store.find(store.kinds.pod, namespace, pod)) else {
                need = Need::Write;
                continue;
            };
            let mut value = endpoint.clone();
            let hints = value.remove(&["hints"]);
            entries.push(Entry {
                pod: pod.slot,
                name: name.unwrap_or_default().into(),
                ready: value.at(&["conditions", "ready"]) == Some(&Value::Bool(true)),
                value,
                hints,
            });
        }
        let mut ports: PortList = list("ports").iter().map(read_port).collect();
        sort_ports(&mut ports);
        Self { id: Some(id), ports, entries, need, relabelled: true }
    }

    /// Whether it has room.
    pub fn has_room(&self) -> bool {
        self.entries.len() < SLICE_MAX
    }

    /// Writes the object, or what became of it.
    pub fn write(&mut self, store: &mut Store, owner: &Owner, family: Family) {
        self.need = Need::Nothing;
        let relabelled = std::mem::take(&mut self.relabelled);
        let found = self.id.filter(|id| store.exists(*id));
        if let Some(id) = found.filter(|_| !relabelled) {
            store.replace_made(id, self.fields(family));
            return;
        }
        let mut meta = owner.metadata(store);
        if let Some(id) = found {
            let kept = store.body(id).and_then(|body| body.meta.get("annotations").cloned());
            meta.insert("name", store.name(id).unwrap_or_default());
            if let Some(kept) = kept {
                meta.insert("annotations", kept);
            }
        }
        let mut document = self.fields(family);
        document.insert("apiVersion", "discovery.k8s.io/v1");
        document.insert("kind", "EndpointSlice");
        document.insert("metadata", meta);
        let options = WriteOptions::default();
        let written = match found {
            Some(_) => store.update(document.into(), Part::Whole, &options),
            None => store.create(document.into(), &options),
        };
        // In a namespace that is going there are no new slices.
        self.id = written.ok().map(|written| written.id);
    }

    /// Deletes the object.
    pub fn delete(&self, store: &mut Store) {
        if let Some(id) = self.id.filter(|id| store.exists(*id)) {
            store
                .delete(id, &DeleteOptions::default())
                .expect("a delete without preconditions succeeds");
        }
    }

    /// Everything but the metadata.
    fn fields(&self, family: Family) -> Map {
        let endpoints = self.entries.iter().map(|entry| {
            let mut value = entry.value.clone();
            if let Some(hints) = &entry.hints {
                value.set(&["hints"], hints.clone());
            }
            value
        });
        let list = |items: Vec<Value>| if items.is_empty() { Value::Null } else { items.into() };
        let mut fields = Map::new();
        fields.insert("addressType", family.name());
        fields.insert("endpoints", list(endpoints.collect()));
        fields.insert("ports", list(self.ports.iter().map(write_port).collect()));
        fields
    }
}

/// What slices are named after: the Service's name and a dash, if that fits.
pub fn prefix(service: &str) -> String {
    if service.len() < 253 { format!("{service}-") } else { service.to_owned() }
}

/// The Service slices are made for.
#[derive(Clone, Debug)]
pub struct Owner {
    /// The Service.
    pub id: ObjectId,
    /// Its name.
    pub name: Text,
    /// What it says.
    pub body: std::sync::Arc<Body>,
}

impl Owner {
    /// Whether it has no cluster IP.
    pub fn is_headless(&self) -> bool {
        let address = self.body.at(&["spec", "clusterIP"]).and_then(Value::as_str);
        matches!(address, None | Some("" | "None"))
    }

    /// The labels of its slices: its own, but for those that have a meaning there.
    pub fn labels(&self, store: &Store) -> Map {
        let own = store.sets.get(self.body.labels);
        let reserved = [SERVICE_NAME, MANAGED_BY, HEADLESS];
        let own = own.pairs().filter(|(key, _)| !reserved.contains(key));
        let mut labels: Map = own.map(|(key, value)| (key.into(), value.into())).collect();
        labels.insert(SERVICE_NAME, self.name.clone());
        labels.insert(MANAGED_BY, MANAGER);
        if self.is_headless() {
            labels.insert(HEADLESS, "");
        }
        labels
    }

    /// The metadata of a new slice.
    fn metadata(&self, store: &Store) -> Map {
        let mut meta = Map::new();
        meta.insert("generateName", prefix(&self.name));
        meta.insert("labels", self.labels(store));
        meta.insert("ownerReferences", vec![self.reference(store)]);
        if let Some(namespace) = self.body.namespace {
            meta.insert("namespace", store.strings.text(namespace));
        }
        meta
    }

    fn reference(&self, store: &Store) -> Value {
        Value::map([
            ("apiVersion", Value::from("v1")),
            ("kind", "Service".into()),
            ("name", self.name.clone().into()),
            ("uid", store.uid_text(self.id).unwrap_or_default().into()),
            ("controller", true.into()),
            ("blockOwnerDeletion", true.into()),
        ])
    }
}

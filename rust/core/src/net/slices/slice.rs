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
        Self { id: Some(id), ports, entries, need }
    }

    /// Whether it has room.
    pub fn has_room(&self) -> bool {
        self.entries.len() < SLICE_MAX
    }

    /// Writes the object, or what became of it.
    pub fn write(&mut self, store: &mut Store, owner: &Owner, family: Family) {
        let mut document = self.document(store, owner, family);
        let options = WriteOptions::default();
        let written = match self.id.filter(|id| store.exists(*id)) {
            Some(id) => {
                let kept = store.body(id).and_then(|body| body.meta.get("annotations").cloned());
                document.set(&["metadata", "name"], store.name(id).unwrap_or_default());
                if let Some(kept) = kept {
                    document.set(&["metadata", "annotations"], kept);
                }
                store.update(document, Part::Whole, &options)
            }
            None => store.create(document, &options),
        };
        // In a namespace that is going there are no new slices.
        self.id = written.ok().map(|written| written.id);
        self.need = Need::Nothing;
    }

    /// Deletes the object.
    pub fn delete(&self, store: &mut Store) {
        if let Some(id) = self.id.filter(|id| store.exists(*id)) {
            store
                .delete(id, &DeleteOptions::default())
                .expect("a delete without preconditions succeeds");
        }
    }

    fn document(&self, store: &Store, owner: &Owner, family: Family) -> Value {
        let mut meta = Map::new();
        meta.insert("generateName", prefix(&owner.name));
        meta.insert("labels", owner.labels(store));
        meta.insert("ownerReferences", vec![owner.reference(store)]);
        if let Some(namespace) = owner.body.namespace {
            meta.insert("namespace", store.strings.text(namespace));
        }
        let endpoints = self.entries.iter().map(|entry| {
            let mut value = entry.value.clone();
            if let Some(hints) = &entry.hints {
                value.set(&["hints"], hints.clone());
            }
            value
        });
        let endpoints: Vec<Value> = endpoints.collect();
        let ports: Vec<Value> = self.ports.iter().map(write_port).collect();
        Value::map([
            ("apiVersion", Value::from("discovery.k8s.io/v1")),
            ("kind", "EndpointSlice".into()),
            ("metadata", meta.into()),
            ("addressType", family.name().into()),
            ("ports", ports.into()),
            ("endpoints", endpoints.into()),
        ])
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

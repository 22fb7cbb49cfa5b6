//! From rows and bodies back to documents: what a client reads.

use super::Store;
use super::log::Version;
use super::object::{Body, ObjectId, Row};
use super::pod::PodState;
use super::pod_address::Addresses;
use super::pod_status::{self, Surroundings};
use super::recorder;
use super::shape::Shape;
use crate::api::KindId;
use crate::base::{Map, Nanos, Value};
use crate::labels::Labels;

impl Store {
    /// The whole object, if it still exists.
    pub fn get(&self, id: ObjectId) -> Option<Value> {
        if let Some(number) = recorder::engine_number(self, id) {
            return self.render_event(number);
        }
        let row = self.row(id)?;
        let pod = (id.kind == self.kinds.pod).then(|| self.pod(id.slot));
        Some(self.render(id.kind, row, pod, row.revision))
    }

    /// An object as an earlier write left it, stamped with that write's resourceVersion.
    pub fn render_version(&self, kind: KindId, version: &Version, revision: u64) -> Value {
        self.render(kind, &version.row, version.pod.as_ref(), revision)
    }

    /// The document of a row; `pod` is the state of a pod.
    pub fn render(&self, kind: KindId, row: &Row, pod: Option<&PodState>, revision: u64) -> Value {
        let body = row.body.as_ref().expect("only occupied rows are read");
        let named = self.registry.kind(kind);
        let version = &named.versions[usize::from(body.version).min(named.versions.len() - 1)];
        let mut object: Map = (*body.doc).clone();
        object.insert("apiVersion", named.api_version(version));
        object.insert("kind", named.id.kind.clone());
        object.insert("metadata", self.render_meta(row, body, revision));
        match pod {
            Some(pod) => self.render_pod(row, body, pod, &mut object),
            None if !body.status.is_null() => {
                object.insert("status", body.status.clone());
            }
            None => {}
        }
        object.into()
    }

    /// `metadata` of a row.
    pub fn render_meta(&self, row: &Row, body: &Body, revision: u64) -> Map {
        let mut meta: Map = (*body.meta).clone();
        meta.insert("name", row.name.text(&self.strings));
        if let Some(namespace) = body.namespace {
            meta.insert("namespace", self.strings.text(namespace));
        }
        if let Some(uid) = row.uid {
            meta.insert("uid", self.uids.text(uid));
        }
        meta.insert("resourceVersion", revision.to_string());
        meta.insert("creationTimestamp", row.created.to_string());
        if row.generation > 0 {
            meta.insert("generation", i64::from(row.generation));
        }
        if let Some(deletion) = &row.deletion {
            meta.insert("deletionTimestamp", deletion.time.to_string());
            meta.insert("deletionGracePeriodSeconds", deletion.grace_seconds);
        }
        let labels: Map = self
            .sets
            .get(body.labels)
            .pairs()
            .map(|(key, value)| (key.into(), value.into()))
            .collect();
        if !labels.is_empty() {
            meta.insert("labels", labels);
        }
        meta
    }

    /// What a pod's columns add to its document.
    fn render_pod(&self, row: &Row, body: &Body, pod: &PodState, object: &mut Map) {
        if let Some(node) = pod.node {
            object.entry("spec").map_mut().insert("nodeName", self.strings.text(node));
        }
        if !body.status.is_null() {
            object.insert("status", body.status.clone());
            return;
        }
        let empty = Value::Null;
        let host_ips = pod
            .node
            .map_or_else(Addresses::new, |node| self.node_addresses(self.strings.text(node)));
        let shape = self.shape(body);
        let pod_ips = if shape.host_network { host_ips.clone() } else { self.own_addresses(pod) };
        let around = Surroundings {
            spec: body.doc.get("spec").unwrap_or(&empty),
            qos_class: shape.qos.name(),
            generation: i64::from(row.generation),
            identity: row.uid.map_or(0, |uid| self.uids.identity(uid)),
            host_network: shape.host_network,
            host_ips,
            pod_ips,
            deleted_at: row
                .deletion
                .as_ref()
                .map(|deletion| deletion.time.after(Nanos::from_secs(-deletion.grace_seconds))),
        };
        object.insert("status", pod_status::render(pod, &around, &self.strings));
    }

    /// What the spec of a pod's body asks, compiled on first use.
    pub fn shape<'a>(&self, body: &'a Body) -> &'a std::sync::Arc<Shape> {
        body.shape.get_or_init(|| std::sync::Arc::new(Shape::compile(body)))
    }
}

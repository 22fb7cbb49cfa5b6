//! The Service every cluster has: `default/kubernetes`, the way to the API server.
//!
//! The API server writes three objects and looks after them every ten seconds: the Service, made
//! again when it is gone and otherwise left alone; its Endpoints and EndpointSlice, which are put
//! right. Here it looks when one of them is no longer as it was left, at the next of those
//! seconds, so that a cluster where nobody touches them pays a comparison per instant.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::consumer::phase;
use super::{Event, World};
use crate::api::KindId;
use crate::base::ip::{Family, parse_ip};
use crate::base::{Map, Nanos, Time, Value};
use crate::store::create::WriteOptions;
use crate::store::update::Part;
use crate::store::{ObjectId, Store};

/// The name of all three.
pub const NAME: &str = "kubernetes";
/// Where it is.
const NAMESPACE: &str = "default";
/// The port of the Service.
const PORT: i64 = 443;
/// The port of the API server.
pub const SERVER_PORT: i64 = 6443;
/// How often the API server looks.
const PERIOD_SECONDS: i64 = 10;

/// What was last found or left.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ControlPlane {
    /// The objects and their versions.
    left: Vec<(ObjectId, u64)>,
    /// `subsets` of the Endpoints: where the API server is.
    subsets: Value,
    /// When the first look was.
    started: Time,
    /// A look is arranged.
    arranged: bool,
}

impl ControlPlane {
    /// Whether an object is no longer as it was left.
    fn is_disturbed(&self, store: &Store) -> bool {
        let as_left = |(id, revision): &(ObjectId, u64)| {
            store.row(*id).map(|row| row.revision) == Some(*revision)
        };
        !self.left.iter().all(as_left)
    }
}

impl World {
    /// The first look, at the beginning.
    pub(super) fn start_control_plane(&mut self) {
        self.control_plane.started = self.store.now;
        self.control_plane.subsets = subsets(self.store.ranges.api_server);
        self.look_after_kubernetes();
    }

    /// After objects of a dump were put back: what they say of the API server counts from now on.
    pub fn adopt_control_plane(&mut self) {
        let store = &self.store;
        let found = store.find(store.kinds.endpoints, Some(NAMESPACE), NAME);
        let found = found.and_then(|id| store.get(id));
        let subsets = found.and_then(|endpoints| endpoints.get("subsets").cloned());
        if let Some(subsets) = subsets.filter(|subsets| !subsets.is_empty()) {
            self.control_plane.subsets = subsets;
        }
        self.note_what_is_left();
    }

    /// At the end of an instant: arranges a look when there is something to see.
    pub(super) fn watch_kubernetes(&mut self) {
        if self.control_plane.arranged || !self.control_plane.is_disturbed(&self.store) {
            return;
        }
        self.control_plane.arranged = true;
        let elapsed = self.store.now.since(self.control_plane.started).0;
        let period = Nanos::from_secs(PERIOD_SECONDS).0;
        let next = self.control_plane.started.after(Nanos((elapsed / period + 1) * period));
        self.schedule(next, phase::ADMISSION, Event::ControlPlane);
    }

    /// Puts the objects right.
    pub(super) fn look_after_kubernetes(&mut self) {
        self.control_plane.arranged = false;
        let subsets = self.control_plane.subsets.clone();
        let kinds = &self.store.kinds;
        let (service, endpoints, slice) = (kinds.service, kinds.endpoints, kinds.endpoint_slice);
        self.make(service, service_object(&self.store));
        self.put(endpoints, endpoints_object(&subsets), |found| {
            let label = ["metadata", "labels", SKIP_MIRROR];
            found.str_at(&label) == Some("true") && found.get("subsets") == Some(&subsets)
        });
        let made = slice_object(&subsets);
        self.put(slice, made.clone(), |found| {
            let labels = ["metadata", "labels"];
            found.at(&labels) == made.at(&labels)
                && ["addressType", "endpoints", "ports"]
                    .iter()
                    .all(|part| found.get(part) == made.get(part))
        });
        self.note_what_is_left();
    }

    fn note_what_is_left(&mut self) {
        let store = &self.store;
        let kinds = [store.kinds.service, store.kinds.endpoints, store.kinds.endpoint_slice];
        let left = kinds.into_iter().filter_map(|kind| {
            let id = store.find(kind, Some(NAMESPACE), NAME)?;
            Some((id, store.row(id)?.revision))
        });
        self.control_plane.left = left.collect();
    }

    /// Creates an object that is not there.
    fn make(&mut self, kind: KindId, object: Value) {
        if self.store.find(kind, Some(NAMESPACE), NAME).is_none() {
            // In a namespace that is going, or with an address that is taken, there is none.
            let _ = self.store.create(object, &WriteOptions::default());
        }
    }

    /// Creates an object, or replaces one that is not `right`; what else its Endpoints have stays.
    fn put(&mut self, kind: KindId, object: Value, right: impl Fn(&Value) -> bool) {
        let Some(id) = self.store.find(kind, Some(NAMESPACE), NAME) else {
            return self.make(kind, object);
        };
        let found = self.store.get(id).expect("just found");
        if right(&found) {
            return;
        }
        let mut wanted = object;
        if kind == self.store.kinds.endpoints {
            let mut kept = found;
            kept.set(&["metadata", "labels", SKIP_MIRROR], "true");
            kept.set(&["subsets"], wanted.get("subsets").cloned().unwrap_or_default());
            wanted = kept;
        } else if found.get("addressType") != wanted.get("addressType") {
            let options = crate::store::delete::DeleteOptions::default();
            let _ = self.store.delete(id, &options);
            return self.make(kind, wanted);
        }
        let _ = self.store.update(wanted, Part::Whole, &WriteOptions::default());
    }
}

const SKIP_MIRROR: &str = "endpointslice.kubernetes.io/skip-mirror";
const SERVICE_NAME: &str = "kubernetes.io/service-name";

fn object(version: &str, kind: &str, labels: &[(&str, &str)]) -> Map {
    let labels: Map = labels.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
    let mut made = Map::new();
    made.insert("apiVersion", version);
    made.insert("kind", kind);
    made.insert(
        "metadata",
        Value::map([
            ("name", Value::from(NAME)),
            ("namespace", NAMESPACE.into()),
            ("labels", labels.into()),
        ]),
    );
    made
}

fn port(number: i64) -> Map {
    let mut port = Map::new();
    port.insert("name", "https");
    port.insert("port", number);
    port.insert("protocol", "TCP");
    port
}

fn service_object(store: &Store) -> Value {
    let labels = [("component", "apiserver"), ("provider", "kubernetes")];
    let mut made = object("v1", "Service", &labels);
    let mut port = port(PORT);
    port.insert("targetPort", SERVER_PORT);
    let address = store.ranges.kubernetes();
    let text = address.to_string();
    let one = |text: &str| Value::from(vec![Value::from(text)]);
    let spec = Value::map([
        ("clusterIP", Value::from(text.as_str())),
        ("clusterIPs", one(&text)),
        ("internalTrafficPolicy", "Cluster".into()),
        ("ipFamilies", one(Family::of(address).name())),
        ("ipFamilyPolicy", "SingleStack".into()),
        ("ports", vec![Value::from(port)].into()),
        ("sessionAffinity", "None".into()),
        ("type", "ClusterIP".into()),
    ]);
    made.insert("spec", spec);
    made.insert("status", Value::map([("loadBalancer", Map::new().into())]));
    made.into()
}

fn subsets(address: IpAddr) -> Value {
    let address = Value::map([("ip", Value::from(address.to_string()))]);
    let subset = Value::map([
        ("addresses", Value::from(vec![address])),
        ("ports", vec![Value::from(port(SERVER_PORT))].into()),
    ]);
    vec![subset].into()
}

fn endpoints_object(subsets: &Value) -> Value {
    let mut made = object("v1", "Endpoints", &[(SKIP_MIRROR, "true")]);
    made.insert("subsets", subsets.clone());
    made.into()
}

/// The slice of the first subset: its addresses of one family, IPv6 only if all are.
fn slice_object(subsets: &Value) -> Value {
    let labels = [(SERVICE_NAME, NAME)];
    let mut made = object("discovery.k8s.io/v1", "EndpointSlice", &labels);
    let first = subsets.as_list().and_then(<[Value]>::first);
    let addresses = first.map(|subset| subset.list_at(&["addresses"])).unwrap_or_default();
    let texts: Vec<&str> = addresses.iter().filter_map(|one| one.str_at(&["ip"])).collect();
    let family = |text: &&str| parse_ip(text).map_or(Family::V4, Family::of);
    let all_six = !texts.is_empty() && texts.iter().all(|text| family(text) == Family::V6);
    let of = if all_six { Family::V6 } else { Family::V4 };
    let endpoints = texts.iter().filter(|text| family(text) == of).map(|text| {
        Value::map([
            ("addresses", Value::from(vec![Value::from(*text)])),
            ("conditions", Value::map([("ready", true.into())])),
        ])
    });
    made.insert("addressType", of.name());
    made.insert("endpoints", endpoints.collect::<Vec<Value>>());
    let ports = first.and_then(|subset| subset.get("ports")).cloned();
    made.insert("ports", ports.unwrap_or_default());
    made.into()
}

//! Claims, volumes and storage classes as the volume plugins read them: straight from the store.

use super::events::Resource;
use crate::api::KindId;
use crate::base::{Quantity, StrId, Value};
use crate::labels::{LabelSetId, LabelSets};
use crate::store::object::Body;
use crate::store::{ObjectId, Store};

/// The provisioner of classes whose volumes somebody makes by hand.
const NO_PROVISIONER: &str = "kubernetes.io/no-provisioner";
const CLASS_BETA: &str = "volume.beta.kubernetes.io/storage-class";
const BIND_COMPLETED: &str = "pv.kubernetes.io/bind-completed";
/// The node a claim's volume is to be made for.
pub const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";

/// The kinds of objects that have to do with volumes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StorageKinds {
    /// `PersistentVolumeClaim`.
    pub claim: KindId,
    /// `PersistentVolume`.
    pub volume: KindId,
    /// `StorageClass`.
    pub class: KindId,
    /// `CSINode`.
    pub csi_node: KindId,
    /// `CSIDriver`.
    pub driver: KindId,
    /// `CSIStorageCapacity`.
    pub capacity: KindId,
    /// `VolumeAttachment`.
    pub attachment: KindId,
}

impl StorageKinds {
    /// The kinds of a store.
    pub fn of(store: &Store) -> Self {
        let kind = |group: &str, kind: &str| {
            store.registry.kind_id(group, kind).unwrap_or_else(|| panic!("{kind} is built in"))
        };
        let storage = |name| kind("storage.k8s.io", name);
        Self {
            claim: kind("", "PersistentVolumeClaim"),
            volume: kind("", "PersistentVolume"),
            class: storage("StorageClass"),
            csi_node: storage("CSINode"),
            driver: storage("CSIDriver"),
            capacity: storage("CSIStorageCapacity"),
            attachment: storage("VolumeAttachment"),
        }
    }
}

impl StorageKinds {
    /// What events call a kind.
    pub fn resource(&self, kind: KindId) -> Option<Resource> {
        let all = [
            (self.claim, Resource::Claim),
            (self.volume, Resource::Volume),
            (self.class, Resource::Class),
            (self.csi_node, Resource::CsiNode),
            (self.driver, Resource::Driver),
            (self.capacity, Resource::Capacity),
            (self.attachment, Resource::Attachment),
        ];
        all.into_iter().find(|(have, _)| *have == kind).map(|(_, resource)| resource)
    }
}

/// The objects that have to do with volumes.
#[derive(Clone, Copy)]
pub struct Storage<'a> {
    /// Every object.
    pub store: &'a Store,
    /// The kinds.
    pub kinds: StorageKinds,
}

/// One of them.
#[derive(Clone, Copy)]
pub struct Object<'a> {
    /// Which one.
    pub id: ObjectId,
    /// What it says.
    pub body: &'a Body,
    store: &'a Store,
}

impl<'a> Storage<'a> {
    /// What a store has.
    pub fn new(store: &'a Store) -> Self {
        Self { store, kinds: StorageKinds::of(store) }
    }

    fn find(&self, kind: KindId, namespace: Option<StrId>, name: &str) -> Option<Object<'a>> {
        let namespace = namespace.map(|id| self.store.strings.text(id));
        let id = self.store.find(kind, namespace, name)?;
        Some(Object { id, body: self.store.body(id)?, store: self.store })
    }

    /// The claim of this name.
    pub fn claim(&self, namespace: Option<StrId>, name: &str) -> Option<Object<'a>> {
        self.find(self.kinds.claim, namespace, name)
    }

    /// The volume of this name.
    pub fn volume(&self, name: &str) -> Option<Object<'a>> {
        self.find(self.kinds.volume, None, name)
    }

    /// The storage class of this name.
    pub fn class(&self, name: &str) -> Option<Object<'a>> {
        self.find(self.kinds.class, None, name)
    }

    /// What is known of a node's drivers.
    pub fn csi_node(&self, node: &str) -> Option<Object<'a>> {
        self.find(self.kinds.csi_node, None, node)
    }

    /// The driver of this name.
    pub fn driver(&self, name: &str) -> Option<Object<'a>> {
        self.find(self.kinds.driver, None, name)
    }

    /// How many objects of a kind there are.
    pub fn count(&self, kind: KindId) -> usize {
        self.store.table(kind).len()
    }

    /// Every object of a kind.
    pub fn all(&self, kind: KindId) -> impl Iterator<Item = Object<'a>> + use<'a> {
        let store = self.store;
        let table = store.table(kind);
        table.iter().filter_map(move |(slot, row)| {
            let body = row.body.as_deref()?;
            Some(Object { id: table.id(kind, slot), body, store })
        })
    }
}

impl<'a> Object<'a> {
    /// A text at a path; empty when there is none.
    pub fn text(&self, path: &[&str]) -> &'a str {
        self.body.at(path).and_then(Value::as_str).unwrap_or_default()
    }

    /// The texts of a list.
    pub fn texts(&self, path: &[&str]) -> impl Iterator<Item = &'a str> + use<'a> {
        let list = self.body.at(path).and_then(Value::as_list).unwrap_or_default();
        list.iter().filter_map(Value::as_str)
    }

    /// A list at a path.
    pub fn list(&self, path: &[&str]) -> &'a [Value] {
        self.body.at(path).and_then(Value::as_list).unwrap_or_default()
    }

    /// A quantity; nothing when it is absent or none.
    pub fn quantity(&self, path: &[&str]) -> Option<Quantity> {
        self.body.at(path).and_then(|value| Quantity::from_value(value).ok())
    }

    /// `metadata.name`.
    pub fn name(&self) -> crate::base::Text {
        self.store.name(self.id).unwrap_or_default()
    }

    /// `metadata.uid`.
    pub fn uid(&self) -> String {
        self.store.uid_text(self.id).unwrap_or_default()
    }

    /// `metadata.namespace`.
    pub fn namespace(&self) -> &'a str {
        self.body.namespace.map_or("", |id| self.store.strings.text(id))
    }

    /// Whether it is being deleted.
    pub fn is_deleted(&self) -> bool {
        self.store.row(self.id).is_some_and(|row| row.deletion.is_some())
    }

    /// `status.phase`.
    pub fn phase(&self) -> &'a str {
        self.body.status.str_at(&["phase"]).unwrap_or_default()
    }

    /// The storage class of a claim or of a volume; empty for none.
    pub fn class(&self) -> &'a str {
        self.body.annotation(CLASS_BETA).unwrap_or_else(|| self.text(&["spec", "storageClassName"]))
    }

    /// The volume a claim has.
    pub fn volume_name(&self) -> &'a str {
        self.text(&["spec", "volumeName"])
    }

    /// Whether a claim and its volume are bound to each other.
    pub fn is_fully_bound(&self) -> bool {
        !self.volume_name().is_empty() && self.body.annotation(BIND_COMPLETED).is_some()
    }

    /// What a claim asks for.
    pub fn requested(&self) -> Quantity {
        self.quantity(&["spec", "resources", "requests", "storage"]).unwrap_or(Quantity::ZERO)
    }

    /// Whether the volumes of a class are bound when a pod needs them.
    pub fn waits_for_consumer(&self) -> bool {
        self.text(&["volumeBindingMode"]) == "WaitForFirstConsumer"
    }

    /// Who makes volumes of a class, if anybody does.
    pub fn provisioner(&self) -> Option<&'a str> {
        Some(self.text(&["provisioner"])).filter(|name| !name.is_empty() && *name != NO_PROVISIONER)
    }

    /// Whether a volume is meant for a claim.
    pub fn is_bound_to(&self, claim: &Self) -> bool {
        let reference = |field| self.text(&["spec", "claimRef", field]);
        let uid = reference("uid");
        reference("name") == claim.name()
            && reference("namespace") == claim.namespace()
            && (uid.is_empty() || uid == claim.uid())
    }

    /// Whether a class lets volumes be made for a node with these labels.
    pub fn allows_topology(&self, sets: &LabelSets, labels: LabelSetId) -> bool {
        use crate::labels::Labels;
        let terms = self.list(&["allowedTopologies"]);
        let labels = sets.get(labels);
        let holds = |expression: &Value| {
            let value = labels.value_of(expression.str_at(&["key"]).unwrap_or_default());
            let mut values = expression.list_at(&["values"]).iter().filter_map(Value::as_str);
            value.is_some_and(|value| values.any(|allowed| allowed == value))
        };
        terms.is_empty()
            || terms.iter().any(|term| {
                let expressions = term.list_at(&["matchLabelExpressions"]);
                !expressions.is_empty() && expressions.iter().all(holds)
            })
    }
}

/// What the API says of an object that does not exist.
pub fn not_found(resource: &str, name: &str) -> String {
    format!("{resource} \"{name}\" not found")
}

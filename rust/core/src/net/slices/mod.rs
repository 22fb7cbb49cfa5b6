//! The EndpointSlice controller: slices follow Services and pods, at the cost of what changed.
//!
//! For each Service with a selector the controller keeps which pod is in which slice, one
//! [`group`] of slices per family. A pod's change finds its Services through the reverse index of
//! selectors and touches the slices it is in; [`slice`] says how one is written, once per turn.
//! [`hints`] says whom endpoints are meant for, [`topology`] what zones have. The Endpoints of
//! the same Services are written beside, by [`super::subsets`]; Endpoints of Services without a
//! selector become slices by [`super::mirror`].

pub mod group;
pub mod hints;
pub mod slice;
pub mod topology;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use self::group::Group;
use self::hints::{Mode, Zones};
use self::slice::{Entry, MANAGED_BY, MANAGER, Need, Owner, Slice};
use self::topology::{Topology, is_ready};
use super::Family;
use super::endpoint::{endpoint_of, zone_of};
use super::table::SERVICE_NAME;
use super::{mirror, subsets};
use crate::base::{CowMap, Map, Text, Value};
use crate::labels::{Labels, Posting, Selector, SelectorIndex};
use crate::store::log::{Entry as Logged, Verb};
use crate::store::recorder::Said;
use crate::store::{Body, Store};

/// The component whose events these are.
const COMPONENT: &str = "endpoint-slice-controller";

/// The controller's state.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct EndpointSlices {
    /// Selectors of the Services, by slot; computed anew after loading.
    #[serde(skip)]
    selectors: SelectorIndex,
    services: CowMap<u32, Arc<Service>>,
    topology: Topology,
    /// Services hinted in proportion to CPUs.
    by_share: BTreeSet<u32>,
    /// Versions of slices and Endpoints written here and not yet read back.
    written: BTreeSet<u64>,
}

/// What is kept about one Service.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Service {
    generation: u32,
    /// The slices by family, for the families it has.
    groups: [Option<Group>; 2],
    /// The labels its slices have.
    labels: Map,
    /// How its endpoints are hinted, once they are.
    mode: Option<Mode>,
    /// How many endpoints are hinted at each zone, by share.
    zones: [Zones; 2],
    /// Hints by share were announced.
    hinted: bool,
}

/// What a turn has to do: pods to look at, by Service.
type Dirty = BTreeMap<u32, BTreeSet<u32>>;

impl EndpointSlices {
    /// Reads the selectors of all known Services from the store, after loading.
    pub fn rebuild(&mut self, store: &Store) {
        for (slot, row) in store.table(store.kinds.service).iter() {
            let body = row.body.as_ref().expect("occupied");
            if let Some(selector) = selector(body).filter(|_| self.services.get(&slot).is_some()) {
                self.selectors.add(slot, body.namespace, selector);
            }
        }
    }

    /// Takes in the log entries `(from, to]` and writes what follows.
    pub fn sync(&mut self, store: &mut Store, from: u64, to: u64) {
        let mut dirty = Dirty::new();
        let mut changed: BTreeSet<u32> = BTreeSet::new();
        let mut moved = false;
        let mut gone = BTreeSet::new();
        let mut mirrored = BTreeSet::new();
        for revision in from + 1..=to {
            let Some(entry) = store.log().get(revision) else { continue };
            let id = entry.id();
            let kinds = &store.kinds;
            if id.kind == kinds.service {
                if entry.verb == Verb::Deleted {
                    self.forget(id.slot);
                    gone.extend(named(store, entry));
                }
                mirrored.extend(Self::by_hand(store, entry));
                changed.insert(id.slot);
            } else if id.kind == kinds.pod && !self.selectors.is_empty() {
                self.pod_changed(store, entry, &mut dirty);
            } else if id.kind == kinds.node {
                moved |= self.node_changed(store, entry, &mut dirty);
            } else if (id.kind == kinds.endpoint_slice || id.kind == kinds.endpoints)
                && !self.written.remove(&revision)
            {
                changed.extend(self.disturbed(store, entry));
                mirrored.extend(Self::by_hand(store, entry));
            }
        }
        for slot in changed {
            self.service_changed(store, slot, &mut dirty);
        }
        if moved && !self.by_share.is_empty() {
            self.topology = Topology::of(store);
            for slot in self.overloaded() {
                dirty.entry(slot).or_default();
            }
        }
        for (namespace, name) in gone {
            if store.find(store.kinds.service, Some(&namespace), &name).is_none() {
                subsets::forget(store, &namespace, &name);
            }
        }
        for (service, pods) in dirty {
            self.sync_service(store, service, &pods);
        }
        for (namespace, name) in mirrored {
            mirror::sync(store, &namespace, &name);
        }
        // What was written before has been read.
        self.written = self.written.split_off(&(to + 1));
    }

    fn pod_changed(&self, store: &Store, entry: &Logged, dirty: &mut Dirty) {
        let id = entry.id();
        let old = entry.previous.as_ref().and_then(|version| version.row.body.as_ref());
        let now = store.body(id);
        let mut known = None;
        for body in old.into_iter().chain(now) {
            if known.replace((body.namespace, body.labels)) == Some((body.namespace, body.labels)) {
                continue;
            }
            let labels = store.sets.get(body.labels);
            for service in self.selectors.matching(body.namespace, &labels) {
                dirty.entry(service).or_default().insert(id.slot);
            }
        }
    }

    /// A node that came, or moved to another zone: its pods are looked at. Returns whether the
    /// shares of zones may differ.
    fn node_changed(&self, store: &Store, entry: &Logged, dirty: &mut Dirty) -> bool {
        let now = store.body(entry.id());
        let old = entry.previous.as_ref().and_then(|version| version.row.body.as_ref());
        let zone = |node: Option<&Arc<Body>>| node.and_then(|node| zone_of(store, node));
        let ready = |node: Option<&Arc<Body>>| node.is_some_and(|node| is_ready(node));
        let moved = zone(old) != zone(now) || old.is_none();
        if moved && let Some(name) = store.name(entry.id()) {
            let on_node = store.strings.find(&name).and_then(|node| store.pods_on(node));
            for pod in on_node.into_iter().flat_map(Posting::iter) {
                let row = store.table(store.kinds.pod).row(pod).expect("it is on a node");
                let body = row.body.as_ref().expect("occupied");
                let labels = store.sets.get(body.labels);
                for service in self.selectors.matching(body.namespace, &labels) {
                    dirty.entry(service).or_default().insert(pod);
                }
            }
        }
        moved || now.is_none() || ready(old) != ready(now)
    }

    /// The Service whose slice or Endpoints somebody else wrote. What is known of its slices no
    /// longer holds.
    fn disturbed(&mut self, store: &Store, entry: &Logged) -> Option<u32> {
        let old = entry.previous.as_ref().and_then(|version| version.row.body.as_ref());
        let name = match entry.id().kind == store.kinds.endpoints {
            true if entry.verb != Verb::Deleted => return None,
            true => entry.previous.as_ref().map(|version| version.row.name.text(&store.strings))?,
            false => {
                let slices = old.into_iter().chain(store.body(entry.id()));
                let mut labels = slices.map(|slice| store.sets.get(slice.labels));
                let ours = labels.find(|labels| labels.value_of(MANAGED_BY) == Some(MANAGER))?;
                ours.value_of(SERVICE_NAME)?.into()
            }
        };
        let namespace = old.or_else(|| store.body(entry.id()))?.namespace?;
        let id = store.find(store.kinds.service, Some(store.strings.text(namespace)), &name)?;
        self.services.remove(&id.slot);
        Some(id.slot)
    }

    /// The Service whose Endpoints may have to be mirrored now, or no longer.
    fn by_hand(store: &Store, entry: &Logged) -> Option<(String, Text)> {
        let id = entry.id();
        let now = store.body(id);
        if id.kind == store.kinds.endpoint_slice {
            return None;
        }
        let is_selecting = |body: Option<&Arc<Body>>| body.is_some_and(|body| has_selector(body));
        let old = entry.previous.as_ref().and_then(|version| version.row.body.as_ref());
        if id.kind == store.kinds.service
            && is_selecting(now)
            && (old.is_none() || is_selecting(old))
        {
            return None;
        }
        named(store, entry).or_else(|| {
            let namespace = store.strings.text(now?.namespace?).to_owned();
            Some((namespace, store.name(id)?))
        })
    }

    fn overloaded(&self) -> Vec<u32> {
        let is_over = |slot: &&u32| {
            let service = self.services.get(slot);
            service.is_some_and(|service| {
                service.zones.iter().any(|zones| self.topology.overloads(zones))
            })
        };
        self.by_share.iter().filter(is_over).copied().collect()
    }

    fn forget(&mut self, slot: u32) {
        self.selectors.remove(slot);
        self.services.remove(&slot);
        self.by_share.remove(&slot);
    }

    /// A Service is new or another: its selector is registered and all its pods are looked at.
    fn service_changed(&mut self, store: &Store, slot: u32, dirty: &mut Dirty) {
        let Some(row) = store.table(store.kinds.service).row(slot) else { return };
        let body = Arc::clone(row.body.as_ref().expect("occupied"));
        let Some(selector) = selector(&body) else {
            self.selectors.remove(slot);
            self.by_share.remove(&slot);
            return;
        };
        let generation = row.reuse;
        if self.services.get(&slot).is_none_or(|service| service.generation != generation) {
            let name = row.name.text(&store.strings);
            let service = Service::adopt(store, generation, &body, &name);
            self.services.insert(slot, Arc::new(service));
        }
        if Mode::of(&body) == Mode::Auto {
            if self.by_share.is_empty() {
                self.topology = Topology::of(store);
            }
            self.by_share.insert(slot);
        } else {
            self.by_share.remove(&slot);
        }
        let pods = &store.table(store.kinds.pod).labels;
        let selected = pods.select(&store.sets, body.namespace, &selector);
        let members = self.services.get(&slot).expect("just inserted").pods();
        dirty.entry(slot).or_default().extend(selected.iter().chain(members));
        self.selectors.add(slot, body.namespace, selector);
    }

    /// Brings a Service's slices up to date with these pods.
    fn sync_service(&mut self, store: &mut Store, slot: u32, pods: &BTreeSet<u32>) {
        let Some(row) = store.table(store.kinds.service).row(slot) else { return };
        if row.deletion.is_some() {
            return;
        }
        let id = store.table(store.kinds.service).id(store.kinds.service, slot);
        let name = row.name.text(&store.strings);
        let owner = Owner { id, name, body: Arc::clone(row.body.as_ref().expect("occupied")) };
        let Some(wanted) = self.selectors.get(slot) else { return };
        let Some(kept) = self.services.get_mut(&slot) else { return };
        let service = Arc::make_mut(kept);
        let before = store.revision();
        service.follow(store, &owner, wanted, pods);
        for event in service.hint(&owner.body, &self.topology) {
            store.record(id, event.warning, event.reason, COMPONENT, Said::Text(&event.text));
        }
        let is_changed = service.write(store, &owner);
        if is_changed {
            let family = families_of(&owner.body)[0];
            subsets::write(store, &owner, family, &service.groups);
        }
        self.written.extend(before + 1..=store.revision());
    }
}

/// An event about a Service.
struct Told {
    warning: bool,
    reason: &'static str,
    text: String,
}

const DISABLED: &str = "TopologyAwareHintsDisabled";

impl Service {
    /// A Service with the slices that are there already, as after loading a dump.
    fn adopt(store: &Store, generation: u32, body: &Body, name: &str) -> Self {
        let mut found: [Vec<Slice>; 2] = Default::default();
        let mut wanted = Map::new();
        wanted.insert(SERVICE_NAME, name);
        wanted.insert(MANAGED_BY, MANAGER);
        let table = store.table(store.kinds.endpoint_slice);
        let selector = Selector::from_map(&wanted);
        for slot in &table.labels.select(&store.sets, body.namespace, &selector) {
            let row = table.row(slot).expect("indexed");
            let document = row.body.as_ref().expect("occupied");
            let kind = document.at(&["addressType"]).and_then(Value::as_str);
            let family = Family::BOTH.into_iter().find(|family| Some(family.name()) == kind);
            if let Some(family) = family.filter(|_| row.deletion.is_none()) {
                let id = table.id(store.kinds.endpoint_slice, slot);
                found[family as usize].push(Slice::read(store, id, document));
            }
        }
        let groups = found.map(|slices| (!slices.is_empty()).then(|| Group::of(slices)));
        Self { generation, groups, ..Self::default() }
    }

    /// The pods in its slices.
    fn pods(&self) -> impl Iterator<Item = u32> {
        self.groups.iter().flatten().flat_map(Group::pods)
    }

    /// Moves pods in and out of the slices of each family.
    fn follow(
        &mut self,
        store: &mut Store,
        owner: &Owner,
        wanted: &Selector,
        pods: &BTreeSet<u32>,
    ) {
        let labels = owner.labels(store);
        let relabelled = self.labels != labels;
        self.labels = labels;
        let families = families_of(&owner.body);
        let mut found: [Vec<_>; 2] = Default::default();
        for pod in pods {
            let endpoint = selects(store, wanted, &owner.body, *pod)
                .then(|| endpoint_of(store, &owner.name, &owner.body, *pod))
                .flatten();
            for family in &families {
                let entry = endpoint.as_ref().and_then(|endpoint| {
                    let value = endpoint.value(*family)?;
                    let (name, ready) = (endpoint.name.clone(), endpoint.ready);
                    let entry = Entry { pod: *pod, name, ready, value, hints: None };
                    Some((endpoint.ports.clone(), entry))
                });
                found[*family as usize].push((*pod, entry));
            }
        }
        for (family, found) in Family::BOTH.into_iter().zip(found) {
            let group = &mut self.groups[family as usize];
            if !families.contains(&family) {
                for slice in group.take().into_iter().flat_map(|group| group.slices) {
                    slice.delete(store);
                }
                self.zones[family as usize].clear();
                continue;
            }
            let group = group.get_or_insert_default();
            if relabelled {
                group.relabel();
            }
            group.follow(found);
            group.settle();
        }
    }

    /// Hints the endpoints as the Service wants; returns what is told about it.
    fn hint(&mut self, body: &Body, topology: &Topology) -> Vec<Told> {
        let mode = Mode::of(body);
        // Slices nobody touched have the hints this mode gave them.
        let is_same = self.mode.replace(mode) == Some(mode);
        let mut told = Vec::new();
        for family in Family::BOTH {
            let Some(group) = &mut self.groups[family as usize] else { continue };
            let zones = &mut self.zones[family as usize];
            let text = |text: &str| format!("{text}, addressType: {}", family.name());
            if mode != Mode::Auto {
                if std::mem::take(&mut self.hinted) {
                    let text = text("Topology Aware Hints has been disabled");
                    told.push(Told { warning: true, reason: DISABLED, text });
                }
                zones.clear();
            }
            match mode {
                Mode::None => group.remove_hints(is_same),
                Mode::Zone => group.hint_close(is_same, false),
                Mode::Node => group.hint_close(is_same, true),
                Mode::Auto => match group.hint_by_share(topology) {
                    Ok(found) => {
                        *zones = found;
                        if !std::mem::replace(&mut self.hinted, true) {
                            let text = text("Topology Aware Hints has been enabled");
                            let reason = "TopologyAwareHintsEnabled";
                            told.push(Told { warning: false, reason, text });
                        }
                    }
                    Err(why) => {
                        zones.clear();
                        self.hinted = false;
                        told.push(Told { warning: true, reason: DISABLED, text: text(&why) });
                    }
                },
            }
        }
        told
    }

    /// Writes what differs; says whether anything did.
    fn write(&mut self, store: &mut Store, owner: &Owner) -> bool {
        let mut is_changed = false;
        for family in Family::BOTH {
            let Some(group) = &mut self.groups[family as usize] else { continue };
            if group.slices.iter().all(|slice| slice.need == Need::Nothing) {
                continue;
            }
            is_changed = true;
            group.reuse_objects();
            for slice in &mut group.slices {
                match slice.need {
                    Need::Nothing => {}
                    Need::Write => slice.write(store, owner, family),
                    Need::Delete => slice.delete(store),
                }
            }
            group.forget_deleted();
        }
        is_changed
    }
}

/// The namespace and name of an object that was written over or deleted.
fn named(store: &Store, entry: &Logged) -> Option<(String, Text)> {
    let row = &entry.previous.as_ref()?.row;
    let namespace = store.strings.text(row.body.as_ref()?.namespace?);
    Some((namespace.to_owned(), row.name.text(&store.strings)))
}

/// The families a Service has addresses of, in order.
fn families_of(service: &Body) -> Vec<Family> {
    let list = service.at(&["spec", "ipFamilies"]).and_then(Value::as_list).unwrap_or_default();
    let named =
        |name: &Value| Family::BOTH.into_iter().find(|one| Some(one.name()) == name.as_str());
    let families: Vec<Family> = list.iter().filter_map(named).collect();
    if !families.is_empty() {
        return families;
    }
    match service.at(&["spec", "clusterIP"]).and_then(Value::as_str) {
        None | Some("" | "None") => Family::BOTH.to_vec(),
        Some(address) if address.contains(':') => vec![Family::V6],
        Some(_) => vec![Family::V4],
    }
}

/// The selector of a Service that has endpoints of its own making.
fn selector(service: &Body) -> Option<Selector> {
    if service.at(&["spec", "type"]).and_then(Value::as_str) == Some("ExternalName") {
        return None;
    }
    has_selector(service).then(|| {
        let map = service.at(&["spec", "selector"]).and_then(Value::as_map);
        Selector::from_map(map.expect("it has one"))
    })
}

/// Whether a Service names its pods, so that its endpoints are no business of its users.
pub(super) fn has_selector(service: &Body) -> bool {
    let map = service.at(&["spec", "selector"]).and_then(Value::as_map);
    map.is_some_and(|map| !map.is_empty())
}

/// Whether a pod is one of the Service's.
fn selects(store: &Store, selector: &Selector, service: &Body, pod: u32) -> bool {
    let row = store.table(store.kinds.pod).row(pod);
    row.and_then(|row| row.body.as_ref()).is_some_and(|body| {
        body.namespace == service.namespace && store.sets.matches(body.labels, selector)
    })
}

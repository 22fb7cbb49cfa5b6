//! Many objects in one call: from one template, with one status, away at once.

use std::ops::Range;
use std::sync::Arc;

use super::Store;
use super::create::{WriteOptions, generated_prefix};
use super::delete::DeleteOptions;
use super::object::{Body, Name, ObjectId, Row};
use super::owners::PodClass;
use super::pod::{Phase, PodState, READY, RUNNING, UNSCHEDULABLE};
use crate::api::{ApiError, ApiResult, KindId};
use crate::base::{FastSet, StrId, Text, Value};

/// How the objects of a bulk create are named.
#[derive(Clone, Debug)]
pub enum Naming {
    /// The template's `generateName` and five random characters each.
    Generated(usize),
    /// `PREFIX0`, `PREFIX1`, ...: so many, from this number.
    Numbered(Text, Range<usize>),
    /// These names.
    Names(Vec<Text>),
}

/// A change to the runtime state of many pods; what is absent stays.
#[derive(Clone, Copy, Debug, Default)]
pub struct PodChange {
    /// The phase.
    pub phase: Option<Phase>,
    /// The Ready condition.
    pub ready: Option<bool>,
    /// Exit code of the containers, with a terminal phase.
    pub exit_code: Option<i16>,
}

impl Store {
    /// Creates many objects that differ in their name only. The template is defaulted,
    /// admitted and validated once.
    ///
    /// # Errors
    /// What creating one of them would answer; then none is created.
    pub fn create_many(
        &mut self,
        template: Value,
        naming: &Naming,
        options: &WriteOptions,
    ) -> ApiResult<Vec<ObjectId>> {
        let (kind, mut object, _) = self.decode(template, options.strictness)?;
        let namespace = self.target_namespace(kind, &object, options.namespace.as_deref())?;
        self.check_namespace_open(kind, namespace.as_deref())?;
        if let Some(namespace) = &namespace {
            object.set(&["metadata", "namespace"], namespace.clone());
        }
        let names = self.name_many(kind, namespace.as_deref(), &object, naming)?;
        let Some(first) = names.first() else { return Ok(Vec::new()) };
        let example = first.text(&self.strings);
        object.set(&["metadata", "name"], example);
        let original = object.clone();
        self.make_ready(kind, &mut object, options.dry_run)?;
        if options.dry_run {
            return Ok(Vec::new());
        }
        if self.is_individual(kind) {
            return self.create_each(&original, &names, options);
        }
        let mut incoming = self.split(kind, object);
        let pod = (kind == self.kinds.pod).then(|| self.take_pod_state(&mut incoming));
        let generation = u32::try_from(incoming.meta.generation).unwrap_or(0);
        let body = Arc::new(self.make_body(&mut incoming));
        let slots = self.insert_many(kind, &body, generation, pod.as_ref(), &names);
        Ok(slots.map(|slot| self.table(kind).id(kind, slot)).collect())
    }

    /// Whether objects of a kind get something each, besides name and uid, when they are made: a
    /// selector by uid, an address, a kind.
    fn is_individual(&self, kind: KindId) -> bool {
        let named = &self.registry.kind(kind).id;
        kind == self.kinds.service
            || kind == self.kinds.definition
            || (named.group == "batch" && named.kind == "Job")
    }

    /// Creates objects one by one from a template.
    fn create_each(
        &mut self,
        template: &Value,
        names: &[Name],
        options: &WriteOptions,
    ) -> ApiResult<Vec<ObjectId>> {
        let texts: Vec<Text> = names.iter().map(|name| name.text(&self.strings)).collect();
        texts
            .into_iter()
            .map(|name| {
                let mut object = template.clone();
                object.set(&["metadata", "name"], name);
                self.create(object, options).map(|written| written.id)
            })
            .collect()
    }

    /// Adds rows of one body. The body's label set has one use already.
    fn insert_many(
        &mut self,
        kind: KindId,
        body: &Arc<Body>,
        generation: u32,
        pod: Option<&PodState>,
        names: &[Name],
    ) -> Range<u32> {
        let count = names.len();
        let owner = self.controller_of(kind, body);
        let uid = self.uids.issue_range(count);
        let created = self.now.to_second();
        let revision = self.revision() + 1;
        self.sets.retain(body.labels, count as u32 - 1);
        let strings = std::mem::take(&mut self.strings);
        let table = self.table_mut(kind);
        let slots = table.insert_many(body, names, owner, &strings, |at, name| Row {
            body: Some(Arc::clone(body)),
            name,
            uid: Some(uid.nth(at)),
            created,
            revision: revision + at as u64,
            generation,
            ..Row::default()
        });
        self.strings = strings;
        self.log.append_created(kind, slots.clone());
        if let Some(pod) = pod {
            self.place_pods(slots.clone(), pod, body);
        }
        slots
    }

    /// Stores one state for pods that were just added with one body.
    fn place_pods(&mut self, slots: Range<u32>, pod: &PodState, body: &Body) {
        self.pods.resize(self.table(self.kinds.pod).slots() as usize);
        if *pod != PodState::default() {
            let range = slots.start as usize..slots.end as usize;
            self.pods.for_range_mut(range.start, range.end, |_, place| place.clone_from(pod));
        }
        if let Some(owner) = body.controller {
            let owners = &mut self.table_mut(self.kinds.pod).owners;
            owners.count(owner, PodClass::Active, body.labels, slots.len() as i32);
        }
        if let Some(node) = pod.node {
            for slot in slots {
                self.move_to_node(slot, None, Some(node));
            }
        }
    }

    /// Changes the runtime state of many pods. Those already gone are passed over; returns how
    /// many changed.
    pub fn change_pods(&mut self, ids: &[ObjectId], change: PodChange) -> usize {
        let now = self.now;
        let mut changed = 0;
        for id in ids {
            if id.kind != self.kinds.pod || self.row(*id).is_none() {
                continue;
            }
            let mut pod = self.pod(id.slot).clone();
            apply(&mut pod, change, now);
            if pod != *self.pod(id.slot) {
                self.update_pod(id.slot, |place| *place = pod);
                changed += 1;
            }
        }
        changed
    }

    /// Deletes many objects, as [`Self::delete`] does one. Those already gone are passed over;
    /// returns how many were there.
    ///
    /// # Errors
    /// The first refusal; objects before it are deleted.
    pub fn delete_many(&mut self, ids: &[ObjectId], options: &DeleteOptions) -> ApiResult<usize> {
        let mut deleted = 0;
        for id in ids {
            if self.row(*id).is_some() {
                self.delete(*id, options)?;
                deleted += 1;
            }
        }
        Ok(deleted)
    }

    /// Names for a bulk create, all of them free.
    fn name_many(
        &mut self,
        kind: KindId,
        namespace: Option<&str>,
        object: &Value,
        naming: &Naming,
    ) -> ApiResult<Vec<Name>> {
        match naming {
            Naming::Generated(count) => {
                let prefix = object.str_at(&["metadata", "generateName"]).unwrap_or_default();
                if prefix.is_empty() {
                    return Err(ApiError::bad_request("name or generateName is required"));
                }
                let prefix = self.strings.intern(generated_prefix(prefix));
                self.generate_names(kind, namespace, prefix, *count)
            }
            Naming::Numbered(prefix, range) => {
                let names = range.clone().map(|number| format!("{prefix}{number}").into());
                self.whole_names(kind, namespace, names)
            }
            Naming::Names(names) => self.whole_names(kind, namespace, names.iter().cloned()),
        }
    }

    /// `count` free names of one prefix, in the order they were drawn.
    pub(crate) fn generate_names(
        &mut self,
        kind: KindId,
        namespace: Option<&str>,
        prefix: StrId,
        count: usize,
    ) -> ApiResult<Vec<Name>> {
        let namespace = namespace.and_then(|name| self.strings.find(name));
        let mut names = Vec::with_capacity(count);
        let mut taken: FastSet<u32> = FastSet::new();
        let mut misses = 0;
        while names.len() < count {
            let suffix = self.suffixes.name_suffix();
            let name = Name::generated(prefix, suffix);
            let text = name.text(&self.strings);
            let free = self.table(kind).find(namespace, &text, &self.strings).is_none();
            if free && taken.insert(suffix) {
                names.push(name);
            } else {
                misses += 1;
                if misses > count + 1_000_000 {
                    let prefix = self.strings.text(prefix);
                    return Err(ApiError::generate_name_conflict(self.resource(kind), prefix, 1));
                }
            }
        }
        Ok(names)
    }

    fn whole_names(
        &mut self,
        kind: KindId,
        namespace: Option<&str>,
        names: impl Iterator<Item = Text>,
    ) -> ApiResult<Vec<Name>> {
        let mut seen: FastSet<StrId> = FastSet::new();
        names
            .map(|text| {
                let id = self.strings.intern(&text);
                if !seen.insert(id) || self.find(kind, namespace, &text).is_some() {
                    return Err(ApiError::already_exists(self.resource(kind), &text));
                }
                Ok(Name::whole(id))
            })
            .collect()
    }
}

/// What a change makes of one pod: the bits and times that belong to it.
fn apply(pod: &mut PodState, change: PodChange, now: crate::base::Time) {
    if let Some(phase) = change.phase.filter(|phase| *phase != pod.phase) {
        pod.phase = phase;
        match phase {
            Phase::Running => {
                pod.accept(now);
                pod.flags = (pod.flags | RUNNING) & !UNSCHEDULABLE;
                pod.running_at = now;
            }
            Phase::Succeeded | Phase::Failed => {
                pod.accept(now);
                pod.flags &= !READY;
                pod.finished_at = now;
            }
            Phase::Pending | Phase::Unknown => {}
        }
    }
    if let Some(code) = change.exit_code {
        pod.exit_code = code;
    }
    if let Some(ready) = change.ready.filter(|ready| *ready != pod.is_ready()) {
        pod.accept(now);
        pod.flags = if ready { pod.flags | READY } else { pod.flags & !READY };
        pod.ready_at = now;
    }
}

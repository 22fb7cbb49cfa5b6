//! The garbage collector: what becomes of dependents when their owners go.
//!
//! An owner of a dependent is *solid* (it exists and is not waiting for its dependents),
//! *waiting* (it is deleted in the foreground) or *absent*. A dependent with a solid owner only
//! loses its references to the others; one without is deleted. Objects restored from a dump
//! keep owners the dump does not have: only a deletion that is seen starts a collection.

use std::collections::VecDeque;

use super::World;
use crate::base::Value;
use crate::store::delete::{DeleteOptions, FOREGROUND, ORPHAN, Propagation};
use crate::store::log::Verb;
use crate::store::uid::Uid;
use crate::store::{Body, ObjectId};

/// How one owner of a dependent stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    Solid,
    Waiting,
    Absent,
}

impl World {
    /// Takes in what the collector sees and does what follows; true when it wrote anything.
    pub(super) fn collect_garbage(&mut self, at: usize) -> bool {
        let Some((from, to)) = self.unread(at) else { return false };
        let before = self.store.revision();
        let mut dependents: VecDeque<ObjectId> = VecDeque::new();
        for revision in from + 1..=to {
            let Some(entry) = self.store.log().get(revision) else { continue };
            let (id, verb, previous) = (entry.id(), entry.verb, entry.previous.clone());
            match verb {
                Verb::Deleted => {
                    let Some(row) = previous.as_ref().map(|version| &version.row) else { continue };
                    if let Some(uid) = row.uid {
                        dependents.extend(self.store.dependents(uid));
                    }
                    let owners =
                        row.body.as_ref().map(|body| body.owners.clone()).unwrap_or_default();
                    self.release_waiting_owners(&owners, row.body.as_deref());
                }
                Verb::Modified => self.begin_deletion(id, &mut dependents),
                Verb::Added | Verb::Restored => {
                    if verb == Verb::Added && self.has_absent_owner(id) {
                        dependents.push_back(id);
                    }
                    self.begin_deletion(id, &mut dependents);
                }
            }
        }
        self.read(at, to);
        while let Some(id) = dependents.pop_front() {
            self.collect(id);
        }
        self.store.revision() != before
    }

    /// An object whose deletion waits for its dependents, or for letting them go.
    fn begin_deletion(&mut self, id: ObjectId, dependents: &mut VecDeque<ObjectId>) {
        let Some(row) = self.store.row(id).filter(|row| row.deletion.is_some()) else { return };
        let (uid, body) =
            (row.uid.expect("objects have uids"), row.body.as_ref().expect("occupied"));
        let waits_for = |finalizer: &str| body.finalizers().any(|have| have == finalizer);
        if waits_for(ORPHAN) {
            for dependent in self.store.dependents(uid) {
                self.strip_owner(dependent, uid);
            }
            self.remove_finalizer(id, ORPHAN);
        } else if waits_for(FOREGROUND) {
            let blocking = self.blocking_dependents(uid);
            if blocking.is_empty() {
                self.remove_finalizer(id, FOREGROUND);
            } else {
                dependents.extend(self.store.dependents(uid));
            }
        }
    }

    /// A dependent is gone: owners that waited for it may go now.
    fn release_waiting_owners(&mut self, owners: &[Uid], body: Option<&Body>) {
        let Some(references) = body.and_then(|body| body.meta.get("ownerReferences")) else {
            return;
        };
        let body = body.expect("it has references");
        for (uid, reference) in owners.iter().zip(references.as_list().unwrap_or_default()) {
            let Some(owner) = self.store.resolve_owner(body, reference) else { continue };
            let waiting = self.is_waiting(owner);
            if waiting && self.blocking_dependents(*uid).is_empty() {
                self.remove_finalizer(owner, FOREGROUND);
            }
        }
    }

    /// Decides about one dependent.
    fn collect(&mut self, id: ObjectId) {
        let Some(row) = self.store.row(id) else { return };
        if row.deletion.is_some() {
            return;
        }
        let uid = row.uid.expect("objects have uids");
        let body = std::sync::Arc::clone(row.body.as_ref().expect("occupied"));
        let states = self.owner_states(&body);
        if states.iter().any(|(_, state)| *state == Owner::Solid) {
            for (owner, state) in states {
                if state != Owner::Solid {
                    self.strip_owner(id, owner);
                }
            }
            return;
        }
        if states.is_empty() {
            return;
        }
        let waiting = states.iter().any(|(_, state)| *state == Owner::Waiting);
        let has_dependents = !self.store.dependents(uid).is_empty();
        let kept = body.finalizers().find_map(|finalizer| match finalizer {
            FOREGROUND => Some(Propagation::Foreground),
            ORPHAN => Some(Propagation::Orphan),
            _ => None,
        });
        let propagation = if waiting && has_dependents {
            Propagation::Foreground
        } else {
            kept.unwrap_or(Propagation::Background)
        };
        let options = DeleteOptions { propagation: Some(propagation), ..DeleteOptions::default() };
        self.store.delete(id, &options).expect("a delete without preconditions succeeds");
    }

    fn owner_states(&self, body: &Body) -> Vec<(Uid, Owner)> {
        let references =
            body.meta.get("ownerReferences").and_then(Value::as_list).unwrap_or_default();
        body.owners
            .iter()
            .zip(references)
            .map(|(uid, reference)| {
                let state = match self.store.resolve_owner(body, reference) {
                    None => Owner::Absent,
                    Some(owner) if self.is_waiting(owner) => Owner::Waiting,
                    Some(_) => Owner::Solid,
                };
                (*uid, state)
            })
            .collect()
    }

    fn has_absent_owner(&self, id: ObjectId) -> bool {
        let Some(body) = self.store.body(id) else { return false };
        !body.owners.is_empty()
            && self.owner_states(body).iter().any(|(_, state)| *state == Owner::Absent)
    }

    fn is_waiting(&self, owner: ObjectId) -> bool {
        self.store.row(owner).is_some_and(|row| {
            let body = row.body.as_ref().expect("occupied");
            row.deletion.is_some() && body.finalizers().any(|finalizer| finalizer == FOREGROUND)
        })
    }

    /// Dependents that an owner deleted in the foreground must wait for.
    fn blocking_dependents(&self, owner: Uid) -> Vec<ObjectId> {
        let blocks = |id: &ObjectId| {
            let Some(body) = self.store.body(*id) else { return false };
            let references =
                body.meta.get("ownerReferences").and_then(Value::as_list).unwrap_or_default();
            body.owners.iter().zip(references).any(|(uid, reference)| {
                *uid == owner
                    && reference.get("blockOwnerDeletion").and_then(Value::as_bool) == Some(true)
            })
        };
        self.store.dependents(owner).into_iter().filter(blocks).collect()
    }

    fn strip_owner(&mut self, id: ObjectId, owner: Uid) {
        let Some(body) = self.store.body(id) else { return };
        let references =
            body.meta.get("ownerReferences").and_then(Value::as_list).unwrap_or_default();
        let kept: Vec<Value> = body
            .owners
            .iter()
            .zip(references)
            .filter(|(uid, _)| **uid != owner)
            .map(|(_, reference)| reference.clone())
            .collect();
        self.store.set_owner_references(id, kept);
    }

    fn remove_finalizer(&mut self, id: ObjectId, finalizer: &str) {
        let Some(body) = self.store.body(id) else { return };
        let kept: Vec<Value> =
            body.finalizers().filter(|have| *have != finalizer).map(Value::from).collect();
        self.store.set_finalizers(id, kept);
    }
}

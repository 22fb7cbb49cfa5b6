//! Watching: a cursor in the log that yields what happened to the objects it is about.

use super::list::Criteria;
use super::log::Verb;
use super::object::Row;
use super::pod::PodState;
use super::{Store, fields, recorder};
use crate::api::{ApiError, ApiResult, KindId};
use crate::base::Value;

/// What a watch reports.
#[derive(Clone, Debug, PartialEq)]
pub enum WatchEvent {
    /// An object came into being, or began to match.
    Added(Value),
    /// An object that matches changed.
    Modified(Value),
    /// An object is gone, or no longer matches.
    Deleted(Value),
    /// Nothing happened up to this resourceVersion.
    Bookmark(u64),
}

impl WatchEvent {
    /// The API's word for it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Added(_) => "ADDED",
            Self::Modified(_) => "MODIFIED",
            Self::Deleted(_) => "DELETED",
            Self::Bookmark(_) => "BOOKMARK",
        }
    }
}

/// A place in the log and what is looked for from there.
#[derive(Clone, Debug)]
pub struct Watch {
    /// The kind watched.
    pub kind: KindId,
    /// Which of its objects.
    pub criteria: Criteria,
    /// Everything up to this resourceVersion was seen.
    pub revision: u64,
}

impl Store {
    /// A watch of what happens after `revision`.
    ///
    /// # Errors
    /// A field selector the kind does not support; 410 when that much is forgotten; 504 when
    /// the version is still to come.
    pub fn watch(&self, kind: KindId, criteria: Criteria, revision: u64) -> ApiResult<Watch> {
        fields::check(self.registry.kind(kind), &criteria.fields)?;
        if revision > self.revision() {
            return Err(ApiError::too_large_revision(revision, self.revision()));
        }
        self.check_not_compacted(revision)?;
        Ok(Watch { kind, criteria, revision })
    }

    /// The next events of a watch, at most `limit`; it ends with a bookmark when the cursor
    /// moved past the last event.
    ///
    /// # Errors
    /// 410 Expired when the watch fell behind what the log remembers.
    pub fn poll(&self, watch: &mut Watch, limit: usize) -> ApiResult<Vec<WatchEvent>> {
        self.check_not_compacted(watch.revision)?;
        let mut events = Vec::new();
        let mut last_event = watch.revision;
        while watch.revision < self.revision() && events.len() < limit {
            watch.revision += 1;
            if let Some(event) = self.event_at(watch, watch.revision) {
                events.push(event);
                last_event = watch.revision;
            }
        }
        if watch.revision > last_event {
            events.push(WatchEvent::Bookmark(watch.revision));
        }
        Ok(events)
    }

    fn check_not_compacted(&self, revision: u64) -> ApiResult<()> {
        let oldest = self.log().compacted();
        if revision >= oldest {
            return Ok(());
        }
        Err(ApiError::expired(format!("too old resource version: {revision} ({oldest})")))
    }

    /// An engine event as it is now: how often it happened may have grown since.
    fn engine_event_at(&self, watch: &Watch, verb: Verb, number: u32) -> Option<WatchEvent> {
        let event = self.events.get(number)?;
        if !self.event_matches(number, event, &watch.criteria) {
            return None;
        }
        let object = self.render_event(number)?;
        Some(match verb {
            Verb::Added | Verb::Restored => WatchEvent::Added(object),
            Verb::Modified => WatchEvent::Modified(object),
            Verb::Deleted => WatchEvent::Deleted(object),
        })
    }

    /// What the write `revision` means to a watch.
    fn event_at(&self, watch: &Watch, revision: u64) -> Option<WatchEvent> {
        let entry = self.log().get(revision)?;
        let id = entry.id();
        if id.kind != watch.kind {
            return None;
        }
        if let Some(number) = recorder::engine_number(self, id) {
            return self.engine_event_at(watch, entry.verb, number);
        }
        let matches =
            |row: &Row, pod: Option<&PodState>| self.matches(id.kind, row, pod, &watch.criteria);
        let before = entry.previous.as_ref().filter(|old| matches(&old.row, old.pod.as_ref()));
        if entry.verb == Verb::Deleted {
            let object = self.render_version(id.kind, before?, revision);
            return Some(WatchEvent::Deleted(object));
        }
        let after = if let Some(version) = self.log().version_after(revision) {
            matches(&version.row, version.pod.as_ref())
                .then(|| self.render_version(id.kind, version, revision))
        } else {
            let row = self.row(id)?;
            let pod = (id.kind == self.kinds.pod).then(|| self.pod(id.slot));
            matches(row, pod).then(|| self.render(id.kind, row, pod, revision))
        };
        match (before, after) {
            (None, None) => None,
            (None, Some(object)) => Some(WatchEvent::Added(object)),
            (Some(_), Some(object)) => Some(WatchEvent::Modified(object)),
            (Some(old), None) => {
                Some(WatchEvent::Deleted(self.render_version(id.kind, old, revision)))
            }
        }
    }
}

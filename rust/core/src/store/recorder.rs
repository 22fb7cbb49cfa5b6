//! The engine's events as objects of the API: recorded as compact rows, read as documents.
//!
//! An engine event has an [`ObjectId`] of kind Event whose slot has the top bit set; the rest of
//! the slot is its number in the [`super::events::EventLog`].

use super::Store;
use super::events::{Event, Message, Subject};
use super::list::Criteria;
use super::log::Verb;
use super::object::{Name, ObjectId};
use crate::base::random::mix;
use crate::base::{Map, Text, Value};

const ENGINE: u32 = 1 << 31;

/// What an event says, in words that are interned when it is recorded.
#[derive(Clone, Copy, Debug)]
pub enum Said<'a> {
    /// The text as it is.
    Text(&'a str),
    /// A text followed by an object's name.
    Named(&'a str, Name),
    /// `Successfully assigned NAMESPACE/NAME to NODE`, of the subject.
    Assigned(&'a str),
}

/// The id of engine event `number`.
fn engine_id(store: &Store, number: u32) -> ObjectId {
    ObjectId { kind: store.kinds.event, slot: number | ENGINE, generation: 0 }
}

/// The number of an engine event, if `id` is one.
pub(super) fn engine_number(store: &Store, id: ObjectId) -> Option<u32> {
    (id.kind == store.kinds.event && id.slot & ENGINE != 0).then_some(id.slot & !ENGINE)
}

impl Store {
    /// Records an event about an object, of type Warning or Normal. Returns false when the
    /// object is gone or the policy drops the event.
    pub fn record(
        &mut self,
        about: ObjectId,
        warning: bool,
        reason: &str,
        component: &str,
        said: Said,
    ) -> bool {
        let Some(subject) = self.subject(about) else { return false };
        self.record_about(subject, warning, reason, component, said)
    }

    /// Records an event about an object that may be gone by now.
    pub fn record_about(
        &mut self,
        subject: Subject,
        warning: bool,
        reason: &str,
        component: &str,
        said: Said,
    ) -> bool {
        if !self.events.keeps(warning) {
            return false;
        }
        let message = match said {
            Said::Text(text) => Message::Text(self.strings.intern(text)),
            Said::Named(text, name) => Message::Named(self.strings.intern(text), name),
            Said::Assigned(node) => Message::Assigned(self.strings.intern(node)),
        };
        let event = Event {
            subject,
            reason: self.strings.intern(reason),
            component: self.strings.intern(component),
            message,
            warning,
            count: 1,
            first: self.now,
            last: self.now,
            revision: 0,
        };
        let Some((number, new)) = self.events.record(event) else { return false };
        let verb = if new { Verb::Added } else { Verb::Modified };
        self.log_event(verb, number);
        true
    }

    /// What an event about an object says of it.
    pub fn subject(&self, id: ObjectId) -> Option<Subject> {
        let row = self.row(id)?;
        let namespace = row.body.as_ref()?.namespace;
        Some(Subject { id, name: row.name, namespace, uid: row.uid? })
    }

    /// The engine's events written after a resourceVersion, in the order of their latest write;
    /// those whose write is no longer in the log are left out.
    pub fn events_after(&self, revision: u64) -> impl Iterator<Item = &Event> {
        let log = self.log();
        (revision.max(log.compacted()) + 1..=log.revision()).filter_map(move |revision| {
            let number = engine_number(self, log.get(revision)?.id())?;
            self.events.get(number).filter(|event| event.revision == revision)
        })
    }

    /// The engine's events that match, in order of first occurrence.
    pub(super) fn engine_events(&self, criteria: &Criteria) -> Vec<ObjectId> {
        if criteria.labels.as_ref().is_some_and(|selector| !selector.is_everything()) {
            return Vec::new();
        }
        let all = self.events.iter();
        all.filter(|(number, event)| self.event_matches(*number, event, criteria))
            .map(|(number, _)| engine_id(self, number))
            .collect()
    }

    /// The document of an engine event.
    pub(super) fn render_event(&self, number: u32) -> Option<Value> {
        let event = self.events.get(number)?;
        let subject = &event.subject;
        let kind = self.registry.kind(subject.id.kind);
        let name = subject.name.text(&self.strings);
        let namespace = self.event_namespace(event);
        let mut involved = Map::new();
        involved.insert("kind", kind.id.kind.clone());
        involved.insert("apiVersion", kind.api_version(kind.preferred()));
        involved.insert("name", name);
        involved.insert("uid", self.uids.text(subject.uid));
        if let Some(namespace) = subject.namespace {
            involved.insert("namespace", self.strings.text(namespace));
        }
        let meta = Value::map([
            ("name", Value::from(self.event_name(number, event))),
            ("namespace", namespace.into()),
            ("uid", self.event_uid(number).into()),
            ("resourceVersion", event.revision.to_string().into()),
            ("creationTimestamp", event.first.to_string().into()),
        ]);
        let component = self.strings.text(event.component);
        Some(Value::map([
            ("apiVersion", Value::from("v1")),
            ("kind", "Event".into()),
            ("metadata", meta),
            ("involvedObject", involved.into()),
            ("reason", self.strings.text(event.reason).into()),
            ("message", self.event_message(event).into()),
            ("source", Value::map([("component", Value::from(component))])),
            ("firstTimestamp", event.first.to_string().into()),
            ("lastTimestamp", event.last.to_string().into()),
            ("count", i64::from(event.count).into()),
            ("type", event_type(event).into()),
            ("eventTime", Value::Null),
            ("reportingComponent", component.into()),
            ("reportingInstance", "".into()),
        ]))
    }

    /// The message of an event, put together.
    pub fn event_message(&self, event: &Event) -> Text {
        match event.message {
            Message::Text(text) => self.strings.text(text).into(),
            Message::Named(text, name) => {
                let mut message = Text::from(self.strings.text(text));
                message.push_str(&name.text(&self.strings));
                message
            }
            Message::Assigned(node) => {
                let subject = &event.subject;
                let namespace = subject.namespace.map_or("", |id| self.strings.text(id));
                let name = subject.name.text(&self.strings);
                let node = self.strings.text(node);
                format!("Successfully assigned {namespace}/{name} to {node}").into()
            }
        }
    }

    /// Finds an engine event by name.
    pub(super) fn find_event(&self, namespace: &str, name: &str) -> Option<ObjectId> {
        let (_, digits) = name.rsplit_once('.')?;
        let wanted = u64::from_str_radix(digits, 16).ok()?;
        let (number, _) = self.events.iter().find(|(number, event)| {
            event_stamp(*number, event) == wanted
                && self.event_namespace(event) == namespace
                && self.event_name(*number, event) == name
        })?;
        Some(engine_id(self, number))
    }

    /// Deletes an engine event.
    pub(super) fn erase_event(&mut self, number: u32) -> Option<Value> {
        let object = self.render_event(number)?;
        self.log_event(Verb::Deleted, number);
        self.events.remove(number);
        Some(object)
    }

    pub(super) fn event_matches(&self, number: u32, event: &Event, criteria: &Criteria) -> bool {
        if criteria.namespace.as_ref().is_some_and(|wanted| self.event_namespace(event) != wanted) {
            return false;
        }
        criteria
            .fields
            .terms()
            .iter()
            .all(|term| (self.event_field(number, event, &term.field) == term.value) == term.equal)
    }

    fn event_field(&self, number: u32, event: &Event, field: &str) -> Text {
        let subject = &event.subject;
        let kind = self.registry.kind(subject.id.kind);
        match field {
            "metadata.namespace" => self.event_namespace(event).into(),
            "metadata.name" => self.event_name(number, event).into(),
            "involvedObject.kind" => kind.id.kind.clone(),
            "involvedObject.namespace" => {
                subject.namespace.map_or_else(Text::default, |id| self.strings.text(id).into())
            }
            "involvedObject.name" => subject.name.text(&self.strings),
            "involvedObject.uid" => self.uids.text(subject.uid).into(),
            "involvedObject.apiVersion" => kind.api_version(kind.preferred()).into(),
            "reason" => self.strings.text(event.reason).into(),
            "reportingComponent" | "source" => self.strings.text(event.component).into(),
            "type" => event_type(event).into(),
            _ => Text::default(),
        }
    }

    /// Events about cluster-scoped objects live in `default`.
    fn event_namespace(&self, event: &Event) -> &str {
        event.subject.namespace.map_or("default", |id| self.strings.text(id))
    }

    fn event_name(&self, number: u32, event: &Event) -> String {
        format!("{}.{:016x}", event.subject.name.text(&self.strings), event_stamp(number, event))
    }

    fn event_uid(&self, number: u32) -> String {
        let number = u64::from(number);
        let (high, low) = (mix(number ^ self.uids.seed()), mix(number.wrapping_add(0x1000)));
        format!(
            "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
            high >> 32,
            high >> 16 & 0xFFFF,
            high & 0xFFF,
            low >> 52,
            low & 0xFFFF_FFFF_FFFF
        )
    }

    fn log_event(&mut self, verb: Verb, number: u32) {
        let id = engine_id(self, number);
        let before = self.events.get(number).map_or(0, |event| event.revision);
        let revision = self.log.append(verb, id, before, None);
        self.events.stamp(number, revision);
    }
}

/// `Normal` or `Warning`.
pub fn event_type(event: &Event) -> &'static str {
    if event.warning { "Warning" } else { "Normal" }
}

/// The number in an event's name: the nanosecond it first happened, and one more for each event
/// before it, so that names are unique and sort as the events happened.
fn event_stamp(number: u32, event: &Event) -> u64 {
    (event.first.0 as u64).wrapping_add(u64::from(number))
}

//! Changing objects: update, the status subresource, and every kind of patch.
//!
//! A patch is a read, a change and an update against the version read; nothing is half-applied.

use std::sync::Arc;

use super::addresses::Addresses;
use super::create::{Incoming, Strictness, WriteOptions, Written};
use super::log::{Verb, Version};
use super::object::{Body, ObjectId};
use super::{Store, pod_status};
use crate::api::decode::canonicalize_stored;
use crate::api::patch::{PatchKind, patch_object, strict_patch_error};
use crate::api::{ApiError, ApiResult, FieldError, KindId, Path};
use crate::base::{Map, Text, Value};

/// Which part of an object a write is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Part {
    /// The object itself; a status sent along is ignored.
    #[default]
    Whole,
    /// The status subresource; spec and labels sent along are ignored.
    Status,
    /// A namespace's `finalize` subresource: only `spec.finalizers` counts.
    Finalize,
    /// A pod's `resize` subresource: only what its containers ask for counts.
    Resize,
}

impl Store {
    /// Replaces an object by `object`, whose name says which.
    ///
    /// # Errors
    /// Not found, a stale resourceVersion, or an object the API server refuses.
    pub fn update(
        &mut self,
        object: Value,
        part: Part,
        options: &WriteOptions,
    ) -> ApiResult<Written> {
        let (kind, object, warnings) = self.decode(object, options.strictness)?;
        let namespace = self.target_namespace(kind, &object, options.namespace.as_deref())?;
        let name = object.str_at(&["metadata", "name"]).unwrap_or_default();
        let id = self.require(kind, namespace.as_deref(), name)?;
        self.replace(id, object, part, options.dry_run, warnings)
    }

    /// Patches an object.
    ///
    /// # Errors
    /// A patch that does not apply, or a result the API server refuses.
    pub fn patch(
        &mut self,
        id: ObjectId,
        patch: &Value,
        patch_kind: PatchKind,
        part: Part,
        options: &WriteOptions,
    ) -> ApiResult<Written> {
        let current =
            self.get(id).ok_or_else(|| ApiError::not_found(self.resource(id.kind), ""))?;
        let named = self.registry.kind(id.kind);
        let version = &named.versions[usize::from(self.body(id).expect("it exists").version)];
        let (object, mut warnings) = patch_object(&version.schema, patch_kind, &current, patch)?;
        match options.strictness {
            Strictness::Strict if !warnings.is_empty() => {
                return Err(strict_patch_error(patch_kind, patch, &object, &warnings));
            }
            Strictness::Ignore => warnings.clear(),
            _ => {}
        }
        let kind_of =
            |object: &Value| (object.get("kind").cloned(), object.get("apiVersion").cloned());
        if kind_of(&object) != kind_of(&current) {
            return Err(ApiError::bad_request("a patch cannot change the kind of an object"));
        }
        check_name(&object, &current)?;
        self.replace(id, object, part, options.dry_run, warnings)
    }

    /// Puts a decoded object in the place of `id`.
    fn replace(
        &mut self,
        id: ObjectId,
        mut object: Value,
        part: Part,
        dry_run: bool,
        warnings: Vec<String>,
    ) -> ApiResult<Written> {
        let stored = self.get(id).expect("the caller found it");
        self.check_preconditions(id, &object, &stored)?;
        keep_what_the_server_owns(&mut object, &stored);
        let mut old = stored.clone();
        self.plain(id.kind, &mut old);
        if part == Part::Finalize {
            let finalizers = object.at(&["spec", "finalizers"]).cloned();
            object = old.clone();
            set_or_remove(&mut object, &["spec", "finalizers"], finalizers);
        }
        if part == Part::Resize {
            if id.kind != self.kinds.pod {
                return Err(ApiError::resource_not_found());
            }
            object = resized(&old, &object);
        }
        self.apply_defaults(id.kind, &mut object);
        if part == Part::Whole {
            self.keep_equal_parts(id.kind, &mut object, &old);
            self.admit_update(id.kind, &mut object, &old);
        }
        let addresses = self.prepare_update(id, &mut object, &old, part, dry_run)?;
        self.stamp_status(id.kind, &mut object, Some(&old));
        let errors = match self.rules_of(id.kind, &object) {
            Some(rules) if part == Part::Status => self.rules.validate_status(rules, &object, &old),
            Some(rules) if part == Part::Resize => self.rules.validate_create(rules, &object),
            Some(rules) => self.rules.validate_update(rules, &object, &old),
            None => self.validate_custom(id.kind, &object),
        };
        self.refuse(id.kind, &object, &errors)?;
        self.check_default_class(id.kind, &object)?;
        self.settle(id.kind, &mut object);
        let changed = object != stored;
        if dry_run || !changed {
            return Ok(Written { id, object, warnings, changed });
        }
        self.addresses = addresses;
        let incoming = self.split(id.kind, object);
        self.rewrite(id, incoming);
        if id.kind == self.kinds.definition && part == Part::Whole {
            self.define(id)?;
            self.establish(id);
        }
        let object = self.get(id).expect("just written");
        self.finish_deletion(id);
        Ok(Written { id, object, warnings, changed: true })
    }

    /// Takes the parts of an object that would be written as they are stored from there, so that
    /// `[]` for nothing and `1000m` for `1` are no change to any check.
    fn keep_equal_parts(&self, kind: KindId, object: &mut Value, old: &Value) {
        let mut written = object.clone();
        canonicalize_stored(self.schema_of(kind, object), &mut written);
        self.plain(kind, &mut written);
        let same = |path: &[&str]| written.at(path) == old.at(path);
        let keys = |part: Option<&Value>| -> Vec<Text> {
            part.and_then(Value::as_map)
                .map_or_else(Vec::new, |map| map.iter().map(|(key, _)| key.into()).collect())
        };
        for key in keys(Some(object)).iter().filter(|key| *key != "metadata") {
            if same(&[key]) {
                restore_field(object, old, &[key]);
                continue;
            }
            for inner in keys(object.get(key)) {
                if same(&[key, &inner]) {
                    restore_field(object, old, &[key, &inner]);
                }
            }
        }
    }

    fn check_preconditions(&self, id: ObjectId, object: &Value, old: &Value) -> ApiResult<()> {
        let (resource, name) = (self.resource(id.kind), self.name(id).unwrap_or_default());
        let stored = old.str_at(&["metadata", "resourceVersion"]).unwrap_or_default();
        match object.str_at(&["metadata", "resourceVersion"]).filter(|text| !text.is_empty()) {
            Some(given) if given != stored => {
                return Err(ApiError::optimistic_lock(resource, &name));
            }
            None if self.is_conditional(id.kind, object) => {
                let path = Path::new("metadata");
                let path = path.child("resourceVersion");
                let error = FieldError::invalid(path, 0, "must be specified for an update");
                return Err(ApiError::invalid(&self.registry.kind(id.kind).id, &name, &[error]));
            }
            _ => {}
        }
        let (given, stored) =
            (object.str_at(&["metadata", "uid"]), old.str_at(&["metadata", "uid"]));
        match (given.filter(|text| !text.is_empty()), stored) {
            (Some(given), Some(stored)) if given != stored => {
                let why = format!(
                    "Precondition failed: UID in precondition: {given}, UID in object meta: {stored}"
                );
                Err(ApiError::conflict(resource, &name, why))
            }
            _ => Ok(()),
        }
    }

    /// Whether an update of this kind must name the resourceVersion it was made against.
    fn is_conditional(&self, kind: KindId, object: &Value) -> bool {
        match self.rules_of(kind, object) {
            Some(rules) => !self.rules.allows_unconditional_update(rules),
            None => self.policy(kind).conditional_update,
        }
    }

    /// What the kind's strategy does to an object that replaces another: parts this write is
    /// not about stay as they were, and the generation counts changes of the specification.
    fn prepare_update(
        &self,
        id: ObjectId,
        object: &mut Value,
        old: &Value,
        part: Part,
        dry_run: bool,
    ) -> ApiResult<Addresses> {
        match (self.rules_of(id.kind, object), part) {
            (_, Part::Finalize) => {}
            (Some(rules), Part::Resize) => {
                self.rules.prepare_update(rules, object, old);
            }
            (Some(rules), Part::Status) => {
                self.rules.prepare_status(rules, object, old);
            }
            (Some(rules), Part::Whole) => {
                self.rules.prepare_update(rules, object, old);
                return self.allocate(id.kind, object, Some(old), dry_run);
            }
            (None, Part::Resize) => {}
            (None, Part::Status) => keep_all_but_status(object, old),
            (None, Part::Whole) => {
                keep_identity(object, old);
                if self.has_status(id.kind) {
                    restore_field(object, old, &["status"]);
                }
                if self.policy(id.kind).generation && spec_differs(object, old) {
                    let generation = old.int_at(&["metadata", "generation"]).unwrap_or(0);
                    object.set(&["metadata", "generation"], generation + 1);
                }
            }
        }
        Ok(self.addresses.clone())
    }

    /// Stores a checked object over the one that is there and logs the write.
    pub(super) fn rewrite(&mut self, id: ObjectId, mut incoming: Incoming) {
        let previous = self.version(id).expect("it exists");
        let before = previous.row.revision;
        let pod = (id.kind == self.kinds.pod).then(|| self.take_pod_state(&mut incoming));
        let generation = u32::try_from(incoming.meta.generation).unwrap_or(0);
        let mut body = self.make_body(&mut incoming);
        if let Some(pod) = &pod {
            self.prefer_columns(id, pod, &mut body);
        }
        self.set_body(id, &Arc::new(body));
        self.table_mut(id.kind).row_mut(id.slot).generation = generation;
        if let Some(pod) = pod {
            self.set_pod(id.slot, pod, &previous.row);
        }
        self.log_write(Verb::Modified, id, before, Some(previous));
    }

    /// Drops a pod's status document when the columns say all of it.
    fn prefer_columns(&self, id: ObjectId, pod: &super::pod::PodState, body: &mut Body) {
        if body.status.is_null() {
            return;
        }
        let row = self.row(id).expect("it exists");
        let mut bare = body.to_changed();
        bare.status = Value::Null;
        let mut row = row.clone();
        row.body = Some(Arc::new(bare));
        let rendered = self.render(id.kind, &row, Some(pod), row.revision);
        if rendered.get("status") == Some(&body.status)
            && pod_status::parse(&body.status, &mut self.strings.clone()) == *pod
        {
            body.status = Value::Null;
        }
    }

    /// Gives an object another body, whose labels were interned for it, and keeps the indexes
    /// true.
    pub(super) fn set_body(&mut self, id: ObjectId, body: &Arc<Body>) {
        let owner = self.controller_of(id.kind, body);
        self.table_mut(id.kind).set_body(id.slot, body, owner);
    }

    /// Replaces an object's owner references; for controllers, nothing is validated.
    pub fn set_owner_references(&mut self, id: ObjectId, references: Vec<Value>) {
        self.edit_meta(id, |meta| set_list(meta, "ownerReferences", references));
    }

    /// Replaces an object's finalizers; an object being deleted goes with its last one.
    pub fn set_finalizers(&mut self, id: ObjectId, finalizers: Vec<Value>) {
        self.edit_meta(id, |meta| set_list(meta, "finalizers", finalizers));
        self.finish_deletion(id);
    }

    /// Replaces everything but metadata and status of an object by what one of the core's own
    /// controllers made: valid, complete and written as it is stored. Says whether it differs.
    pub fn replace_made(&mut self, id: ObjectId, doc: Map) -> bool {
        let previous: Version = self.version(id).expect("it exists");
        let before = previous.row.revision;
        let old = previous.row.body.as_ref().expect("occupied");
        if *old.doc == doc {
            return false;
        }
        let mut body = old.to_changed();
        body.doc = Arc::new(doc);
        self.set_body(id, &Arc::new(body));
        if self.policy(id.kind).generation {
            self.table_mut(id.kind).row_mut(id.slot).generation += 1;
        }
        self.log_write(Verb::Modified, id, before, Some(previous));
        true
    }

    /// Changes the metadata left in the body and the fields beside it, but not the status; for
    /// components that know what they do, nothing is validated. Not for pods.
    pub fn edit(&mut self, id: ObjectId, edit: impl FnOnce(&mut Map, &mut Map)) {
        let previous: Version = self.version(id).expect("it exists");
        let before = previous.row.revision;
        let object = self.get(id).expect("it exists");
        let mut incoming = self.split(id.kind, object);
        edit(&mut incoming.meta.rest, &mut incoming.doc);
        let body = self.make_body(&mut incoming);
        self.set_body(id, &Arc::new(body));
        self.log_write(Verb::Modified, id, before, Some(previous));
    }

    /// Changes the metadata left in the body, such as annotations, owner references and
    /// finalizers; for the store's own use, nothing is validated.
    pub(super) fn edit_meta(&mut self, id: ObjectId, edit: impl FnOnce(&mut Map)) {
        let previous: Version = self.version(id).expect("it exists");
        let before = previous.row.revision;
        let object = self.get(id).expect("it exists");
        let mut incoming = self.split(id.kind, object);
        edit(&mut incoming.meta.rest);
        let pod = (id.kind == self.kinds.pod).then(|| self.pod(id.slot).clone());
        if pod.is_some() {
            let old = previous.row.body.as_ref().expect("occupied");
            incoming.doc = (*old.doc).clone();
            incoming.status = old.status.clone();
        }
        let body = self.make_body(&mut incoming);
        self.set_body(id, &Arc::new(body));
        if let Some(pod) = pod {
            self.set_pod(id.slot, pod, &previous.row);
        }
        self.log_write(Verb::Modified, id, before, Some(previous));
    }
}

/// Refuses an object that a patch gave another name or namespace.
fn check_name(object: &Value, current: &Value) -> ApiResult<()> {
    let text = |of: &'static str, object: &Value| -> String {
        object.str_at(&["metadata", of]).unwrap_or_default().to_owned()
    };
    let (name, old_name) = (text("name", object), text("name", current));
    if name.is_empty() {
        return Err(ApiError::bad_request(format!(
            "the name of the object ({old_name} based on URL) was undeterminable: name must be \
             provided"
        )));
    }
    if name != old_name {
        return Err(ApiError::bad_request(format!(
            "the name of the object ({name}) does not match the name on the URL ({old_name})"
        )));
    }
    let (namespace, old_namespace) = (text("namespace", object), text("namespace", current));
    if !old_namespace.is_empty() && !namespace.is_empty() && namespace != old_namespace {
        return Err(ApiError::bad_request(format!(
            "the namespace of the object ({namespace}) does not match the namespace on the \
             request ({old_namespace})"
        )));
    }
    Ok(())
}

/// A pod that asks for what `wanted` asks for, container by container, and is else as it was.
fn resized(old: &Value, wanted: &Value) -> Value {
    let mut pod = old.clone();
    for list in ["containers", "initContainers"] {
        let path = ["spec", list];
        let mut containers = old.list_at(&path).to_vec();
        for container in &mut containers {
            let name = container.str_at(&["name"]);
            let same = |other: &&Value| other.str_at(&["name"]) == name;
            if let Some(like) = wanted.list_at(&path).iter().find(same) {
                set_or_remove(container, &["resources"], like.get("resources").cloned());
            }
        }
        if !containers.is_empty() {
            pod.set(&path, containers);
        }
    }
    pod
}

/// A status write of a kind without rules: annotations and finalizers may change with it.
fn keep_all_but_status(object: &mut Value, old: &Value) {
    let status = object.get("status").cloned();
    let meta = object.get("metadata").cloned().unwrap_or_default();
    *object = old.clone();
    set_or_remove(object, &["status"], status);
    for field in ["annotations", "finalizers", "managedFields"] {
        set_or_remove(object, &["metadata", field], meta.get(field).cloned());
    }
}

/// A list of the metadata; an empty one is left out.
pub(super) fn set_list(meta: &mut Map, field: &str, items: Vec<Value>) {
    if items.is_empty() {
        meta.remove(field);
    } else {
        meta.insert(field, items);
    }
}

/// Metadata a client cannot change, where it leaves it out; the rules speak of what it changes.
fn keep_what_the_server_owns(object: &mut Value, old: &Value) {
    for field in ["name", "namespace", "resourceVersion", "generation"] {
        restore_field(object, old, &["metadata", field]);
    }
    for field in ["uid", "creationTimestamp", "deletionGracePeriodSeconds"] {
        if object.at(&["metadata", field]).is_none_or(Value::is_empty) {
            restore_field(object, old, &["metadata", field]);
        }
    }
    if old.at(&["metadata", "deletionTimestamp"]).is_some() {
        restore_field(object, old, &["metadata", "deletionTimestamp"]);
    }
}

/// A custom resource keeps what the server owns whatever the client says.
fn keep_identity(object: &mut Value, old: &Value) {
    for field in ["creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"] {
        restore_field(object, old, &["metadata", field]);
    }
}

fn restore_field(object: &mut Value, old: &Value, path: &[&str]) {
    set_or_remove(object, path, old.at(path).cloned());
}

fn set_or_remove(object: &mut Value, path: &[&str], value: Option<Value>) {
    match value {
        Some(value) => object.set(path, value),
        None => {
            object.remove(path);
        }
    }
}

/// Whether anything but metadata and status differs.
fn spec_differs(new: &Value, old: &Value) -> bool {
    let parts = |value: &Value| -> Vec<(String, Value)> {
        let map = value.as_map().expect("an object is a map");
        map.iter()
            .filter(|(key, _)| !matches!(*key, "metadata" | "status" | "apiVersion" | "kind"))
            .map(|(key, value)| (key.to_owned(), value.clone()))
            .collect()
    };
    parts(new) != parts(old)
}

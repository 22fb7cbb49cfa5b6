//! Creating objects: from a document to a row, with everything the API server does on the way.

use std::sync::{Arc, OnceLock};

use smallvec::SmallVec;

use super::addresses::Addresses;
use super::log::Verb;
use super::meta::Meta;
use super::object::{Body, Name, ObjectId, Row};
use super::pod::{PodState, UNSCHEDULABLE};
use super::{Store, pod_status};
use crate::api::decode::{
    cannot_be_handled, canonicalize_stored, decode, strict_error, without_nulls,
};
use crate::api::rules::RuleKind;
use crate::api::{ApiError, ApiResult, FieldError, KindId, Schema, custom};
use crate::base::random::suffix_text;
use crate::base::{Map, StrId, Text, Value};

/// The namespace of objects that name none.
pub const DEFAULT_NAMESPACE: &str = "default";

/// How often a generated name is drawn before the create fails.
const NAME_ATTEMPTS: usize = 8;
/// `generateName` is cut so that the whole name stays within a DNS label.
const GENERATED_PREFIX_MAX: usize = 58;

/// What becomes of fields a type does not have. They are stored in any case but the last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strictness {
    /// Nobody hears of them.
    Ignore,
    /// Each yields a warning.
    #[default]
    Warn,
    /// The write is refused.
    Strict,
}

/// How a write is to be done.
#[derive(Clone, Debug, Default)]
pub struct WriteOptions {
    /// The namespace of the request; that of the object, or `default`, when absent.
    pub namespace: Option<Text>,
    /// Do everything but store the result.
    pub dry_run: bool,
    /// What becomes of unknown fields.
    pub strictness: Strictness,
}

/// What a write did.
#[derive(Clone, Debug)]
pub struct Written {
    /// The object written. After a dry run of a create it names nothing.
    pub id: ObjectId,
    /// The object as stored, or as it would have been.
    pub object: Value,
    /// What the API server would send as `Warning` headers.
    pub warnings: Vec<String>,
    /// Whether anything changed.
    pub changed: bool,
}

/// A document split into what the store keeps; everything but the name is final.
pub(super) struct Incoming {
    pub kind: KindId,
    pub version: u8,
    pub meta: Meta,
    pub namespace: Option<StrId>,
    pub doc: Map,
    pub status: Value,
}

impl Store {
    /// Creates an object.
    ///
    /// # Errors
    /// Whatever the API server answers: unknown kind, wrong types, invalid fields, a missing or
    /// terminating namespace, a name that is taken.
    pub fn create(&mut self, object: Value, options: &WriteOptions) -> ApiResult<Written> {
        let (kind, mut object, warnings) = self.decode(object, options.strictness)?;
        let namespace = self.target_namespace(kind, &object, options.namespace.as_deref())?;
        self.check_namespace_open(kind, namespace.as_deref())?;
        set_namespace(&mut object, namespace.as_deref());
        let generated = self.generate_name(kind, namespace.as_deref(), &mut object)?;
        let addresses = self.make_ready(kind, &mut object, options.dry_run)?;
        let name: Text = object.str_at(&["metadata", "name"]).unwrap_or_default().into();
        let exists = self.find(kind, namespace.as_deref(), &name).is_some();
        if exists || self.is_system_class(kind, &name) {
            return Err(ApiError::already_exists(self.resource(kind), &name));
        }
        if options.dry_run {
            let id = ObjectId { kind, slot: u32::MAX, generation: 0 };
            return Ok(Written { id, object, warnings, changed: true });
        }
        self.addresses = addresses;
        let mut incoming = self.split(kind, object);
        incoming.meta.created = Some(self.now.to_second());
        incoming.meta.uid = Text::default();
        incoming.meta.deletion = None;
        let name = generated.unwrap_or_else(|| Name::whole(self.strings.intern(&name)));
        let id = self.insert(incoming, name, Verb::Added);
        self.created(id)?;
        let object = self.get(id).expect("just created");
        Ok(Written { id, object, warnings, changed: true })
    }

    /// Puts an object back as a dump has it: uid, times, generation, status and all. Nothing is
    /// defaulted by time or chance; structure is checked, meaning is not.
    ///
    /// # Errors
    /// Unknown kind, wrong types, no name, or a name that is taken.
    pub fn restore(&mut self, object: Value, strictness: Strictness) -> ApiResult<Written> {
        let (kind, mut object, warnings) = self.decode_as(object, strictness, false)?;
        let namespace = self.target_namespace(kind, &object, None)?;
        set_namespace(&mut object, namespace.as_deref());
        let name: Text = object.str_at(&["metadata", "name"]).unwrap_or_default().into();
        if name.is_empty() {
            return Err(ApiError::bad_request(format!(
                "a {} without metadata.name cannot be loaded as cluster state",
                self.registry.kind(kind).id.kind
            )));
        }
        if self.find(kind, namespace.as_deref(), &name).is_some() {
            return Err(ApiError::already_exists(self.resource(kind), &name));
        }
        self.settle(kind, &mut object);
        let incoming = self.split(kind, object);
        let name = Name::whole(self.strings.intern(&name));
        let id = self.insert(incoming, name, Verb::Restored);
        self.take_addresses(id);
        if kind == self.kinds.definition {
            self.define(id)?;
        }
        let object = self.get(id).expect("just restored");
        Ok(Written { id, object, warnings, changed: true })
    }

    /// Checks a document against its type and says of which kind it is.
    pub(super) fn decode(
        &self,
        object: Value,
        strictness: Strictness,
    ) -> ApiResult<(KindId, Value, Vec<String>)> {
        self.decode_as(object, strictness, true)
    }

    /// The same; in history also versions count that are not served.
    fn decode_as(
        &self,
        mut object: Value,
        strictness: Strictness,
        served_only: bool,
    ) -> ApiResult<(KindId, Value, Vec<String>)> {
        let api_version = object.str_at(&["apiVersion"]).unwrap_or_default();
        let kind = object.str_at(&["kind"]).unwrap_or_default();
        let found = self
            .registry
            .find(api_version, kind)
            .filter(|found| found.version.served || !served_only)
            .ok_or_else(|| ApiError::no_kind_match(api_version, kind))?;
        let (kind, version) = (&found.kind.id.kind, &found.version.name);
        let mut warnings = decode(&found.version.schema, &mut object)
            .map_err(|sentence| cannot_be_handled(kind, version, &sentence))?;
        match strictness {
            Strictness::Strict if !warnings.is_empty() => {
                return Err(strict_error(kind, version, &warnings));
            }
            Strictness::Ignore => warnings.clear(),
            _ => {}
        }
        Ok((found.id, object, warnings))
    }

    /// The namespace a request is about: its own, the object's, or `default`.
    pub(super) fn target_namespace(
        &self,
        kind: KindId,
        object: &Value,
        requested: Option<&str>,
    ) -> ApiResult<Option<Text>> {
        if !self.registry.kind(kind).namespaced {
            return Ok(None);
        }
        let own = object.str_at(&["metadata", "namespace"]).filter(|text| !text.is_empty());
        match (own, requested) {
            (Some(own), Some(requested)) if own != requested => Err(ApiError::bad_request(
                "the namespace of the provided object does not match the namespace sent on the \
                 request",
            )),
            (own, requested) => Ok(Some(own.or(requested).unwrap_or(DEFAULT_NAMESPACE).into())),
        }
    }

    /// Creating into a missing or terminating namespace fails.
    pub(super) fn check_namespace_open(
        &self,
        kind: KindId,
        namespace: Option<&str>,
    ) -> ApiResult<()> {
        let Some(namespace) = namespace else { return Ok(()) };
        let id = self.require(self.kinds.namespace, None, namespace)?;
        let row = self.row(id).expect("just found");
        if row.deletion.is_none() {
            return Ok(());
        }
        let why = format!(
            "unable to create new content in namespace {namespace} because it is being terminated"
        );
        Err(ApiError::forbidden(self.resource(kind), "", why).with_cause(
            "NamespaceTerminating",
            format!("namespace {namespace} is being terminated"),
            "metadata.namespace",
        ))
    }

    /// Gives an object without a name one made from its `generateName`.
    fn generate_name(
        &mut self,
        kind: KindId,
        namespace: Option<&str>,
        object: &mut Value,
    ) -> ApiResult<Option<Name>> {
        let has_name = object.str_at(&["metadata", "name"]).is_some_and(|name| !name.is_empty());
        let prefix = object.str_at(&["metadata", "generateName"]).unwrap_or_default();
        if has_name || prefix.is_empty() {
            return Ok(None);
        }
        let prefix = generated_prefix(prefix).to_owned();
        for _ in 0..NAME_ATTEMPTS {
            let suffix = self.suffixes.name_suffix();
            let text = format!("{prefix}{}", String::from_utf8_lossy(&suffix_text(suffix)));
            if self.find(kind, namespace, &text).is_none() {
                object.set(&["metadata", "name"], text);
                let prefix = self.strings.intern(&prefix);
                return Ok(Some(Name::generated(prefix, suffix)));
            }
        }
        Err(ApiError::generate_name_conflict(self.resource(kind), &prefix, 1))
    }

    /// Everything between the name of a new object and its row: defaults, admission, what its
    /// kind's strategy does, addresses, and the checks. Returns the addresses as they are once
    /// the object is stored.
    pub(super) fn make_ready(
        &self,
        kind: KindId,
        object: &mut Value,
        dry_run: bool,
    ) -> ApiResult<Addresses> {
        self.apply_defaults(kind, object);
        self.admit(kind, object)?;
        object.set(&["metadata", "uid"], self.uids.text(self.uids.peek()));
        self.prepare_create(kind, object);
        self.stamp_status(kind, object, None);
        let addresses = self.allocate(kind, object, None, dry_run)?;
        let errors = match self.rules_of(kind, object) {
            Some(rules) => self.rules.validate_create(rules, object),
            None => self.validate_custom(kind, object),
        };
        self.refuse(kind, object, &errors)?;
        self.check_default_class(kind, object)?;
        self.settle(kind, object);
        Ok(addresses)
    }

    /// The form in which a checked object is stored: as the API server writes it, with the
    /// defaults that reading it back adds.
    pub(super) fn settle(&self, kind: KindId, object: &mut Value) {
        let schema = self.schema_of(kind, object);
        canonicalize_stored(schema, object);
        if self.apply_defaults(kind, object) {
            canonicalize_stored(schema, object);
        }
    }

    /// Brings a written object into the form rules compare: a field is there or it is not.
    pub(super) fn plain(&self, kind: KindId, object: &mut Value) {
        without_nulls(self.schema_of(kind, object), object);
    }

    /// The type of an object in its version.
    pub(super) fn schema_of(&self, kind: KindId, object: &Value) -> &Schema {
        let api_version = object.str_at(&["apiVersion"]).unwrap_or_default();
        let named = self.registry.kind(kind);
        let version = named.versions.iter().find(|one| named.api_version(one) == api_version);
        &version.unwrap_or_else(|| named.preferred()).schema
    }

    /// The rules for an object of this kind in its version.
    pub(super) fn rules_of(&self, kind: KindId, object: &Value) -> Option<RuleKind> {
        let api_version = object.str_at(&["apiVersion"])?;
        self.rules.find(api_version, &self.registry.kind(kind).id.kind)
    }

    /// What the kind's strategy does to a new object: the status is not the creator's to say,
    /// the generation starts, some kinds start with fields of their own.
    fn prepare_create(&self, kind: KindId, object: &mut Value) {
        if let Some(rules) = self.rules_of(kind, object) {
            self.rules.prepare_create(rules, object);
            return;
        }
        let policy = self.policy(kind);
        if self.has_status(kind) && !policy.keeps_status {
            object.remove(&["status"]);
        }
        if policy.generation {
            object.set(&["metadata", "generation"], 1);
        }
        if kind == self.kinds.namespace {
            object.set(&["status", "phase"], "Active");
            object.set(&["spec", "finalizers"], vec![Value::from("kubernetes")]);
        }
    }

    /// Whether the kind has a status subresource.
    pub(super) fn has_status(&self, kind: KindId) -> bool {
        self.registry.kind(kind).preferred().subresource("status").is_some()
    }

    /// Adds what decoding adds to an object; false when it had everything.
    pub(super) fn apply_defaults(&self, kind: KindId, object: &mut Value) -> bool {
        if let Some(rules) = self.rules_of(kind, object) {
            return self.rules.default(rules, object);
        }
        if let Some(openapi) = self.custom_schema(kind, object) {
            custom::default(openapi, object);
        }
        true
    }

    /// What the schema of a custom resource's version finds wrong.
    pub(super) fn validate_custom(&self, kind: KindId, object: &Value) -> Vec<FieldError> {
        self.custom_schema(kind, object)
            .map_or_else(Vec::new, |openapi| custom::validate(openapi, object))
    }

    /// The schema of a custom resource in its version.
    fn custom_schema(&self, kind: KindId, object: &Value) -> Option<&Value> {
        let kind = self.registry.kind(kind);
        kind.definition.as_ref()?;
        let version = object.str_at(&["apiVersion"])?.rsplit('/').next()?;
        kind.version(version)?.openapi.as_ref()
    }

    /// Answers 422 when anything was found wrong.
    pub(super) fn refuse(
        &self,
        kind: KindId,
        object: &Value,
        errors: &[FieldError],
    ) -> ApiResult<()> {
        if errors.is_empty() {
            return Ok(());
        }
        let name = object.str_at(&["metadata", "name"]).unwrap_or_default();
        Err(ApiError::invalid(&self.registry.kind(kind).id, name, errors))
    }

    /// Takes a decoded document apart.
    pub(super) fn split(&mut self, kind: KindId, object: Value) -> Incoming {
        let named = self.registry.kind(kind);
        let api_version = object.str_at(&["apiVersion"]).unwrap_or_default();
        let version = named
            .versions
            .iter()
            .position(|version| named.api_version(version) == api_version)
            .unwrap_or(0) as u8;
        let status_apart = self.has_status(kind);
        let Value::Map(map) = object else { unreachable!("a decoded object is a map") };
        let mut doc = Arc::unwrap_or_clone(map);
        doc.remove("apiVersion");
        doc.remove("kind");
        let meta = Meta::split(doc.remove("metadata"));
        let status =
            if status_apart { doc.remove("status").unwrap_or_default() } else { Value::Null };
        let namespace = (!meta.namespace.is_empty()).then(|| self.strings.intern(&meta.namespace));
        Incoming { kind, version, meta, namespace, doc, status }
    }

    /// The shared part of an incoming object.
    pub(super) fn make_body(&mut self, incoming: &mut Incoming) -> Body {
        let labels = self.sets.intern(&incoming.meta.labels);
        let (owners, controller) = Meta::owners(&incoming.meta.rest);
        let owners: SmallVec<_> = owners.into_iter().map(|uid| self.uids.intern(uid)).collect();
        let controller = controller.map(|uid| self.uids.intern(uid));
        Body {
            namespace: incoming.namespace,
            labels,
            version: incoming.version,
            owners,
            controller,
            meta: Arc::new(std::mem::take(&mut incoming.meta.rest)),
            doc: Arc::new(std::mem::take(&mut incoming.doc)),
            status: std::mem::take(&mut incoming.status),
            shape: OnceLock::new(),
            compiled: OnceLock::new(),
        }
    }

    /// The columns of an incoming pod; what they hold leaves the document.
    pub(super) fn take_pod_state(&mut self, incoming: &mut Incoming) -> PodState {
        let mut pod = pod_status::parse(&incoming.status, &mut self.strings);
        if is_fresh(&incoming.status) {
            // The columns say the same, and pods of one template go on sharing a body.
            incoming.status = Value::Null;
        }
        if let Some(Value::Map(spec)) = incoming.doc.get_mut("spec")
            && let Some(Value::Str(node)) = Arc::make_mut(spec).remove("nodeName")
            && !node.is_empty()
        {
            pod.node = Some(self.strings.intern(&node));
            pod.flags &= !UNSCHEDULABLE;
        }
        pod
    }

    /// Adds a row for a checked object.
    fn insert(&mut self, mut incoming: Incoming, name: Name, verb: Verb) -> ObjectId {
        let kind = incoming.kind;
        let pod = (kind == self.kinds.pod).then(|| self.take_pod_state(&mut incoming));
        let meta = &incoming.meta;
        let uid = match meta.uid.as_str() {
            "" => self.uids.issue(),
            text => self.uids.intern(text),
        };
        let row = Row {
            deletion: meta.deletion.map(Arc::new),
            name,
            uid: Some(uid),
            created: meta.created.unwrap_or(self.now.to_second()),
            generation: u32::try_from(meta.generation).unwrap_or(0),
            ..Row::default()
        };
        let kept_revision: u64 = meta.revision.parse().unwrap_or(0);
        let body = Arc::new(self.make_body(&mut incoming));
        let owner = self.controller_of(kind, &body);
        let row = Row { body: Some(Arc::clone(&body)), ..row };
        let text = name.text(&self.strings);
        let slot = self.table_mut(kind).insert(row, &text, owner);
        let id = self.table(kind).id(kind, slot);
        if let Some(pod) = pod {
            self.place_pod(slot, pod);
        }
        self.log_write(verb, id, 0, None);
        if kept_revision > 0 {
            self.table_mut(kind).row_mut(slot).revision = kept_revision;
        }
        id
    }

    /// What the creation of some kinds brings with it.
    fn created(&mut self, id: ObjectId) -> ApiResult<()> {
        if id.kind == self.kinds.definition {
            if let Err(error) = self.define(id) {
                self.erase(id);
                return Err(error);
            }
            self.establish(id);
        }
        Ok(())
    }
}

/// The part of a `generateName` that goes into the name.
pub(super) fn generated_prefix(prefix: &str) -> &str {
    let mut end = prefix.len().min(GENERATED_PREFIX_MAX);
    while !prefix.is_char_boundary(end) {
        end -= 1;
    }
    &prefix[..end]
}

fn set_namespace(object: &mut Value, namespace: Option<&str>) {
    match namespace {
        Some(namespace) => object.set(&["metadata", "namespace"], namespace),
        None => {
            object.remove(&["metadata", "namespace"]);
        }
    }
}

/// Whether a pod's status is what every new pod has.
fn is_fresh(status: &Value) -> bool {
    let fields = status.as_map().map(|status| status.keys().collect::<Vec<&str>>());
    fields.is_some_and(|fields| fields == ["phase", "qosClass"])
        && status.str_at(&["phase"]) == Some("Pending")
}

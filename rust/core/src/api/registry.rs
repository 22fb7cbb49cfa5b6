//! Every kind there is: the built-in ones and those that CustomResourceDefinitions add.
//!
//! A registry is cheap to clone: clones share everything until one of them learns of a new
//! kind. Kinds keep their number for good; a removed kind that comes back gets its old one.

use std::sync::Arc;

use smallvec::SmallVec;

use super::custom;
use super::field_error::FieldError;
use super::kinds::{Kind, KindId, Version};
use super::names::GroupKind;
use super::table;
use super::types::Schema;
use crate::base::{FastMap, Text, Value};

/// Every kind there is.
#[derive(Clone, Debug)]
pub struct Registry {
    inner: Arc<Inner>,
}

#[derive(Clone, Debug, Default)]
struct Inner {
    /// By number; a custom kind that was removed stays, for history still speaks of it.
    kinds: Vec<Option<Arc<Kind>>>,
    /// The group and kind of every number, removed or not.
    ids: Vec<GroupKind>,
    /// Whether the kind of a number is there.
    living: Vec<bool>,
    /// Numbers by kind name; groups rarely share one.
    by_name: FastMap<Text, SmallVec<[KindId; 2]>>,
    /// Living kinds in discovery's order.
    order: Vec<KindId>,
}

/// A kind in one of its versions.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    /// Its number.
    pub id: KindId,
    /// The kind.
    pub kind: &'a Kind,
    /// The version that was asked for, or the preferred one.
    pub version: &'a Version,
}

impl Default for Registry {
    fn default() -> Self {
        Self::new()
    }
}

impl Registry {
    /// The built-in kinds of Kubernetes 1.36.
    pub fn new() -> Self {
        let mut inner = Inner::default();
        for kind in &table::builtin().kinds {
            let id = inner.number(&kind.id);
            inner.kinds[id.index()] = Some(Arc::new(kind.clone()));
            inner.living[id.index()] = true;
            inner.order.push(id);
        }
        Self { inner: Arc::new(inner) }
    }

    /// The kind of this number, also when it was removed since.
    pub fn kind(&self, id: KindId) -> &Kind {
        self.inner.kinds[id.index()].as_ref().expect("a kind in use is registered")
    }

    /// Every kind, in discovery's order: groups by preference, resources by name.
    pub fn kinds(&self) -> impl Iterator<Item = (KindId, &Kind)> {
        self.inner.order.iter().map(|id| (*id, self.kind(*id)))
    }

    /// The number of a kind of a group.
    pub fn kind_id(&self, group: &str, kind: &str) -> Option<KindId> {
        let candidates = self.inner.by_name.get(kind)?;
        let id = candidates.iter().find(|id| self.inner.ids[id.index()].group == group)?;
        self.inner.living[id.index()].then_some(*id)
    }

    /// The kind an object is of, by its `apiVersion` and `kind`.
    pub fn find(&self, api_version: &str, kind: &str) -> Option<Found<'_>> {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let id = self.kind_id(group, kind)?;
        let kind = self.kind(id);
        Some(Found { id, kind, version: kind.version(version)? })
    }

    /// The kind behind a path such as `/apis/apps/v1/deployments`.
    pub fn find_resource(&self, group: &str, version: &str, plural: &str) -> Option<Found<'_>> {
        let (id, kind) = self
            .kinds()
            .find(|(_, kind)| kind.resource.group == group && kind.resource.resource == plural)?;
        Some(Found { id, kind, version: kind.version(version)? })
    }

    /// The type of any object, of a resource or not (`Scale`, `Eviction`, `DeleteOptions`).
    pub fn schema(&self, api_version: &str, kind: &str) -> Option<Schema> {
        if let Some(found) = self.find(api_version, kind) {
            return Some(found.version.schema.clone());
        }
        let objects = &table::builtin().objects;
        let found = objects
            .iter()
            .find(|(version, name, _)| name == kind && version.to_string() == api_version)?;
        Some(Schema::of_builtin(found.2))
    }

    /// Adds the kind a CustomResourceDefinition defines, or replaces what an earlier version of
    /// the definition said. The registry is unchanged when it cannot.
    ///
    /// # Errors
    /// What is wrong with the definition, by field.
    pub fn define(&mut self, definition: &Value) -> Result<KindId, Vec<FieldError>> {
        let kind = custom::compile(definition)?;
        if let Some(conflict) = self.name_conflict(&kind) {
            return Err(vec![conflict]);
        }
        let inner = Arc::make_mut(&mut self.inner);
        let id = inner.number(&kind.id);
        inner.kinds[id.index()] = Some(Arc::new(kind));
        inner.place(id);
        Ok(id)
    }

    /// Removes the kind a CustomResourceDefinition defined, by the definition's name
    /// (`plural.group`). Built-in kinds stay.
    pub fn undefine(&mut self, name: &str) -> Option<KindId> {
        let (id, _) = self
            .kinds()
            .find(|(_, kind)| kind.definition.is_some() && kind.resource.to_string() == name)?;
        let inner = Arc::make_mut(&mut self.inner);
        inner.living[id.index()] = false;
        inner.order.retain(|other| *other != id);
        Some(id)
    }

    /// The definitions of all custom kinds by number, and whether each is still there.
    pub fn definitions(&self) -> Vec<(Value, bool)> {
        let kinds = self.inner.kinds.iter().flatten();
        kinds
            .filter_map(|kind| {
                let living = self.kind_id(&kind.id.group, &kind.id.kind).is_some();
                Some((kind.definition.clone()?, living))
            })
            .collect()
    }

    /// A name of `kind` that another kind of its group has already.
    fn name_conflict(&self, kind: &Kind) -> Option<FieldError> {
        let others = || {
            self.kinds().map(|(_, other)| other).filter(|other| {
                other.id.group == kind.id.group
                    && (other.resource != kind.resource || other.definition.is_none())
            })
        };
        let taken = |name: &str| {
            others().any(|other| {
                other.resource.resource == name
                    || other.singular == name
                    || other.short_names.iter().any(|short| short == name)
            })
        };
        let names = [("plural", &kind.resource.resource), ("singular", &kind.singular)];
        let shorts = kind.short_names.iter().map(|name| ("shortNames", name));
        if let Some((field, name)) =
            names.into_iter().chain(shorts).find(|(_, name)| taken(name.as_str()))
        {
            return Some(in_use(field, name));
        }
        let kinds = [("kind", &kind.id.kind), ("listKind", &kind.list_kind)];
        let (field, name) = kinds.into_iter().find(|(_, name)| {
            others().any(|other| other.id.kind == **name || other.list_kind == **name)
        })?;
        Some(in_use(field, name))
    }
}

fn in_use(field: &str, name: &str) -> FieldError {
    let detail = format!("\"{name}\" is already in use");
    FieldError::invalid(format!("spec.names.{field}"), name, detail)
}

impl Inner {
    /// The number of a kind, given to it now if it never had one.
    fn number(&mut self, id: &GroupKind) -> KindId {
        if let Some(at) = self.ids.iter().position(|known| known == id) {
            return KindId::new(at);
        }
        let number = KindId::new(self.ids.len());
        self.ids.push(id.clone());
        self.kinds.push(None);
        self.living.push(false);
        self.by_name.get_or_insert_with(id.kind.clone(), SmallVec::new).push(number);
        number
    }

    /// Puts a custom kind where discovery lists it: after the built-in ones, by group and name.
    fn place(&mut self, id: KindId) {
        self.living[id.index()] = true;
        self.order.retain(|other| *other != id);
        let key = |id: KindId| {
            let kind = self.kinds[id.index()].as_ref().expect("ordered kinds are registered");
            (kind.definition.is_some(), &kind.resource)
        };
        let at = self.order.partition_point(|other| {
            let (custom, resource) = key(*other);
            !custom || resource < key(id).1
        });
        self.order.insert(at, id);
    }
}

#[cfg(test)]
mod tests {
    use super::Registry;
    use crate::api::types::{Form, ListKind};
    use crate::base::Value;

    fn widgets() -> Value {
        Value::from_json(
            r#"{"metadata":{"name":"widgets.example.com"},"spec":{
            "group":"example.com","scope":"Cluster",
            "names":{"plural":"widgets","kind":"Widget","shortNames":["wd"],"categories":["all"]},
            "versions":[
              {"name":"v1beta1","served":true,"storage":false,"deprecated":true},
              {"name":"v1","served":true,"storage":true,
               "subresources":{"status":{},"scale":{"specReplicasPath":".spec.replicas",
                 "statusReplicasPath":".status.replicas"}},
               "additionalPrinterColumns":[{"name":"Size","type":"string","jsonPath":".spec.size"}],
               "schema":{"openAPIV3Schema":{"type":"object","properties":{"spec":{
                 "type":"object","required":["size"],"properties":{
                   "size":{"type":"string"},"replicas":{"type":"integer","default":1},
                   "port":{"x-kubernetes-int-or-string":true},
                   "extra":{"type":"object","x-kubernetes-preserve-unknown-fields":true},
                   "labels":{"type":"object","additionalProperties":{"type":"string"}},
                   "parts":{"type":"array","x-kubernetes-list-type":"map",
                     "x-kubernetes-list-map-keys":["name"],
                     "items":{"type":"object","properties":{"name":{"type":"string"}}}}}}}}}}
            ]}}"#,
        )
        .unwrap()
    }

    #[test]
    fn versions_of_one_kind_share_one_number() {
        let registry = Registry::new();
        let v1 = registry.find("autoscaling/v1", "HorizontalPodAutoscaler").unwrap();
        let v2 = registry.find("autoscaling/v2", "HorizontalPodAutoscaler").unwrap();
        assert_eq!(v1.id, v2.id);
        assert_ne!(v1.version.schema.root_id(), v2.version.schema.root_id());
        assert_eq!(v1.kind.preferred().name, "v2");
        assert!(registry.find("autoscaling/v3", "HorizontalPodAutoscaler").is_none());
        assert!(registry.find("apps/v1", "Pod").is_none());
        let found = registry.find_resource("apps", "v1", "deployments").unwrap();
        assert_eq!(found.kind.id.to_string(), "Deployment.apps");
        assert!(registry.schema("policy/v1", "Eviction").is_some());
    }

    #[test]
    fn a_definition_adds_a_kind_and_clones_do_not_see_it() {
        let mut registry = Registry::new();
        let before = registry.clone();
        let id = registry.define(&widgets()).unwrap();
        assert!(before.resolve("widgets").is_err());
        let found = registry.resolve("wd").unwrap();
        assert_eq!((found.id, found.version.name.as_str()), (id, "v1"));
        assert!(!found.kind.namespaced);
        assert_eq!(found.kind.singular, "widget");
        assert_eq!(found.kind.list_kind, "WidgetList");
        assert_eq!(found.version.columns[0].json_path, ".spec.size");
        assert!(found.version.subresource("scale").unwrap().scale.is_some());
        let old = registry.find("example.com/v1beta1", "Widget").unwrap();
        assert_eq!(
            old.version.deprecation,
            "example.com/v1beta1 Widget is deprecated; use example.com/v1 Widget"
        );
        let schema = &found.version.schema;
        assert_eq!(schema.at(&["spec", "port"]).unwrap().form, Form::IntOrString);
        assert_eq!(schema.at(&["spec", "extra"]).unwrap().form, Form::Raw);
        assert_eq!(
            schema.at(&["metadata", "labels"]).unwrap().as_map().unwrap().value.form,
            Form::Str
        );
        let parts = schema.at(&["spec", "parts"]).unwrap().as_list().unwrap();
        assert_eq!(parts.kind, ListKind::Map(vec!["name".into()]));
    }

    #[test]
    fn a_removed_kind_that_comes_back_keeps_its_number() {
        let mut registry = Registry::new();
        let id = registry.define(&widgets()).unwrap();
        assert_eq!(registry.undefine("widgets.example.com"), Some(id));
        assert!(registry.find("example.com/v1", "Widget").is_none());
        assert_eq!(registry.undefine("widgets.example.com"), None);
        assert_eq!(registry.undefine("deployments.apps"), None);
        assert_eq!(registry.define(&widgets()), Ok(id));
    }

    #[test]
    fn names_already_in_use_and_missing_names_are_refused() {
        let mut registry = Registry::new();
        registry.define(&widgets()).unwrap();
        registry.define(&widgets()).expect("the same definition may be written again");
        let mut other = widgets();
        other.set(&["spec", "names", "plural"], "gadgets");
        other.set(&["spec", "names", "kind"], "Gadget");
        let errors = registry.define(&other).unwrap_err();
        assert_eq!(
            errors[0].to_string(),
            "spec.names.shortNames: Invalid value: \"wd\": \"wd\" is already in use"
        );
        let errors = registry.define(&Value::map([("spec", Value::Null)])).unwrap_err();
        assert_eq!(errors.len(), 4);
    }
}

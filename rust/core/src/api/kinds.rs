//! Kinds: the names, versions and verbs of everything that can be stored.

use std::fmt;

use super::names::{GroupKind, GroupResource, GroupVersion};
use super::types::Schema;
use crate::base::{Text, Value};
use crate::define_id;

define_id! {
    /// A kind, whatever its version: the identity of what is stored.
    KindId
}

/// A kind of object, with every version it is served in.
#[derive(Clone, Debug)]
pub struct Kind {
    /// Group and kind, as messages about invalid objects print them.
    pub id: GroupKind,
    /// Group and plural name, as other messages print them.
    pub resource: GroupResource,
    /// The singular name, such as `deployment`.
    pub singular: Text,
    /// The kind of a list of these.
    pub list_kind: Text,
    /// Short names, such as `deploy`.
    pub short_names: Vec<Text>,
    /// Categories, such as `all`.
    pub categories: Vec<Text>,
    /// Whether its objects live in a namespace.
    pub namespaced: bool,
    /// Its versions, the preferred one first.
    pub versions: Vec<Version>,
    /// The CustomResourceDefinition it comes from, unless it is built in.
    pub definition: Option<Value>,
}

/// One version of a kind.
#[derive(Clone, Debug)]
pub struct Version {
    /// Its name, such as `v1`.
    pub name: Text,
    /// Whether a server serves it unless told otherwise.
    pub served: bool,
    /// Whether objects are stored in this version; a built-in kind stores its preferred one.
    pub storage: bool,
    /// What its objects look like.
    pub schema: Schema,
    /// The structural schema of a custom resource, for its defaults and rules.
    pub openapi: Option<Value>,
    /// What can be done with them.
    pub verbs: Verbs,
    /// Subresources by name.
    pub subresources: Vec<Subresource>,
    /// The columns a custom resource prints beside its name.
    pub columns: Vec<Column>,
    /// The warning a custom resource's deprecated version carries; empty when it is not.
    pub deprecation: String,
}

/// A part of an object with verbs of its own, such as `status` or `scale`.
#[derive(Clone, Debug, PartialEq)]
pub struct Subresource {
    /// Its name.
    pub name: Text,
    /// What can be done with it.
    pub verbs: Verbs,
    /// What it takes and answers, unless that is the object itself.
    pub kind: Option<(GroupVersion, Text)>,
    /// Where `scale` finds its numbers in a custom resource.
    pub scale: Option<ScalePaths>,
}

/// Where `scale` finds its numbers, as JSON paths such as `.spec.replicas`.
#[derive(Clone, Debug, PartialEq)]
pub struct ScalePaths {
    /// The wanted number.
    pub spec_replicas: Text,
    /// The actual number.
    pub status_replicas: Text,
    /// The selector in text form; empty when there is none.
    pub label_selector: Text,
}

/// A column of a custom resource's table.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Its heading.
    pub name: Text,
    /// `string`, `integer`, `number`, `boolean` or `date`.
    pub kind: Text,
    /// A refinement of the type; may be empty.
    pub format: Text,
    /// What it means.
    pub description: Text,
    /// 0 for columns that are always shown.
    pub priority: i64,
    /// Where the value is, such as `.spec.size`.
    pub json_path: Text,
}

/// A set of verbs.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Verbs(u8);

/// A verb of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Verb {
    /// Make a new object.
    Create,
    /// Remove one object.
    Delete,
    /// Remove every object that matches.
    DeleteCollection,
    /// Read one object.
    Get,
    /// Read every object that matches.
    List,
    /// Change parts of one object.
    Patch,
    /// Replace one object.
    Update,
    /// Follow changes.
    Watch,
}

impl Verb {
    /// Every verb, in discovery's order.
    pub const ALL: [Self; 8] = [
        Self::Create,
        Self::Delete,
        Self::DeleteCollection,
        Self::Get,
        Self::List,
        Self::Patch,
        Self::Update,
        Self::Watch,
    ];

    /// The word discovery uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Delete => "delete",
            Self::DeleteCollection => "deletecollection",
            Self::Get => "get",
            Self::List => "list",
            Self::Patch => "patch",
            Self::Update => "update",
            Self::Watch => "watch",
        }
    }
}

impl Verbs {
    /// Every verb.
    pub const ALL: Self = Self(0xff);

    /// Whether the set holds `verb`.
    pub fn has(self, verb: Verb) -> bool {
        self.0 & (1 << verb as u8) != 0
    }

    /// The verbs of the set, in discovery's order.
    pub fn iter(self) -> impl Iterator<Item = Verb> {
        Verb::ALL.into_iter().filter(move |verb| self.has(*verb))
    }
}

impl FromIterator<Verb> for Verbs {
    fn from_iter<I: IntoIterator<Item = Verb>>(verbs: I) -> Self {
        Self(verbs.into_iter().fold(0, |bits, verb| bits | 1 << verb as u8))
    }
}

impl fmt::Debug for Verbs {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl Kind {
    /// The version of this name.
    pub fn version(&self, name: &str) -> Option<&Version> {
        self.versions.iter().find(|version| version.name == name)
    }

    /// The preferred version: what a client gets that asks for none.
    pub fn preferred(&self) -> &Version {
        &self.versions[0]
    }

    /// What `apiVersion` says in an object of this version.
    pub fn api_version(&self, version: &Version) -> String {
        GroupVersion::new(&self.id.group, &version.name).to_string()
    }
}

impl Version {
    /// The subresource of this name.
    pub fn subresource(&self, name: &str) -> Option<&Subresource> {
        self.subresources.iter().find(|subresource| subresource.name == name)
    }
}

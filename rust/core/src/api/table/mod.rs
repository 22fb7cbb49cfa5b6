//! The embedded facts of the Kubernetes 1.36 API, read once on first use.
//!
//! Grammar of `v1.36.txt`, one fact a line:
//!
//! ```text
//! version GROUP VERSION [off]                    groups and versions in discovery's order
//! resource KIND PLURAL SINGULAR SCOPE VERBS TYPE [short=a,b] [categories=a,b]
//!  sub NAME VERBS [GROUP VERSION KIND]           a subresource of the line above
//! object GROUP VERSION KIND TYPE                 a kind that is no resource
//! package PACKAGE                                types that follow belong to it
//! type NAME [atomic]
//!  NAME FLAGS SHAPE [in=..] [set | map=a,b] [patch=..] [key=..] [default=JSON]
//! ```
//!
//! `-` stands for nothing; `off` marks versions a server does not serve unless told to. VERBS
//! are letters of create, delete, D(eletecollection), get, list, patch, update, watch. FLAGS:
//! `w` always written, `z` omitted when zero, `r` required, `a` atomic. A SHAPE is `*` for a
//! pointer, `<Go name>`, then one of `s b i l d y q x t u r j` (string, bool, int32, int64,
//! double, bytes, quantity, int-or-string, time, microtime, raw object, any JSON),
//! `[]` item, `{key name}` value, or a type (`meta/v1.ObjectMeta`, its package left out within
//! it).

mod read;

use std::sync::LazyLock;

use super::kinds::Kind;
use super::names::GroupVersion;
use super::types::{Type, TypeId};
use crate::base::{FastMap, Text};

const TEXT: &str = include_str!("v1.36.txt");

/// Everything the table says.
#[derive(Debug, Default)]
pub struct Builtin {
    /// Struct types; a [`TypeId`] is a position here.
    pub types: Vec<Type>,
    /// Resources by kind, versions of one kind together, in discovery's order.
    pub kinds: Vec<Kind>,
    /// Kinds that are no resource, such as `Scale` or `Eviction`.
    pub objects: Vec<(GroupVersion, Text, TypeId)>,
    /// Groups in discovery's order; the core group, the empty name, is first.
    pub groups: Vec<Text>,
    by_name: FastMap<String, TypeId>,
}

impl Builtin {
    /// The type of this package and name.
    pub fn type_id(&self, package: &str, name: &str) -> Option<TypeId> {
        self.by_name.get(format!("{package}.{name}").as_str()).copied()
    }
}

/// The embedded table.
pub fn builtin() -> &'static Builtin {
    static BUILTIN: LazyLock<Builtin> = LazyLock::new(|| read::read(TEXT));
    &BUILTIN
}

#[cfg(test)]
mod tests {
    use super::builtin;
    use crate::api::types::{Form, ListKind, Schema, Written};

    #[test]
    fn the_table_holds_every_kind_and_type_of_the_release() {
        let table = builtin();
        let versions: usize = table.kinds.iter().map(|kind| kind.versions.len()).sum();
        assert_eq!((table.kinds.len(), versions, table.groups.len()), (76, 95, 23));
        assert_eq!(table.types.len(), 671);
        assert!(table.types.iter().all(|t| t.fields.is_sorted_by(|a, b| a.name < b.name)));
        assert_eq!(table.groups[..3], ["", "apiregistration.k8s.io", "apps"]);
    }

    #[test]
    fn field_facts_survive_the_table() {
        let pod = Schema::builtin("core/v1", "Pod").unwrap();
        let containers = pod.at(&["spec", "containers"]).unwrap();
        assert_eq!(pod.go_type(containers), "[]v1.Container");
        let ports = pod.at(&["spec", "containers", "ports"]).unwrap().as_list().unwrap();
        assert_eq!(ports.kind, ListKind::Map(vec!["containerPort".into(), "protocol".into()]));
        let protocol = pod.at(&["spec", "containers", "ports", "protocol"]).unwrap();
        assert_eq!(pod.go_type(protocol), "v1.Protocol");
        let limits = pod.at(&["spec", "containers", "resources", "limits"]).unwrap();
        assert_eq!(pod.go_type(limits), "v1.ResourceList");
        let Form::Struct(spec) = pod.at(&["spec"]).unwrap().form else {
            panic!("spec is a struct")
        };
        let spec = pod.get(spec);
        let field = |name| spec.field(name).unwrap();
        assert_eq!(field("containers").written, Written::Always);
        assert!(field("containers").required && field("nodeSelector").atomic);
        let volumes = field("volumes").patch.as_ref().unwrap();
        assert!(volumes.merge && volumes.retain_keys && volumes.merge_key == "name");
        let Form::Struct(volume) =
            pod.at(&["spec", "volumes"]).unwrap().as_list().unwrap().item.form
        else {
            panic!("a volume is a struct")
        };
        assert_eq!(pod.get(volume).field("emptyDir").unwrap().embedded, "VolumeSource");
    }
}

//! The names every kind carries: group, version, kind, resource.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::base::Text;

/// A kind of a group, such as `Deployment.apps`: what an object is, whatever its version.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct GroupKind {
    /// The group; empty for the core group.
    pub group: Text,
    /// The kind, such as `Deployment`.
    pub kind: Text,
}

/// A resource of a group, such as `deployments.apps`: what messages call it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct GroupResource {
    /// The group; empty for the core group.
    pub group: Text,
    /// The plural name, such as `deployments`.
    pub resource: Text,
}

/// What `apiVersion` says: a group and a version.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct GroupVersion {
    /// The group; empty for the core group.
    pub group: Text,
    /// The version, such as `v1`.
    pub version: Text,
}

impl GroupKind {
    /// A kind of a group.
    pub fn new(group: &str, kind: &str) -> Self {
        Self { group: group.into(), kind: kind.into() }
    }
}

impl GroupResource {
    /// A resource of a group.
    pub fn new(group: &str, resource: &str) -> Self {
        Self { group: group.into(), resource: resource.into() }
    }

    /// Whether it names nothing.
    pub fn is_empty(&self) -> bool {
        self.group.is_empty() && self.resource.is_empty()
    }
}

impl GroupVersion {
    /// A version of a group.
    pub fn new(group: &str, version: &str) -> Self {
        Self { group: group.into(), version: version.into() }
    }

    /// Reads `v1` or `apps/v1`.
    ///
    /// # Errors
    /// Kubernetes' sentence when there is more than one slash.
    pub fn parse(api_version: &str) -> Result<Self, String> {
        match api_version.split_once('/') {
            None => Ok(Self::new("", api_version)),
            Some((group, version)) if !version.contains('/') => Ok(Self::new(group, version)),
            Some(_) => Err(format!("unexpected GroupVersion string: {api_version}")),
        }
    }
}

impl fmt::Display for GroupKind {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        dotted(f, &self.kind, &self.group)
    }
}

impl fmt::Display for GroupResource {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        dotted(f, &self.resource, &self.group)
    }
}

impl fmt::Display for GroupVersion {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        if self.group.is_empty() {
            return f.write_str(&self.version);
        }
        write!(f, "{}/{}", self.group, self.version)
    }
}

fn dotted(f: &mut fmt::Formatter, name: &str, group: &str) -> fmt::Result {
    if group.is_empty() { f.write_str(name) } else { write!(f, "{name}.{group}") }
}

#[cfg(test)]
mod tests {
    use super::{GroupKind, GroupResource, GroupVersion};

    #[test]
    fn names_print_with_their_group_unless_it_is_core() {
        assert_eq!(GroupKind::new("apps", "Deployment").to_string(), "Deployment.apps");
        assert_eq!(GroupKind::new("", "Pod").to_string(), "Pod");
        assert_eq!(GroupResource::new("apps", "deployments").to_string(), "deployments.apps");
        assert_eq!(GroupVersion::new("", "v1").to_string(), "v1");
    }

    #[test]
    fn api_versions_read_back_and_two_slashes_are_refused() {
        for text in ["v1", "apps/v1", "a.b.c/v1beta1"] {
            assert_eq!(GroupVersion::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(
            GroupVersion::parse("a/b/c").unwrap_err(),
            "unexpected GroupVersion string: a/b/c"
        );
    }
}

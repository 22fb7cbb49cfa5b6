//! Resource names as people type them: `po`, `deploy`, `Deployments.v1.apps`, `all`.
//!
//! The rules are kubectl's. An argument may be `name`, `name.group` or `name.version.group`,
//! where a group may be cut short (`storageclass.storage`). A name is a plural or singular name
//! in any case, a short name as written, or a kind. Where several kinds share a name the
//! earlier group in discovery wins: `events` are the core ones.

use super::kinds::{Kind, KindId, Version};
use super::registry::{Found, Registry};
use crate::base::go_quote;

/// A name taken apart.
#[derive(Clone, Copy)]
struct Wanted<'a> {
    name: &'a str,
    version: &'a str,
    group: &'a str,
}

impl Registry {
    /// The kind and version behind a resource argument.
    ///
    /// # Errors
    /// kubectl's sentence when nothing matches.
    pub fn resolve(&self, argument: &str) -> Result<Found<'_>, String> {
        let (name, group) = argument.split_once('.').unwrap_or((argument, ""));
        let plain = Wanted { name, version: "", group };
        let full = group.split_once('.').map(|(version, group)| Wanted { name, version, group });
        full.and_then(|wanted| self.by_resource(wanted))
            .or_else(|| self.by_resource(plain))
            .or_else(|| full.and_then(|wanted| self.by_kind(wanted)))
            .or_else(|| self.by_kind(plain))
            .ok_or_else(|| format!("the server doesn't have a resource type {}", go_quote(name)))
    }

    /// The kinds behind a comma-separated list of resource arguments and categories, in order,
    /// each once.
    ///
    /// # Errors
    /// kubectl's sentence for the first name that nothing matches.
    pub fn resolve_all(&self, arguments: &str) -> Result<Vec<Found<'_>>, String> {
        let mut found: Vec<Found<'_>> = Vec::new();
        for argument in arguments.split(',').filter(|argument| !argument.is_empty()) {
            let members = self.category(argument);
            let more = if members.is_empty() { vec![self.resolve(argument)?] } else { members };
            for one in more {
                if !found.iter().any(|other| other.id == one.id) {
                    found.push(one);
                }
            }
        }
        Ok(found)
    }

    /// The kinds of a category such as `all`, in discovery's order; empty when there is none.
    pub fn category(&self, name: &str) -> Vec<Found<'_>> {
        self.kinds()
            .filter(|(_, kind)| kind.categories.iter().any(|category| category == name))
            .filter_map(|(id, kind)| Some(Found { id, kind, version: choose(kind, "")? }))
            .collect()
    }

    fn by_resource(&self, wanted: Wanted) -> Option<Found<'_>> {
        if let Some(kind) = self.expand_short_name(wanted) {
            // Like kubectl, a short name forgets the version it was written with.
            return self.first(|_, other| std::ptr::eq(other, kind), "");
        }
        let name = wanted.name.to_lowercase();
        let named = |kind: &Kind| kind.resource.resource == name || kind.singular == name;
        if !wanted.version.is_empty() {
            let exact = |_, kind: &Kind| named(kind) && kind.resource.group == wanted.group;
            return self.first(exact, wanted.version);
        }
        if wanted.group.is_empty() {
            return self.first(|_, kind| named(kind), "");
        }
        self.first(|_, kind| named(kind) && kind.resource.group == wanted.group, "").or_else(|| {
            self.first(|_, kind| named(kind) && kind.resource.group.starts_with(wanted.group), "")
        })
    }

    /// The kind a short name stands for, unless the name is somebody's full name.
    fn expand_short_name(&self, wanted: Wanted) -> Option<&Kind> {
        let in_group = |kind: &Kind| wanted.group.is_empty() || kind.id.group == wanted.group;
        let full =
            |kind: &Kind| kind.resource.resource == wanted.name || kind.singular == wanted.name;
        if self.kinds().any(|(_, kind)| in_group(kind) && full(kind)) {
            return None;
        }
        let short = |kind: &Kind| kind.short_names.iter().any(|short| short == wanted.name);
        let mut kinds = self.kinds().map(|(_, kind)| kind).filter(|kind| short(kind));
        let by_prefix = || {
            self.kinds().map(|(_, kind)| kind).find(|kind| {
                short(kind) && !wanted.group.is_empty() && kind.id.group.starts_with(wanted.group)
            })
        };
        kinds.find(|kind| in_group(kind)).or_else(by_prefix)
    }

    fn by_kind(&self, wanted: Wanted) -> Option<Found<'_>> {
        let named = |_, kind: &Kind| {
            kind.id.group == wanted.group
                && (kind.id.kind == wanted.name || kind.id.kind.to_lowercase() == wanted.name)
        };
        self.first(named, wanted.version)
    }

    fn first(&self, is_it: impl Fn(KindId, &Kind) -> bool, version: &str) -> Option<Found<'_>> {
        self.kinds()
            .filter(|(id, kind)| is_it(*id, kind))
            .find_map(|(id, kind)| Some(Found { id, kind, version: choose(kind, version)? }))
    }
}

/// The version of this name, or the preferred one; served versions come first.
fn choose<'a>(kind: &'a Kind, version: &str) -> Option<&'a Version> {
    if version.is_empty() {
        return kind.versions.iter().find(|version| version.served).or(kind.versions.first());
    }
    kind.version(version)
}

#[cfg(test)]
mod tests {
    use crate::api::Registry;

    fn resolve(argument: &str) -> String {
        match Registry::new().resolve(argument) {
            Ok(found) => format!("{} {}", found.kind.resource, found.version.name),
            Err(error) => error,
        }
    }

    /// Answers of kubectl 1.36.3 against kube-apiserver 1.36.3 (`kubectl get NAME -v6`).
    #[test]
    fn names_resolve_as_kubectl_resolves_them() {
        for (argument, resource) in [
            ("po", "pods v1"),
            ("pods", "pods v1"),
            ("Pod", "pods v1"),
            ("PODS", "pods v1"),
            ("deploy", "deployments.apps v1"),
            ("deployments", "deployments.apps v1"),
            ("Deployment", "deployments.apps v1"),
            ("deployments.apps", "deployments.apps v1"),
            ("deploy.apps", "deployments.apps v1"),
            ("deployments.v1.apps", "deployments.apps v1"),
            ("deployment.v1.apps", "deployments.apps v1"),
            ("deploy.v1.apps", "deployments.apps v1"),
            ("Deployment.v1.apps", "deployments.apps v1"),
            ("deployments.ap", "deployments.apps v1"),
            ("events", "events v1"),
            ("ev", "events v1"),
            ("events.events.k8s.io", "events.events.k8s.io v1"),
            ("events.v1.events.k8s.io", "events.events.k8s.io v1"),
            ("hpa", "horizontalpodautoscalers.autoscaling v2"),
            ("hpa.v1.autoscaling", "horizontalpodautoscalers.autoscaling v2"),
            ("horizontalpodautoscalers.v1.autoscaling", "horizontalpodautoscalers.autoscaling v1"),
            ("storageclass.storage", "storageclasses.storage.k8s.io v1"),
            ("sc.stor", "storageclasses.storage.k8s.io v1"),
            ("netpol", "networkpolicies.networking.k8s.io v1"),
            ("endpoints", "endpoints v1"),
            ("ep", "endpoints v1"),
            ("pods.v1.", "pods v1"),
            ("pods.v1", "the server doesn't have a resource type \"pods\""),
            ("PO", "the server doesn't have a resource type \"PO\""),
            ("foo", "the server doesn't have a resource type \"foo\""),
            ("foo.bar.baz", "the server doesn't have a resource type \"foo\""),
            ("deployments.v2.apps", "the server doesn't have a resource type \"deployments\""),
            ("leases.coordination", "leases.coordination.k8s.io v1"),
            ("componentstatus", "componentstatuses v1"),
            ("Deploy", "the server doesn't have a resource type \"Deploy\""),
        ] {
            assert_eq!(resolve(argument), resource, "{argument}");
        }
    }

    #[test]
    fn a_category_is_its_members_in_discovery_order() {
        let registry = Registry::new();
        let all: Vec<String> = registry
            .resolve_all("all,po,ns")
            .unwrap()
            .iter()
            .map(|found| found.kind.resource.to_string())
            .collect();
        assert_eq!(
            all,
            [
                "pods",
                "replicationcontrollers",
                "services",
                "daemonsets.apps",
                "deployments.apps",
                "replicasets.apps",
                "statefulsets.apps",
                "horizontalpodautoscalers.autoscaling",
                "cronjobs.batch",
                "jobs.batch",
                "namespaces",
            ]
        );
        assert!(registry.resolve_all("po,nothing").is_err());
    }
}

//! Versions Kubernetes has removed: since when, and how each is read today.
//!
//! Releases are those of the upstream deprecation guide and of the life-cycle marks of the
//! types themselves. Alpha versions are listed where people still have manifests of them.

use super::{autoscaling, ingress, misc, workloads};
use crate::base::Value;

/// Turns a document of a removed version into one of its successor.
type Reading = fn(&mut Value);

/// A removed version of some kinds.
#[derive(Debug)]
pub struct Removed {
    pub(super) api_version: &'static str,
    pub(super) kinds: &'static [&'static str],
    /// The first Kubernetes release without it.
    pub removed_in: &'static str,
    /// The successor's `apiVersion`, and how to get there; nothing when there is none.
    pub(super) reading: Option<(&'static str, Reading)>,
    /// What to do instead, when there is no successor.
    pub advice: &'static str,
}

/// What is known of a removed version.
pub fn removed(api_version: &str, kind: &str) -> Option<&'static Removed> {
    REMOVED.iter().find(|row| row.api_version == api_version && row.kinds.contains(&kind))
}

const fn read(
    api_version: &'static str,
    kinds: &'static [&'static str],
    removed_in: &'static str,
    to: &'static str,
    reading: Reading,
) -> Removed {
    Removed { api_version, kinds, removed_in, reading: Some((to, reading)), advice: "" }
}

const fn refuse(
    api_version: &'static str,
    kinds: &'static [&'static str],
    removed_in: &'static str,
    advice: &'static str,
) -> Removed {
    Removed { api_version, kinds, removed_in, reading: None, advice }
}

/// The successor has the same shape and the same defaults.
fn same(_: &mut Value) {}

#[rustfmt::skip]
pub(super) static REMOVED: &[Removed] = &[
    read("extensions/v1beta1", &["Deployment"], "1.16", "apps/v1", workloads::extensions_deployment),
    read("extensions/v1beta1", &["DaemonSet"], "1.16", "apps/v1", workloads::extensions_daemon_set),
    read("extensions/v1beta1", &["ReplicaSet"], "1.16", "apps/v1", workloads::extensions_replica_set),
    read("extensions/v1beta1", &["NetworkPolicy"], "1.16", "networking.k8s.io/v1", same),
    read("extensions/v1beta1", &["Ingress"], "1.22", "networking.k8s.io/v1", ingress::ingress),
    refuse("extensions/v1beta1", &["PodSecurityPolicy"], "1.16", "use Pod Security Admission"),
    refuse("extensions/v1beta1", &["Scale"], "1.16", "use autoscaling/v1 Scale"),
    refuse("extensions/v1beta1", &["DeploymentRollback"], "1.16", "use kubectl rollout undo"),
    read("apps/v1beta1", &["Deployment"], "1.16", "apps/v1", workloads::beta1_deployment),
    read("apps/v1beta1", &["StatefulSet"], "1.16", "apps/v1", workloads::beta1_stateful_set),
    read("apps/v1beta1", &["ControllerRevision"], "1.16", "apps/v1", same),
    refuse("apps/v1beta1", &["Scale"], "1.16", "use autoscaling/v1 Scale"),
    refuse("apps/v1beta1", &["DeploymentRollback"], "1.16", "use kubectl rollout undo"),
    read("apps/v1beta2", &["ControllerRevision", "DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"], "1.16", "apps/v1", same),
    refuse("apps/v1beta2", &["Scale"], "1.16", "use autoscaling/v1 Scale"),
    read("admissionregistration.k8s.io/v1beta1", &["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"], "1.22", "admissionregistration.k8s.io/v1", misc::webhooks),
    read("admissionregistration.k8s.io/v1beta1", &["ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"], "1.34", "admissionregistration.k8s.io/v1", same),
    read("admissionregistration.k8s.io/v1alpha1", &["ValidatingAdmissionPolicy"], "1.32", "admissionregistration.k8s.io/v1", same),
    read("admissionregistration.k8s.io/v1alpha1", &["ValidatingAdmissionPolicyBinding"], "1.32", "admissionregistration.k8s.io/v1", misc::alpha_policy_binding),
    read("apiextensions.k8s.io/v1beta1", &["CustomResourceDefinition"], "1.22", "apiextensions.k8s.io/v1", misc::definition),
    read("apiregistration.k8s.io/v1beta1", &["APIService"], "1.22", "apiregistration.k8s.io/v1", same),
    read("authentication.k8s.io/v1beta1", &["TokenReview"], "1.22", "authentication.k8s.io/v1", same),
    read("authentication.k8s.io/v1alpha1", &["SelfSubjectReview"], "1.32", "authentication.k8s.io/v1", same),
    read("authentication.k8s.io/v1beta1", &["SelfSubjectReview"], "1.33", "authentication.k8s.io/v1", same),
    read("authorization.k8s.io/v1beta1", &["LocalSubjectAccessReview", "SubjectAccessReview"], "1.22", "authorization.k8s.io/v1", misc::access_review),
    read("authorization.k8s.io/v1beta1", &["SelfSubjectAccessReview", "SelfSubjectRulesReview"], "1.22", "authorization.k8s.io/v1", same),
    read("autoscaling/v2beta1", &["HorizontalPodAutoscaler"], "1.25", "autoscaling/v2", autoscaling::v2beta1),
    read("autoscaling/v2beta2", &["HorizontalPodAutoscaler"], "1.26", "autoscaling/v2", same),
    read("batch/v1beta1", &["CronJob"], "1.25", "batch/v1", same),
    read("batch/v2alpha1", &["CronJob"], "1.21", "batch/v1", same),
    read("certificates.k8s.io/v1beta1", &["CertificateSigningRequest"], "1.22", "certificates.k8s.io/v1", misc::signing_request),
    read("coordination.k8s.io/v1beta1", &["Lease"], "1.22", "coordination.k8s.io/v1", same),
    read("discovery.k8s.io/v1beta1", &["EndpointSlice"], "1.25", "discovery.k8s.io/v1", misc::endpoint_slice),
    read("events.k8s.io/v1beta1", &["Event"], "1.25", "events.k8s.io/v1", same),
    read("flowcontrol.apiserver.k8s.io/v1beta1", &["FlowSchema"], "1.26", "flowcontrol.apiserver.k8s.io/v1", same),
    read("flowcontrol.apiserver.k8s.io/v1beta1", &["PriorityLevelConfiguration"], "1.26", "flowcontrol.apiserver.k8s.io/v1", misc::priority_level),
    read("flowcontrol.apiserver.k8s.io/v1beta2", &["FlowSchema"], "1.29", "flowcontrol.apiserver.k8s.io/v1", same),
    read("flowcontrol.apiserver.k8s.io/v1beta2", &["PriorityLevelConfiguration"], "1.29", "flowcontrol.apiserver.k8s.io/v1", misc::priority_level),
    read("flowcontrol.apiserver.k8s.io/v1beta3", &["FlowSchema"], "1.32", "flowcontrol.apiserver.k8s.io/v1", same),
    read("flowcontrol.apiserver.k8s.io/v1beta3", &["PriorityLevelConfiguration"], "1.32", "flowcontrol.apiserver.k8s.io/v1", misc::beta3_priority_level),
    read("networking.k8s.io/v1beta1", &["Ingress"], "1.22", "networking.k8s.io/v1", ingress::ingress),
    read("networking.k8s.io/v1beta1", &["IngressClass"], "1.22", "networking.k8s.io/v1", same),
    read("node.k8s.io/v1alpha1", &["RuntimeClass"], "1.24", "node.k8s.io/v1", workloads::runtime_class),
    read("node.k8s.io/v1beta1", &["RuntimeClass"], "1.25", "node.k8s.io/v1", same),
    read("policy/v1beta1", &["PodDisruptionBudget"], "1.25", "policy/v1", misc::disruption_budget),
    read("policy/v1beta1", &["Eviction"], "1.25", "policy/v1", same),
    refuse("policy/v1beta1", &["PodSecurityPolicy"], "1.25", "use Pod Security Admission"),
    read("rbac.authorization.k8s.io/v1alpha1", &["ClusterRole", "Role"], "1.23", "rbac.authorization.k8s.io/v1", same),
    read("rbac.authorization.k8s.io/v1alpha1", &["ClusterRoleBinding", "RoleBinding"], "1.23", "rbac.authorization.k8s.io/v1", misc::alpha_binding),
    read("rbac.authorization.k8s.io/v1beta1", &["ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"], "1.22", "rbac.authorization.k8s.io/v1", same),
    read("scheduling.k8s.io/v1alpha1", &["PriorityClass"], "1.23", "scheduling.k8s.io/v1", same),
    read("scheduling.k8s.io/v1beta1", &["PriorityClass"], "1.22", "scheduling.k8s.io/v1", same),
    refuse("settings.k8s.io/v1alpha1", &["PodPreset"], "1.20", "use a mutating admission webhook or policy"),
    read("storage.k8s.io/v1alpha1", &["CSIStorageCapacity", "VolumeAttachment"], "1.24", "storage.k8s.io/v1", same),
    read("storage.k8s.io/v1alpha1", &["VolumeAttributesClass"], "1.35", "storage.k8s.io/v1", same),
    read("storage.k8s.io/v1beta1", &["CSIDriver", "CSINode", "StorageClass", "VolumeAttachment"], "1.22", "storage.k8s.io/v1", same),
    read("storage.k8s.io/v1beta1", &["CSIStorageCapacity"], "1.27", "storage.k8s.io/v1", same),
    refuse("auditregistration.k8s.io/v1alpha1", &["AuditSink"], "1.19", "use the audit webhook of the API server"),
];

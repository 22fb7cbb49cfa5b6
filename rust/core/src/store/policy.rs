//! How the API server treats each built-in kind on writes, where kinds differ: which have a
//! generation, which refuse an update without resourceVersion, whose status a create keeps.
//!
//! Custom resources have a generation and refuse unconditional updates.

use crate::api::names::GroupKind;

/// Kinds whose `metadata.generation` starts at one and rises with the spec.
const WITH_GENERATION: &[(&str, &[&str])] = &[
    ("", &["Pod", "PodTemplate", "ReplicationController"]),
    (
        "admissionregistration.k8s.io",
        &[
            "MutatingAdmissionPolicy",
            "MutatingAdmissionPolicyBinding",
            "MutatingWebhookConfiguration",
            "ValidatingAdmissionPolicy",
            "ValidatingAdmissionPolicyBinding",
            "ValidatingWebhookConfiguration",
        ],
    ),
    ("apiextensions.k8s.io", &["CustomResourceDefinition"]),
    ("apps", &["DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"]),
    ("batch", &["CronJob", "Job"]),
    ("discovery.k8s.io", &["EndpointSlice"]),
    ("flowcontrol.apiserver.k8s.io", &["FlowSchema", "PriorityLevelConfiguration"]),
    ("networking.k8s.io", &["Ingress", "IngressClass", "NetworkPolicy"]),
    ("policy", &["PodDisruptionBudget"]),
    ("resource.k8s.io", &["DeviceClass", "DeviceTaintRule", "ResourceSlice"]),
    ("scheduling.k8s.io", &["PriorityClass"]),
];

/// Kinds an update of which must name the resourceVersion it was made against.
const CONDITIONAL_UPDATES: &[(&str, &[&str])] = &[
    (
        "admissionregistration.k8s.io",
        &[
            "MutatingAdmissionPolicy",
            "MutatingAdmissionPolicyBinding",
            "MutatingWebhookConfiguration",
            "ValidatingAdmissionPolicy",
            "ValidatingAdmissionPolicyBinding",
            "ValidatingWebhookConfiguration",
        ],
    ),
    ("apiextensions.k8s.io", &["CustomResourceDefinition"]),
    ("apiregistration.k8s.io", &["APIService"]),
    ("certificates.k8s.io", &["ClusterTrustBundle", "PodCertificateRequest"]),
    ("coordination.k8s.io", &["Lease", "LeaseCandidate"]),
    ("internal.apiserver.k8s.io", &["StorageVersion"]),
    ("node.k8s.io", &["RuntimeClass"]),
    ("policy", &["PodDisruptionBudget"]),
    ("storage.k8s.io", &["CSIDriver", "CSINode", "CSIStorageCapacity", "VolumeAttachment"]),
    ("storagemigration.k8s.io", &["StorageVersionMigration"]),
];

/// What is particular about writes of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WritePolicy {
    /// `metadata.generation` counts changes of anything but metadata and status.
    pub generation: bool,
    /// An update without resourceVersion is refused.
    pub conditional_update: bool,
    /// A create keeps the status it was sent.
    pub keeps_status: bool,
}

/// The policy of a kind; `custom` says that a CustomResourceDefinition made it.
pub fn write_policy(kind: &GroupKind, custom: bool) -> WritePolicy {
    if custom {
        return WritePolicy { generation: true, conditional_update: true, keeps_status: false };
    }
    let listed = |table: &[(&str, &[&str])]| {
        table.iter().any(|(group, kinds)| *group == kind.group && kinds.contains(&&*kind.kind))
    };
    WritePolicy {
        generation: listed(WITH_GENERATION),
        conditional_update: listed(CONDITIONAL_UPDATES),
        keeps_status: kind.group.is_empty() && kind.kind == "Node",
    }
}

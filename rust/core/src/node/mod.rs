//! The kubelets: what happens to a pod once it is bound.
//!
//! [`life`] is a pure function from (pod, time) to (pod, next wake): all times of a start are
//! drawn when the kubelet accepts the pod and kept in the pod's own columns, so nothing else
//! needs to be remembered. [`network`] hands out addresses. [`Kubelets`] holds what belongs to
//! nodes rather than pods, and turns log entries into steps.
//!
//! What this is not: probes that fail, crash loops, volumes and node pressure come later and
//! fit into the same function.

pub mod kubelet;
pub mod life;
pub mod network;

pub use kubelet::{Delays, Kubelets, Pull};

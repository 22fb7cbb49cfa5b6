//! Filter: nodes with the GPUs a pod asks for.

use super::devices::Devices;
use super::request::GpuRequest;
use crate::base::Text;
use crate::sched::nodes::NodeView;
use crate::sched::plugins::{Context, Filter, PluginId, PreFilter};
use crate::sched::pod_info::PodInfo;
use crate::sched::status::Rejection;

/// The annotations are wrong; the reason is the pod's.
const FAULT: u64 = 0;
const NO_GPU: u64 = 1;
const MODEL: u64 = 2;
const TOO_FEW: u64 = 3;
const NOT_FREE: u64 = 4;
const NOTHING_LEFT: u64 = 5;
const UNKNOWN: u64 = 6;
const TAKEN: u64 = 7;

/// The reasons in words.
const REASONS: [&str; 8] = [
    "",
    "node(s) had no GPU",
    "node(s) didn't match Pod's GPU model",
    "node(s) had fewer GPUs than the Pod asks for",
    "node(s) didn't have enough free GPUs",
    "node(s) didn't have enough left of any GPU",
    "node(s) didn't have the GPUs the Pod names",
    "node(s) didn't have enough left of the GPUs the Pod names",
];

/// Prepares the filter, for a pod that asks for GPUs.
pub fn pre_filter<'a>(context: &Context<'a>) -> PreFilter<'a> {
    match &context.pod.gpu {
        None => PreFilter::Skip,
        Some(request) => PreFilter::Ready { filter: Some(Filter::GpuShare(request)), only: None },
    }
}

/// Judges a node.
pub fn check(request: &GpuRequest, node: NodeView) -> Result<(), Rejection> {
    let never = |reason| Err(Rejection::unresolvable(PluginId::OPEN_GPU_SHARE, reason));
    if request.fault.is_some() {
        return never(FAULT);
    }
    let Some(devices) = node.info.gpus.as_deref().filter(|gpus| gpus.count() > 0) else {
        return never(NO_GPU);
    };
    if !request.admits(devices.model()) {
        return never(MODEL);
    }
    if devices.count() < request.count as usize {
        return never(TOO_FEW);
    }
    if !request.devices.is_empty() {
        return check_named(request, devices);
    }
    let enough = devices.left().filter(|left| *left >= request.milli).count();
    if enough >= request.count as usize {
        return Ok(());
    }
    let reason = if request.shares() { NOTHING_LEFT } else { NOT_FREE };
    Err(Rejection::unschedulable(PluginId::OPEN_GPU_SHARE, reason))
}

/// Judges a node for a pod that insists on some of its GPUs.
fn check_named(request: &GpuRequest, devices: &Devices) -> Result<(), Rejection> {
    let numbers = || request.devices.iter().map(|number| usize::from(*number));
    if numbers().any(|number| number >= devices.count()) {
        return Err(Rejection::unresolvable(PluginId::OPEN_GPU_SHARE, UNKNOWN));
    }
    if numbers().any(|number| devices.left_of(number) < request.milli) {
        return Err(Rejection::unschedulable(PluginId::OPEN_GPU_SHARE, TAKEN));
    }
    Ok(())
}

/// A rejection's reason in words.
pub fn reason(bits: u64, pod: &PodInfo) -> Text {
    let fault = pod.gpu.as_ref().and_then(|gpu| gpu.fault.clone());
    match bits {
        FAULT => fault.unwrap_or_default(),
        _ => REASONS[bits as usize].into(),
    }
}

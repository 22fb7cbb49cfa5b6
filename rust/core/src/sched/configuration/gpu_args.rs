//! The arguments of the plugins for shared GPUs: those of the simulator they come from, and the
//! pods that FGDScore expects.

use super::args::ranged;
use super::fields::Fields;
use crate::api::FieldError;
use crate::base::Value;
use crate::sched::plugins::Args;
use crate::sched::plugins::gpu_share::request::{MOST_DEVICES, models};
use crate::sched::plugins::gpu_share::{MILLI, Selection};
use crate::sched::plugins::policies::typical_pods::{Counted, MOST_PODS, Spec, TypicalPods};

/// The fields of `FGDScoreArgs`.
pub(super) const FRAGMENTATION: &[&str] =
    &["dimExtMethod", "normMethod", "typicalPods", "podPopularityThreshold", "isInvolvedCpuPods"];

/// How GPUs can be made one dimension, or several. Only DotProductScore goes by it.
const DIMENSIONS: [((), &str); 4] = [((), "merge"), ((), "share"), ((), "divide"), ((), "extend")];
/// What amounts can be put in relation to.
const NORMS: [((), &str); 3] = [((), "max"), ((), "node"), ((), "pod")];

/// `OpenGpuShareArgs`.
pub(super) fn gpu_share(fields: &Fields, args: &mut Args) -> Result<(), String> {
    check_methods(fields, &DIMENSIONS, &NORMS)?;
    args.gpu_share.selection = fields.one_of("gpuSelMethod", &Selection::ALL)?;
    Ok(())
}

/// The arguments of DotProductScore.
pub(super) fn dot_product(fields: &Fields) -> Result<(), String> {
    check_methods(fields, &DIMENSIONS[..1], &NORMS[..1])
}

fn check_methods(
    fields: &Fields,
    dimensions: &[((), &str)],
    norms: &[((), &str)],
) -> Result<(), String> {
    fields.one_of("dimExtMethod", dimensions)?;
    fields.one_of("normMethod", norms)
}

/// `FGDScoreArgs`.
pub(super) fn fragmentation(fields: &Fields, args: &mut Args) -> Result<(), String> {
    check_methods(fields, &DIMENSIONS, &NORMS)?;
    let own = &mut args.fragmentation;
    own.popularity = ranged(fields, "podPopularityThreshold", own.popularity, 100, "[1, 100]")?;
    if own.popularity == 0 {
        let place = fields.place_of("podPopularityThreshold");
        return Err(FieldError::invalid(place, 0, "not in valid range [1, 100]").to_string());
    }
    own.cpu_pods = fields.flag("isInvolvedCpuPods")?.unwrap_or(true);
    if fields.value("typicalPods").is_none() {
        return Ok(());
    }
    let mut counted = Counted::new();
    let mut all: i64 = 0;
    for (at, item) in fields.list("typicalPods")?.iter().enumerate() {
        let place = fields.place_in("typicalPods", at);
        let (spec, pods) = typical_pod(item, &place)?;
        all = all.saturating_add(pods);
        if all > MOST_PODS {
            let detail = format!("more than {MOST_PODS} pods in all");
            return Err(FieldError::invalid(format!("{place}.pods"), pods, detail).to_string());
        }
        if own.cpu_pods || spec.gpus > 0 {
            *counted.entry(spec).or_default() += pods;
        }
    }
    own.typical = Some(TypicalPods::new(&counted, own.popularity));
    Ok(())
}

/// One kind of pod and how many there are of it.
fn typical_pod(item: &Value, place: &str) -> Result<(Spec, i64), String> {
    let known = ["cpuMilli", "gpuMilli", "gpuCount", "gpuCardModel", "pods"];
    let fields = Fields::new(item, place, &known)?;
    let most = MOST_DEVICES as i64;
    let gpus = ranged(&fields, "gpuCount", 0, most, "[0, 1024]")? as u32;
    let gpu_milli = ranged(&fields, "gpuMilli", 0, MILLI, "[0, 1000]")?;
    if (gpus > 1 && gpu_milli != MILLI) || ((gpus == 0) != (gpu_milli == 0)) {
        let detail = "a pod has several whole GPUs, some of one, or none";
        return Err(FieldError::invalid(fields.place_of("gpuMilli"), gpu_milli, detail).to_string());
    }
    let spec = Spec {
        cpu_milli: ranged(&fields, "cpuMilli", 0, i64::MAX, "[0, inf)")?,
        gpu_milli,
        gpus,
        models: models(fields.text("gpuCardModel")?.unwrap_or_default()),
    };
    Ok((spec, ranged(&fields, "pods", 1, MOST_PODS, "[0, 1000000000000]")?))
}

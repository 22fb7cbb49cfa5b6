//! The arguments of plugins: `pluginConfig`.

use super::fields::Fields;
use super::gpu_args;
use crate::api::FieldError;
use crate::base::{Text, Value};
use crate::sched::plugins::node_resources_fit::{self, Strategy};
use crate::sched::plugins::resource_allocation::Shape;
use crate::sched::plugins::{Args, MAX_SCORE, node_affinity, pod_topology_spread};
use crate::sched::spread_constraint::SpreadConstraint;

const VERSION: &str = "kubescheduler.config.k8s.io/v1";

/// Fills in the arguments of one plugin. Arguments of plugins that take none are passed over.
///
/// # Errors
/// A field that is not known, or a value that Kubernetes refuses.
pub fn read(plugin: &str, value: &Value, place: &str, args: &mut Args) -> Result<(), String> {
    let with_type = |known: &[&'static str]| -> Vec<&'static str> {
        known.iter().copied().chain(["apiVersion", "kind"]).collect()
    };
    let fields = |known| read_typed(plugin, value, place, &with_type(known));
    match plugin {
        "DefaultPreemption" => preemption(
            &fields(&["minCandidateNodesPercentage", "minCandidateNodesAbsolute"])?,
            args,
        ),
        "InterPodAffinity" => pod_affinity(
            &fields(&["hardPodAffinityWeight", "ignorePreferredTermsOfExistingPods"])?,
            args,
        ),
        "NodeAffinity" => node_affinity(&fields(&["addedAffinity"])?, args),
        "NodeResourcesFit" => {
            fit(&fields(&["ignoredResources", "ignoredResourceGroups", "scoringStrategy"])?, args)
        }
        "NodeResourcesBalancedAllocation" => balanced_allocation(&fields(&["resources"])?, args),
        "PodTopologySpread" => spread(&fields(&["defaultConstraints", "defaultingType"])?, args),
        "VolumeBinding" => volume_binding(&fields(&["bindTimeoutSeconds", "shape"])?),
        "Open-Gpu-Share" => {
            gpu_args::gpu_share(&fields(&["dimExtMethod", "normMethod", "gpuSelMethod"])?, args)
        }
        "DotProductScore" => gpu_args::dot_product(&fields(&["dimExtMethod", "normMethod"])?),
        "FGDScore" => gpu_args::fragmentation(&fields(gpu_args::FRAGMENTATION)?, args),
        "DynamicResources" => fields(&["filterTimeout", "bindingTimeout"]).map(drop),
        _ => Ok(()),
    }
}

/// The fields of arguments whose type, if given, is the plugin's.
fn read_typed<'a>(
    plugin: &str,
    value: &'a Value,
    place: &str,
    known: &[&str],
) -> Result<Fields<'a>, String> {
    let fields = Fields::new(value, place, known)?;
    let kind = fields.text("kind")?.unwrap_or_default();
    if !kind.is_empty() && kind != format!("{}Args", plugin.replace('-', "")) {
        return Err(format!("{place}.kind: {kind} are not the arguments of {plugin}"));
    }
    let version = fields.text("apiVersion")?.unwrap_or(VERSION);
    if version != VERSION {
        return Err(format!("{place}.apiVersion: {version} is not {VERSION}"));
    }
    Ok(fields)
}

/// A number that must lie in a range.
pub(super) fn ranged(
    fields: &Fields,
    key: &str,
    default: i64,
    most: i64,
    range: &str,
) -> Result<i64, String> {
    let number = fields.int(key)?.unwrap_or(default);
    if (0..=most).contains(&number) {
        return Ok(number);
    }
    let detail = format!("not in valid range {range}");
    Err(FieldError::invalid(fields.place_of(key), number, detail).to_string())
}

fn preemption(fields: &Fields, args: &mut Args) -> Result<(), String> {
    let (percentage, absolute) = ("minCandidateNodesPercentage", "minCandidateNodesAbsolute");
    let own = &mut args.preemption;
    own.candidates_percentage = ranged(fields, percentage, 10, 100, "[0, 100]")?;
    own.candidates_absolute = ranged(fields, absolute, 100, i64::from(i32::MAX), "[0, inf)")?;
    if own.candidates_percentage == 0 && own.candidates_absolute == 0 {
        let detail = "cannot be zero at the same time as minCandidateNodesAbsolute";
        return Err(FieldError::invalid(fields.place_of(percentage), 0, detail).to_string());
    }
    Ok(())
}

fn pod_affinity(fields: &Fields, args: &mut Args) -> Result<(), String> {
    let weight = ranged(fields, "hardPodAffinityWeight", 1, 100, "[0, 100]")?;
    args.pod_affinity.hard_pod_affinity_weight = weight;
    args.pod_affinity.ignore_preferred_terms_of_existing_pods =
        fields.flag("ignorePreferredTermsOfExistingPods")?.unwrap_or(false);
    Ok(())
}

fn node_affinity(fields: &Fields, args: &mut Args) -> Result<(), String> {
    const HARD: &str = "requiredDuringSchedulingIgnoredDuringExecution";
    const SOFT: &str = "preferredDuringSchedulingIgnoredDuringExecution";
    let added = fields.value_or_null("addedAffinity");
    let place = fields.place_of("addedAffinity");
    let parts = Fields::new(added, &place, &[HARD, SOFT])?;
    let required = parts.value_or_null(HARD);
    let hard = Fields::new(required, &parts.place_of(HARD), &["nodeSelectorTerms"])?;
    for (at, term) in hard.list("nodeSelectorTerms")?.iter().enumerate() {
        node_term(term, &hard.place_in("nodeSelectorTerms", at))?;
    }
    for (at, preferred) in parts.list(SOFT)?.iter().enumerate() {
        let place = parts.place_in(SOFT, at);
        let preferred = Fields::new(preferred, &place, &["weight", "preference"])?;
        preferred.int("weight")?;
        node_term(preferred.value_or_null("preference"), &preferred.place_of("preference"))?;
    }
    args.node_affinity = node_affinity::Args::read(added);
    Ok(())
}

/// Checks the form of a node selector term.
fn node_term(term: &Value, place: &str) -> Result<(), String> {
    const OPERATORS: [&str; 6] = ["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"];
    let term = Fields::new(term, place, &["matchExpressions", "matchFields"])?;
    for list in ["matchExpressions", "matchFields"] {
        for (at, item) in term.list(list)?.iter().enumerate() {
            let place = term.place_in(list, at);
            let item = Fields::new(item, &place, &["key", "operator", "values"])?;
            item.text("key")?;
            item.texts("values")?;
            let operator = item.text("operator")?.unwrap_or_default();
            if !OPERATORS.contains(&operator) {
                let detail = "not a valid selector operator";
                let error = FieldError::invalid(item.place_of("operator"), operator, detail);
                return Err(error.to_string());
            }
        }
    }
    Ok(())
}

fn fit(fields: &Fields, args: &mut Args) -> Result<(), String> {
    let own = &mut args.fit;
    let names = |key: &str| -> Result<Vec<Text>, String> {
        let names = fields.texts(key)?;
        for (at, name) in names.iter().enumerate() {
            let place = fields.place_in(key, at);
            if key == "ignoredResourceGroups" && name.contains('/') {
                let detail = "resource group name can't contain '/'";
                return Err(FieldError::invalid(place, *name, detail).to_string());
            }
            if let Some(problem) = crate::base::names::label_key(name).into_iter().next() {
                return Err(FieldError::invalid(place, *name, problem).to_string());
            }
        }
        Ok(names.into_iter().map(Text::from).collect())
    };
    own.ignored_resources = names("ignoredResources")?;
    own.ignored_resource_groups = names("ignoredResourceGroups")?;
    if let Some(strategy) = fields.value("scoringStrategy") {
        let place = fields.place_of("scoringStrategy");
        let known = ["type", "resources", "requestedToCapacityRatio"];
        strategy_of(&Fields::new(strategy, &place, &known)?, own)?;
    }
    Ok(())
}

fn strategy_of(fields: &Fields, own: &mut node_resources_fit::Args) -> Result<(), String> {
    const RATIO: &str = "requestedToCapacityRatio";
    let kind = fields.text("type")?.unwrap_or_default();
    own.resources = resources(fields)?;
    for (at, (name, weight)) in own.resources.iter().enumerate() {
        if !(1..=100).contains(weight) {
            let place = format!("{}.weight", fields.place_in("resources", at));
            let detail = format!("resource weight of {name} not in valid range (0, 100]");
            return Err(FieldError::invalid(place, *weight, detail).to_string());
        }
    }
    let ratio = fields.value(RATIO);
    own.strategy = match (kind, ratio) {
        ("RequestedToCapacityRatio", None) => {
            let detail = "must be specified when type is RequestedToCapacityRatio";
            return Err(FieldError::required(fields.place_of(RATIO), detail).to_string());
        }
        ("RequestedToCapacityRatio", Some(ratio)) => {
            let ratio = Fields::new(ratio, &fields.place_of(RATIO), &["shape"])?;
            Strategy::RequestedToCapacityRatio(shape(&ratio)?)
        }
        ("LeastAllocated" | "MostAllocated", Some(_)) => {
            let detail = "must be nil when type is not RequestedToCapacityRatio";
            return Err(FieldError::forbidden(fields.place_of(RATIO), detail).to_string());
        }
        ("LeastAllocated", None) => Strategy::LeastAllocated,
        ("MostAllocated", None) => Strategy::MostAllocated,
        _ => {
            let known = ["LeastAllocated", "MostAllocated", "RequestedToCapacityRatio"];
            let error = FieldError::not_supported(fields.place_of("type"), kind, known);
            return Err(error.to_string());
        }
    };
    Ok(())
}

/// Names and weights; cpu and memory when the list is empty, and weight one for none.
fn resources(fields: &Fields) -> Result<Vec<(Text, i64)>, String> {
    let list = fields.list("resources")?;
    if list.is_empty() {
        return Ok(vec![("cpu".into(), 1), ("memory".into(), 1)]);
    }
    let items = list.iter().enumerate().map(|(at, item)| {
        let item = Fields::new(item, &fields.place_in("resources", at), &["name", "weight"])?;
        let weight = item.int("weight")?.filter(|weight| *weight != 0).unwrap_or(1);
        Ok((item.text("name")?.unwrap_or_default().into(), weight))
    });
    items.collect()
}

fn shape(fields: &Fields) -> Result<Shape, String> {
    let place = fields.place_of("shape");
    let mut points: Vec<(i64, i64)> = Vec::new();
    for (at, point) in fields.list("shape")?.iter().enumerate() {
        let point = Fields::new(point, &format!("{place}[{at}]"), &["utilization", "score"])?;
        let utilization = ranged(&point, "utilization", 0, MAX_SCORE, "[0, 100]")?;
        let score = ranged(&point, "score", 0, 10, "[0, 10]")?;
        if points.last().is_some_and(|(before, _)| *before >= utilization) {
            let detail = "values must be sorted in increasing order";
            let place = point.place_of("utilization");
            return Err(FieldError::invalid(place, utilization, detail).to_string());
        }
        points.push((utilization, score));
    }
    if points.is_empty() {
        return Err(FieldError::required(place, "at least one point must be specified").to_string());
    }
    Ok(Shape::new(points))
}

fn balanced_allocation(fields: &Fields, args: &mut Args) -> Result<(), String> {
    let own = resources(fields)?;
    for (at, (name, weight)) in own.iter().enumerate() {
        let place = fields.place_in("resources", at);
        if own[..at].iter().any(|(before, _)| before == name) {
            let error = FieldError::duplicate(format!("{place}.name"), name.as_str());
            return Err(error.to_string());
        }
        if *weight != 1 {
            let place = format!("{place}.weight");
            return Err(FieldError::invalid(place, *weight, "must be 1").to_string());
        }
    }
    args.balanced_allocation.resources = own;
    Ok(())
}

fn spread(fields: &Fields, args: &mut Args) -> Result<(), String> {
    let kind = fields.text("defaultingType")?.filter(|kind| !kind.is_empty()).unwrap_or("System");
    let place = fields.place_of("defaultingType");
    let list = fields.list("defaultConstraints")?;
    match kind {
        "System" if list.is_empty() => args.spread = pod_topology_spread::Args::default(),
        "System" => {
            let detail = "when .defaultConstraints are not empty";
            return Err(FieldError::invalid(place, kind, detail).to_string());
        }
        "List" => {
            let constraints = list.iter().enumerate().map(|(at, constraint)| {
                constraint_of(constraint, &fields.place_in("defaultConstraints", at), &list[..at])
            });
            args.spread = pod_topology_spread::Args {
                default_constraints: constraints.collect::<Result<_, String>>()?,
                system_defaulted: false,
            };
        }
        _ => return Err(FieldError::not_supported(place, kind, ["System", "List"]).to_string()),
    }
    Ok(())
}

/// One default constraint; `before` are those listed before it.
fn constraint_of(
    constraint: &Value,
    place: &str,
    before: &[Value],
) -> Result<SpreadConstraint, String> {
    let known = [
        "maxSkew",
        "topologyKey",
        "whenUnsatisfiable",
        "labelSelector",
        "minDomains",
        "nodeAffinityPolicy",
        "nodeTaintsPolicy",
        "matchLabelKeys",
    ];
    let fields = Fields::new(constraint, place, &known)?;
    let skew = fields.int("maxSkew")?.unwrap_or(0);
    if skew <= 0 {
        let detail = "not in valid range (0, inf)";
        return Err(FieldError::invalid(fields.place_of("maxSkew"), skew, detail).to_string());
    }
    let key = fields.text("topologyKey")?.unwrap_or_default();
    if key.is_empty() {
        let place = fields.place_of("topologyKey");
        return Err(FieldError::required(place, "can not be empty").to_string());
    }
    let action = fields.text("whenUnsatisfiable")?.unwrap_or_default();
    if !matches!(action, "DoNotSchedule" | "ScheduleAnyway") {
        let place = fields.place_of("whenUnsatisfiable");
        let known = ["DoNotSchedule", "ScheduleAnyway"];
        return Err(FieldError::not_supported(place, action, known).to_string());
    }
    if fields.value("labelSelector").is_some() {
        let detail = "constraint must not define a selector, as they deduced for each pod";
        return Err(FieldError::forbidden(fields.place_of("labelSelector"), detail).to_string());
    }
    let same = |other: &Value| {
        other.str_at(&["topologyKey"]) == Some(key)
            && other.str_at(&["whenUnsatisfiable"]) == Some(action)
    };
    if before.iter().any(same) {
        return Err(FieldError::duplicate(place, &format!("{{{key}, {action}}}")).to_string());
    }
    Ok(SpreadConstraint::read(constraint))
}

fn volume_binding(fields: &Fields) -> Result<(), String> {
    let timeout = fields.int("bindTimeoutSeconds")?.unwrap_or(600);
    if timeout < 0 {
        let detail = "invalid BindTimeoutSeconds, should not be a negative value";
        let place = fields.place_of("bindTimeoutSeconds");
        return Err(FieldError::invalid(place, timeout, detail).to_string());
    }
    if fields.value("shape").is_some() {
        let detail = "unexpected field `shape`, remove it or turn on the feature gate \
                      StorageCapacityScoring";
        return Err(FieldError::forbidden(fields.place_of("shape"), detail).to_string());
    }
    Ok(())
}

//! Which families a Service is of, before it gets addresses.
//!
//! Families follow from what was asked for: from the addresses chosen, from `ipFamilies`, and
//! from `ipFamilyPolicy`, which says whether a Service without more to say gets one or both.
//! Checks that need no cluster stand with the other rules of the kind.

use crate::api::{BadValue, FieldError};
use crate::base::Value;
use crate::base::ip::{Family, parse_ip};
use crate::store::ranges::Ranges;

const SINGLE: &str = "SingleStack";
const PREFER: &str = "PreferDualStack";
const REQUIRE: &str = "RequireDualStack";

fn spec(service: &Value) -> &Value {
    service.get("spec").unwrap_or(&Value::Null)
}

fn list<'v>(spec: &'v Value, name: &str) -> &'v [Value] {
    spec.list_at(&[name])
}

fn policy(spec: &Value) -> Option<&str> {
    spec.str_at(&["ipFamilyPolicy"])
}

pub(super) fn is_external(spec: &Value) -> bool {
    spec.str_at(&["type"]) == Some("ExternalName")
}

pub(super) fn is_headless(spec: &Value) -> bool {
    list(spec, "clusterIPs").first().and_then(Value::as_str) == Some("None")
}

fn is_selectorless_headless(spec: &Value) -> bool {
    spec.str_at(&["clusterIP"]) == Some("None") && spec.get("selector").is_none_or(Value::is_empty)
}

/// The families a Service says it has.
pub(super) fn said(spec: &Value) -> Vec<Family> {
    list(spec, "ipFamilies").iter().filter_map(|name| Family::parse(name.as_str()?)).collect()
}

fn names(families: &[Family]) -> Vec<Value> {
    families.iter().map(|family| Value::from(family.name())).collect()
}

/// The families of a stored Service; one from before there were families gets them from its
/// addresses.
pub(super) fn of_stored(spec: &Value, ranges: &Ranges) -> Vec<Family> {
    let families = said(spec);
    if !families.is_empty() || is_external(spec) {
        return families;
    }
    let first = ranges.services[0].family();
    if is_selectorless_headless(spec) {
        return vec![first, first.other()];
    }
    if spec.str_at(&["clusterIP"]) == Some("None") {
        return vec![first];
    }
    let one = spec.str_at(&["clusterIP"]);
    let all = list(spec, "clusterIPs").iter().filter_map(Value::as_str);
    let all: Vec<&str> =
        if list(spec, "clusterIPs").is_empty() { one.into_iter().collect() } else { all.collect() };
    all.into_iter().filter_map(|text| parse_ip(text).map(Family::of)).collect()
}

/// Whether an update leaves a Service that prefers both families as it is: it is not moved to
/// what the cluster offers by now.
pub(super) fn prefers_both_as_before(service: &Value, old: &Value) -> bool {
    let (spec, old) = (spec(service), spec(old));
    let same = |name: &str| list(spec, name) == list(old, name);
    !is_external(spec)
        && spec.str_at(&["type"]) == old.str_at(&["type"])
        && policy(spec) == Some(PREFER)
        && policy(old).is_none_or(|policy| policy == PREFER)
        && same("clusterIPs")
        && same("ipFamilies")
}

/// A Service that does not say which policy it follows keeps its old one, or gets the one that
/// never changes how many families it has.
pub(super) fn choose_policy(service: &mut Value, old: Option<&Value>) {
    if old.is_none()
        && list(spec(service), "clusterIPs").is_empty()
        && let Some(one) = spec(service).str_at(&["clusterIP"]).filter(|one| !one.is_empty())
    {
        let one = Value::from(one);
        service.set(&["spec", "clusterIPs"], vec![one]);
    }
    let spec = spec(service);
    if is_external(spec) || policy(spec).is_some() {
        return;
    }
    let chosen = match old.and_then(|old| policy(self::spec(old))) {
        Some(kept) => kept,
        None if is_selectorless_headless(spec) => REQUIRE,
        None => SINGLE,
    };
    service.set(&["spec", "ipFamilyPolicy"], chosen);
}

/// Settles the families of a Service whose lists are sound; answers what makes no sense in this
/// cluster.
pub(super) fn settle(service: &mut Value, old: Option<&Value>, ranges: &Ranges) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if is_external(spec(service)) {
        return errors;
    }
    if let Some(old) = old {
        release_second(service, spec(old), ranges, &mut errors);
    }
    fits_policy(spec(service), &mut errors);
    let mut families = infer(spec(service), ranges, &mut errors);
    if !errors.is_empty() {
        return errors;
    }
    let spec = spec(service);
    let both = policy(spec) != Some(SINGLE);
    let first = ranges.services[0].family();
    if is_selectorless_headless(spec) {
        if families.is_empty() {
            families.push(first);
        }
        if families.len() == 1 && both {
            families.push(families[0].other());
        }
    } else {
        is_offered(spec, ranges, &families, &mut errors);
        if !errors.is_empty() {
            return errors;
        }
        if families.is_empty() {
            families.push(first);
        }
        if families.len() == 1 && both && ranges.services.len() == 2 {
            families.push(families[0].other());
        }
    }
    service.set(&["spec", "ipFamilies"], names(&families));
    errors
}

/// Fewer families than before: the policy must say so. It says so alone, too, when the lists
/// are left as they were.
fn release_second(service: &mut Value, old: &Value, ranges: &Ranges, errors: &mut Vec<FieldError>) {
    let old_families = names(&of_stored(old, ranges));
    if policy(spec(service)) == Some(SINGLE) {
        for (name, known) in
            [("clusterIPs", list(old, "clusterIPs")), ("ipFamilies", &old_families[..])]
        {
            let all = list(spec(service), name);
            if all == known && all.len() > 1 {
                let first = vec![all[0].clone()];
                service.set(&["spec", name], first);
            }
        }
        return;
    }
    let spec = spec(service);
    for (name, known, what) in [
        ("clusterIPs", list(old, "clusterIPs").len(), "cluster IP"),
        ("ipFamilies", old_families.len(), "IP family"),
    ] {
        let count = list(spec, name).len();
        if count != 0 && count < known {
            let detail = format!("must be 'SingleStack' to release the secondary {what}");
            errors.push(of_policy(spec, detail));
        }
    }
}

fn of_policy(spec: &Value, detail: impl Into<std::borrow::Cow<'static, str>>) -> FieldError {
    let shown = BadValue::json(spec.get("ipFamilyPolicy").unwrap_or(&Value::Null));
    FieldError::invalid("spec.ipFamilyPolicy", shown, detail.into().into_owned())
}

fn fits_policy(spec: &Value, errors: &mut Vec<FieldError>) {
    if policy(spec) != Some(SINGLE) {
        return;
    }
    for (name, what) in [("clusterIPs", "cluster IPs"), ("ipFamilies", "IP families")] {
        if list(spec, name).len() == 2 {
            let detail = format!(
                "must be 'RequireDualStack' or 'PreferDualStack' when multiple {what} are specified"
            );
            errors.push(of_policy(spec, detail));
        }
    }
}

/// The families a Service names, and those of further addresses it chose.
fn infer(spec: &Value, ranges: &Ranges, errors: &mut Vec<FieldError>) -> Vec<Family> {
    let mut families = said(spec);
    for (at, address) in list(spec, "clusterIPs").iter().enumerate() {
        let Some(address) = address.as_str().filter(|text| *text != "None") else { break };
        if at < families.len() {
            continue;
        }
        let Some(family) = parse_ip(address).map(Family::of) else { continue };
        if ranges.service_families().any(|known| known == family) {
            families.push(family);
        } else {
            let shown = BadValue::json(spec.get("clusterIPs").unwrap_or(&Value::Null));
            let detail = format!("{} is not configured on this cluster", family.name());
            errors.push(FieldError::invalid(format!("spec.clusterIPs[{at}]"), shown, detail));
        }
    }
    families
}

fn is_offered(spec: &Value, ranges: &Ranges, families: &[Family], errors: &mut Vec<FieldError>) {
    if policy(spec) == Some(REQUIRE) && ranges.services.len() < 2 {
        errors.push(of_policy(spec, "this cluster is not configured for dual-stack services"));
    }
    for (at, family) in families.iter().enumerate() {
        if !ranges.service_families().any(|known| known == *family) {
            let detail = "not configured on this cluster";
            let path = format!("spec.ipFamilies[{at}]");
            errors.push(FieldError::invalid(path, family.name(), detail));
        }
    }
}

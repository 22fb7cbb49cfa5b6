//! Every rule against recorded answers of apimachinery v0.36.3.

use serde_json::Value as Json;

use super::*;
use crate::base::ip;

type Rule = fn(&str) -> Vec<String>;

fn recorded() -> Json {
    serde_json::from_str(include_str!("../../../tests/golden/names.json")).unwrap()
}

/// Compares every rule of one table; returns how many answers were compared.
fn compare(table: &str, rule_named: fn(&str) -> Rule) -> usize {
    let recorded = recorded();
    let sentence = |number: &Json| recorded["sentences"][number.as_u64().unwrap() as usize].clone();
    let table = &recorded["tables"][table];
    let mut compared = 0;
    for (name, answers) in table["rules"].as_object().unwrap() {
        let rule = rule_named(name);
        for (input, answer) in
            table["inputs"].as_array().unwrap().iter().zip(answers.as_array().unwrap())
        {
            let expected: Vec<Json> = answer.as_array().unwrap().iter().map(sentence).collect();
            let ours: Vec<Json> =
                rule(input.as_str().unwrap()).into_iter().map(Json::from).collect();
            assert_eq!(ours, expected, "{name} of {input}");
            compared += 1;
        }
    }
    compared
}

/// The recording marks a missing value, which is the caller's to report here.
fn unless_missing(value: &str, rule: impl Fn(&str) -> Vec<String>) -> Vec<String> {
    if value.is_empty() { vec!["REQUIRED".to_owned()] } else { rule(value) }
}

/// The recording names the part at fault where it is not the whole.
fn with_parts(value: &str, faults: Vec<(&str, String)>) -> Vec<String> {
    let show = |(part, fault)| if part == value { fault } else { format!("{part} | {fault}") };
    faults.into_iter().map(show).collect()
}

#[test]
fn names_and_keys_are_judged_as_kubernetes_judges_them() {
    let compared = compare("names", |name| match name {
        "dns1123_label" => dns1123_label,
        "dns1123_subdomain" => dns1123_subdomain,
        "dns1123_subdomain_with_underscore" => dns1123_subdomain_with_underscore,
        "dns1035_label" => dns1035_label,
        "wildcard_dns1123_subdomain" => wildcard_dns1123_subdomain,
        "generate_name" => |prefix| dns1123_subdomain(&mask_trailing_dash(prefix)),
        "label_key" => label_key,
        "label_value" => label_value,
        "config_map_key" => config_map_key,
        "path_segment_name" => path_segment_name,
        "port_name" => port_name,
        "c_identifier" => c_identifier,
        "percent" => percent,
        "decimal_integer" => decimal_integer,
        "http_header_name" => http_header_name,
        "env_var_name" => env_var_name,
        "fully_qualified_name" => |name| unless_missing(name, fully_qualified_name),
        "fully_qualified_domain_name" => {
            |name| unless_missing(name, |name| with_parts(name, fully_qualified_domain_name(name)))
        }
        "domain_prefixed_path" => {
            |path| unless_missing(path, |path| with_parts(path, domain_prefixed_path(path)))
        }
        "domain_prefixed_key" => |key| unless_missing(key, domain_prefixed_key),
        other => panic!("no rule {other}"),
    });
    assert!(compared > 4_000, "compared only {compared}");
}

#[test]
fn addresses_and_blocks_are_judged_as_kubernetes_judges_them() {
    let compared = compare("addresses", |name| match name {
        "ip" => ip::ip_faults,
        "legacy_ip" => ip::legacy_ip_faults,
        "ip_warning" => |value| ip::ip_warning(value).into_iter().collect(),
        other => panic!("no rule {other}"),
    }) + compare("blocks", |name| match name {
        "cidr" => ip::cidr_faults,
        "legacy_cidr" => ip::legacy_cidr_faults,
        "interface_address" => ip::interface_address_faults,
        other => panic!("no rule {other}"),
    });
    assert!(compared > 1_000, "compared only {compared}");
}

#[test]
fn numbers_are_held_to_their_range() {
    assert_eq!(port_number(0), ["must be between 1 and 65535, inclusive"]);
    assert_eq!(user_id(-1), ["must be between 0 and 2147483647, inclusive"]);
    assert!(port_number(65_535).is_empty() && group_id(0).is_empty());
}

//! What names may look like: the rules every kind shares, with Kubernetes' own sentences.
//!
//! Each rule takes a text and returns what is wrong with it, one sentence per fault; nothing
//! wrong is an empty list. Which rule applies to which field, and where in the object the field
//! stands, is the business of the API types.

mod dns;
mod keys;
mod parts;

pub use dns::{
    dns1035_label, dns1123_label, dns1123_subdomain, dns1123_subdomain_with_underscore,
    mask_trailing_dash, wildcard_dns1123_subdomain,
};
pub use keys::{
    c_identifier, config_map_key, label_key, label_value, path_segment_name, port_name,
};
pub use parts::{
    decimal_integer, domain_prefixed_key, domain_prefixed_path, env_var_name,
    fully_qualified_domain_name, fully_qualified_name, group_id, http_header_name, in_range,
    percent, port_number, user_id,
};

/// The sentence for a text longer than `length` characters.
fn too_long(length: usize) -> String {
    format!("must be no more than {length} characters")
}

/// The sentence for a text that does not have the form of `regex`.
fn wrong_form(rule: &str, regex: &str, examples: &[&str]) -> String {
    if examples.is_empty() {
        return format!("{rule} (regex used for validation is '{regex}')");
    }
    let examples: Vec<String> = examples.iter().map(|example| format!("'{example}', ")).collect();
    format!("{rule} (e.g. {}regex used for validation is '{regex}')", examples.join(" or "))
}

/// Whether `text` is not empty, starts and ends with one of `ends`, and has only characters of
/// `inner` between.
fn has_form(text: &str, ends: fn(u8) -> bool, inner: fn(u8) -> bool) -> bool {
    let bytes = text.as_bytes();
    match bytes {
        [] => false,
        [only] => ends(*only),
        [first, middle @ .., last] => {
            ends(*first) && ends(*last) && middle.iter().all(|byte| inner(*byte))
        }
    }
}

#[cfg(test)]
mod tests;

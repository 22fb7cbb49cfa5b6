//! When an image is pulled, if its container does not say.

use super::NamedStep;
use crate::api::rules::reference::{field, text};
use crate::base::Value;

pub(super) const STEPS: &[NamedStep] = &[
    ("image_pull_policy", "imagePullPolicy", of_container),
    ("image_volume_pull_policy", "pullPolicy", of_volume),
];

fn of_container(container: &Value, _: &Value) -> Option<Value> {
    policy(container, "imagePullPolicy", "image")
}

fn of_volume(source: &Value, _: &Value) -> Option<Value> {
    policy(source, "pullPolicy", "reference")
}

fn policy(value: &Value, policy: &str, image: &str) -> Option<Value> {
    if !text(value, policy).is_empty() || value.as_map().is_none() {
        return None;
    }
    let latest = is_latest(field(value, image).as_str().unwrap_or_default());
    Some(if latest { "Always" } else { "IfNotPresent" }.into())
}

/// Whether the image has the tag `latest`, spoken or not; what is no image name has no tag.
fn is_latest(image: &str) -> bool {
    let (name, digest) = match image.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (image, None),
    };
    let path = name.rsplit('/').next().unwrap_or(name);
    let (base, tag) = match path.split_once(':') {
        Some((base, tag)) => (base, Some(tag)),
        None => (path, None),
    };
    if !is_name(&name[..name.len() - path.len()], base) {
        return false;
    }
    match (tag, digest) {
        (Some(tag), _) => tag == "latest",
        (None, Some(_)) => false,
        (None, None) => true,
    }
}

/// The most bytes a name may have without its host; one without a folder stands in `library/`.
const NAME_MAX: usize = 255;

/// Whether a reference's host, folders and base name are well formed.
fn is_name(before: &str, base: &str) -> bool {
    let mut parts: Vec<&str> = before.split('/').collect();
    parts.pop();
    let is_host = |part: &str| {
        part.contains(['.', ':']) || part == "localhost" || part != part.to_lowercase()
    };
    if parts.first().is_some_and(|part| is_host(part)) {
        let host = parts.remove(0);
        if !is_host_name(host) {
            return false;
        }
    }
    let mut length: usize = base.len() + parts.iter().map(|part| part.len() + 1).sum::<usize>();
    if before.is_empty() {
        length += "library/".len();
    }
    let is_id =
        before.is_empty() && base.len() == 64 && base.bytes().all(|b| b.is_ascii_hexdigit());
    !is_id && length <= NAME_MAX && parts.iter().chain([&base]).all(|part| is_component(part))
}

/// Labels of letters, digits and inner dashes, or an address in brackets; then maybe a port.
fn is_host_name(host: &str) -> bool {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !host.ends_with(']') => (name, Some(port)),
        _ => (host, None),
    };
    let is_label = |label: &str| {
        let legal = label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        !label.is_empty() && !label.starts_with('-') && !label.ends_with('-') && legal
    };
    let is_address = name.starts_with('[') && name.ends_with(']');
    port.is_none_or(|port| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()))
        && (is_address || name.split('.').all(is_label))
}

/// Lower case letters and digits, joined by `.`, `_`, `__` or dashes.
fn is_component(text: &str) -> bool {
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let separators: Vec<&str> = text.split(word).filter(|part| !part.is_empty()).collect();
    let legal = |part: &&str| matches!(*part, "." | "_" | "__") || part.chars().all(|c| c == '-');
    text.starts_with(word) && text.ends_with(word) && separators.iter().all(legal)
}

#[cfg(test)]
mod tests {
    use super::is_latest;

    #[test]
    fn untagged_images_are_the_latest() {
        for (image, latest) in [
            ("nginx", true),
            ("nginx:latest", true),
            ("nginx:1.27", false),
            ("registry:5000/team/app", true),
            ("registry:5000/team/app:v1", false),
            ("app@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", false),
            ("localhost/a__b-c.d", true),
            ("", false),
            ("Upper/case", true),
            ("UPPER", false),
            ("a b", false),
            ("../x", false),
            ("a.b:/x", false),
        ] {
            assert_eq!(is_latest(image), latest, "{image:?}");
        }
    }
}

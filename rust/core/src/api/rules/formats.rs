//! Forms a text or a number must have, and Kubernetes' sentences about those that have not.

use super::builtin::{cron, time_zone};
use super::check::quantity;
use crate::base::{Map, Value, ip, names};
use crate::labels::Selector;

/// A form, named in declarations as in [`Format::by_name`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Any,
    DnsLabel,
    DnsLabelPrefix,
    Dns1035Label,
    DnsSubdomain,
    DnsSubdomainBytes,
    DnsSubdomainPrefix,
    DnsSubdomainUnderscore,
    WildcardSubdomain,
    QualifiedName,
    QualifiedNameCaseless,
    LabelValue,
    ConfigMapKey,
    PathSegment,
    PortName,
    PortNumber,
    UserId,
    GroupId,
    Percent,
    HttpHeaderName,
    RelaxedEnvVarName,
    Ip,
    StrictIp,
    Cidr,
    PathNoBacksteps,
    LocalDescendingPath,
    LocalNonReservedPath,
    IscsiQualifiedName,
    IscsiName,
    ActiveDeadline,
    Quantity,
    NonnegativeQuantity,
    PositiveQuantity,
    ZeroPercent,
    Selector,
    Object,
    Schedule,
    TimeZone,
}

const NAMES: [(&str, Format); 38] = [
    ("any", Format::Any),
    ("dns_label", Format::DnsLabel),
    ("dns_label_prefix", Format::DnsLabelPrefix),
    ("dns1035_label", Format::Dns1035Label),
    ("dns_subdomain", Format::DnsSubdomain),
    ("dns_subdomain_bytes", Format::DnsSubdomainBytes),
    ("dns_subdomain_prefix", Format::DnsSubdomainPrefix),
    ("dns_subdomain_underscore", Format::DnsSubdomainUnderscore),
    ("wildcard_subdomain", Format::WildcardSubdomain),
    ("qualified_name", Format::QualifiedName),
    ("qualified_name_caseless", Format::QualifiedNameCaseless),
    ("label_value", Format::LabelValue),
    ("config_map_key", Format::ConfigMapKey),
    ("path_segment", Format::PathSegment),
    ("port_name", Format::PortName),
    ("port_number", Format::PortNumber),
    ("user_id", Format::UserId),
    ("group_id", Format::GroupId),
    ("percent", Format::Percent),
    ("http_header_name", Format::HttpHeaderName),
    ("relaxed_env_var_name", Format::RelaxedEnvVarName),
    ("ip", Format::Ip),
    ("strict_ip", Format::StrictIp),
    ("cidr", Format::Cidr),
    ("path_no_backsteps", Format::PathNoBacksteps),
    ("local_descending_path", Format::LocalDescendingPath),
    ("local_non_reserved_path", Format::LocalNonReservedPath),
    ("iscsi_qualified_name", Format::IscsiQualifiedName),
    ("iscsi_name", Format::IscsiName),
    ("active_deadline", Format::ActiveDeadline),
    ("quantity", Format::Quantity),
    ("nonnegative_quantity", Format::NonnegativeQuantity),
    ("positive_quantity", Format::PositiveQuantity),
    ("zero_percent", Format::ZeroPercent),
    ("selector", Format::Selector),
    ("object", Format::Object),
    ("schedule", Format::Schedule),
    ("time_zone", Format::TimeZone),
];

impl Format {
    /// The form declared under this name.
    pub fn by_name(name: &str) -> Option<Self> {
        NAMES.iter().find(|(known, _)| *known == name).map(|(_, format)| *format)
    }

    /// What is wrong with a value, one sentence each; absent counts as `""` or `0`.
    pub fn problems(self, value: &Value) -> Vec<String> {
        let number = || value.as_int().unwrap_or(0);
        match self {
            Self::PortNumber => names::port_number(number()),
            Self::UserId => names::user_id(number()),
            Self::GroupId => names::group_id(number()),
            Self::ActiveDeadline => names::in_range(number(), 1, i64::from(i32::MAX)),
            Self::Quantity => Vec::new(),
            Self::NonnegativeQuantity => {
                sentence(quantity(value).sign() >= 0, "must be greater than or equal to 0")
            }
            Self::PositiveQuantity => {
                sentence(quantity(value).sign() > 0, "must be greater than zero")
            }
            Self::ZeroPercent => sentence(int_or_percent(value) == 0, "must be zero"),
            Self::Selector => sentence(is_selector(value), "must be a selector"),
            Self::Object => sentence(value.as_map().is_some(), "must be an object"),
            _ => self.text_problems(value.as_str().unwrap_or_default()),
        }
    }

    /// What is wrong with a text, one sentence each.
    pub fn text_problems(self, text: &str) -> Vec<String> {
        match self {
            Self::Any => Vec::new(),
            Self::DnsLabel => names::dns1123_label(text),
            Self::DnsLabelPrefix => names::dns1123_label(&names::mask_trailing_dash(text)),
            Self::Dns1035Label => names::dns1035_label(text),
            Self::DnsSubdomain => names::dns1123_subdomain(text),
            Self::DnsSubdomainBytes => in_bytes(names::dns1123_subdomain(text)),
            Self::DnsSubdomainPrefix => names::dns1123_subdomain(&names::mask_trailing_dash(text)),
            Self::DnsSubdomainUnderscore => names::dns1123_subdomain_with_underscore(text),
            Self::WildcardSubdomain => names::wildcard_dns1123_subdomain(text),
            Self::QualifiedName => names::label_key(text),
            Self::QualifiedNameCaseless => names::label_key(&text.to_lowercase()),
            Self::LabelValue => names::label_value(text),
            Self::ConfigMapKey => names::config_map_key(text),
            Self::PathSegment => names::path_segment_name(text),
            Self::PortName => names::port_name(text),
            Self::Percent => names::percent(text),
            Self::HttpHeaderName => names::http_header_name(text),
            Self::RelaxedEnvVarName => names::env_var_name(text),
            Self::Ip => ip::legacy_ip_faults(text),
            Self::StrictIp => ip::ip_faults(text),
            Self::Cidr => ip::legacy_cidr_faults(text),
            Self::PathNoBacksteps => path_no_backsteps(text),
            Self::LocalDescendingPath => local_descending_path(text),
            Self::LocalNonReservedPath => local_non_reserved_path(text),
            Self::IscsiQualifiedName => iscsi_qualified_name(text),
            Self::IscsiName => {
                sentence(iscsi_qualified_name(text).is_empty(), "must be valid format")
            }
            Self::Schedule => cron::problems(text),
            Self::TimeZone => time_zone::problems(text),
            _ => Vec::new(),
        }
    }

    /// The form of a name that is still to be completed.
    pub fn as_prefix(self) -> Self {
        match self {
            Self::DnsLabel => Self::DnsLabelPrefix,
            Self::DnsSubdomain => Self::DnsSubdomainPrefix,
            other => other,
        }
    }
}

/// A number, or the number of a percentage; what is neither counts as zero.
pub(super) fn int_or_percent(value: &Value) -> i64 {
    match value {
        Value::Int(number) => *number,
        Value::Str(text) if names::percent(text).is_empty() => {
            text.trim_end_matches('%').parse().unwrap_or(0)
        }
        Value::Str(text) => text.parse().unwrap_or(0),
        _ => 0,
    }
}

/// Whether a label selector can be read; plain labels are the common case and need no reading.
fn is_selector(value: &Value) -> bool {
    if value.list_at(&["matchExpressions"]).is_empty() {
        let labels = value.get("matchLabels").and_then(Value::as_map);
        return labels.into_iter().flat_map(Map::iter).all(|(key, value)| {
            names::label_key(key).is_empty()
                && names::label_value(value.as_str().unwrap_or_default()).is_empty()
        });
    }
    Selector::from_label_selector(value).is_ok()
}

/// Declarative validation counts bytes where the older sentences say characters.
fn in_bytes(problems: Vec<String>) -> Vec<String> {
    let count = |problem: String| match problem.strip_prefix("must be no more than ") {
        Some(_) => problem.replace(" characters", " bytes"),
        None => problem,
    };
    problems.into_iter().map(count).collect()
}

fn sentence(right: bool, otherwise: &str) -> Vec<String> {
    if right { Vec::new() } else { vec![otherwise.to_owned()] }
}

fn path_no_backsteps(text: &str) -> Vec<String> {
    sentence(!text.split('/').any(|part| part == ".."), "must not contain '..'")
}

fn local_descending_path(text: &str) -> Vec<String> {
    let mut problems = sentence(!text.starts_with('/'), "must be a relative path");
    problems.extend(path_no_backsteps(text));
    problems
}

fn local_non_reserved_path(text: &str) -> Vec<String> {
    let mut problems = local_descending_path(text);
    let reserved = text.starts_with("..") && !text.starts_with("../");
    problems.extend(sentence(!reserved, "must not start with '..'"));
    problems
}

fn iscsi_qualified_name(text: &str) -> Vec<String> {
    let right = match text.get(..3) {
        Some("iqn") => is_iqn(text),
        Some("eui") => is_fixed(text, 16),
        Some("naa") => is_fixed(text, 32),
        _ => return vec!["must be valid format starting with iqn, eui, or naa".to_owned()],
    };
    sentence(right, "must be valid format")
}

/// `iqn.YYYY-MM.authority:name`.
fn is_iqn(text: &str) -> bool {
    let digits = |text: &str, len: usize| {
        text.len() == len && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    let Some((date, rest)) = text.strip_prefix("iqn.").and_then(|rest| rest.split_once('.')) else {
        return false;
    };
    let Some((year, month)) = date.split_once('-') else { return false };
    let Some((authority, name)) = rest.split_once(':') else { return false };
    let in_authority = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    let in_name = |c: char| !",;*&$|".contains(c) && !c.is_whitespace() && c != '^';
    digits(year, 4)
        && digits(month, 2)
        && !authority.is_empty()
        && authority.bytes().all(in_authority)
        && !name.is_empty()
        && name.chars().all(in_name)
}

/// Three letters, any character and so many alphanumeric ones.
fn is_fixed(text: &str, len: usize) -> bool {
    let rest: String = text.chars().skip(4).collect();
    rest.len() == len && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::{Format, NAMES, int_or_percent};
    use crate::base::Value;

    #[test]
    fn every_name_is_a_form_of_its_own() {
        for (at, (name, format)) in NAMES.iter().enumerate() {
            assert_eq!(Format::by_name(name), Some(*format));
            assert!(NAMES[at + 1..].iter().all(|(other, form)| other != name && form != format));
        }
    }

    #[test]
    fn iscsi_names_have_three_schemes() {
        for (text, right) in [
            ("iqn.2001-04.com.example:storage.disk1", true),
            ("iqn.2001-04.com.example", false),
            ("eui.0123456789abcdef", true),
            ("eui.0123", false),
            ("naa.0123456789abcdef0123456789abcdef", true),
            ("abc", false),
        ] {
            assert_eq!(Format::IscsiQualifiedName.text_problems(text).is_empty(), right, "{text}");
        }
    }

    #[test]
    fn percentages_count_as_numbers() {
        assert_eq!(int_or_percent(&Value::from("25%")), 25);
        assert_eq!(int_or_percent(&Value::Int(3)), 3);
        assert_eq!(int_or_percent(&Value::from("x")), 0);
        assert_eq!(int_or_percent(&Value::Null), 0);
    }
}

//! Security contexts: sysctls, AppArmor profiles, Windows options, operating systems.

use super::CheckFn;
use super::annotations::CONTAINER_LISTS;
use crate::api::rules::check::Walk;
use crate::api::rules::compile::POD;
use crate::api::rules::reference::{field, is_zero, text};
use crate::api::{BadValue, FieldError, Path};
use crate::base::{Value, names};

pub(super) const CHECKS: &[(&str, CheckFn)] = &[
    ("sysctls", sysctls),
    ("app_armor_profile", app_armor_profile),
    ("windows_options", windows_options),
    ("windows_host_process", windows_host_process),
    ("operating_system", operating_system),
];

fn sysctls<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    const FORM: &str = "must have at most 253 characters and match regex \
                        ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$";
    let pod = walk.scope.anchors[POD as usize];
    let on = |name: &str| field(pod, name).as_bool() == Some(true);
    let mut seen: Vec<&str> = Vec::new();
    for (at, sysctl) in here.as_list().unwrap_or_default().iter().enumerate() {
        let item = path.index(at);
        let name_path = item.child("name");
        let name = text(sysctl, "name");
        if name.is_empty() {
            walk.errors.push(FieldError::required(name_path, ""));
        } else if !is_sysctl(name) {
            walk.errors.push(FieldError::invalid(name_path, name, FORM));
        } else if seen.contains(&name) {
            walk.errors.push(FieldError::duplicate(name_path, name));
        }
        let dotted = normalized(name);
        let detail = if on("hostNetwork") && dotted.starts_with("net.") {
            "may not be specified when 'hostNetwork' is true"
        } else if on("hostIPC") && is_ipc(&dotted) {
            "may not be specified when 'hostIPC' is true"
        } else {
            ""
        };
        if !detail.is_empty() {
            walk.errors.push(FieldError::invalid(name_path, name, detail));
        }
        seen.push(name);
    }
}

fn is_sysctl(name: &str) -> bool {
    let ends = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let segment = |part: &str| match part.as_bytes() {
        [] => false,
        [only] => ends(*only),
        [first, middle @ .., last] => {
            ends(*first)
                && ends(*last)
                && middle.iter().all(|byte| ends(*byte) || matches!(byte, b'-' | b'_'))
        }
    };
    name.len() <= 253 && name.split(['.', '/']).all(segment)
}

/// With dots between its parts, whatever separator the writer chose.
fn normalized(name: &str) -> String {
    let first = name.find(['.', '/']);
    if first.is_none_or(|at| name.as_bytes()[at] == b'.') {
        return name.to_owned();
    }
    name.chars()
        .map(|c| {
            if c == '.' {
                '/'
            } else if c == '/' {
                '.'
            } else {
                c
            }
        })
        .collect()
}

fn is_ipc(name: &str) -> bool {
    name == "kernel.sem"
        || ["kernel.shm", "kernel.msg", "fs.mqueue."].iter().any(|part| name.starts_with(part))
}

/// The file of a Localhost profile.
fn app_armor_profile<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    const NEEDED: &str = "must be set when AppArmor type is Localhost";
    let Some(profile) = here.as_str() else {
        walk.errors.push(FieldError::required(path, NEEDED));
        return;
    };
    if profile.trim() != profile {
        let detail = "must not be padded with whitespace";
        walk.errors.push(FieldError::invalid(path, profile, detail));
    } else if profile.is_empty() {
        walk.errors.push(FieldError::required(path, NEEDED));
    }
    if profile.len() > 4095 {
        walk.errors.push(FieldError::too_long(path, 4095));
    }
}

fn windows_options<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    let name = field(here, "gmsaCredentialSpecName");
    if let Some(text) = name.as_str() {
        for problem in names::dns1123_subdomain(text) {
            let at = path.child("gmsaCredentialSpecName");
            walk.errors.push(FieldError::invalid(at, BadValue::json(name), problem));
        }
    }
    let spec = field(here, "gmsaCredentialSpec");
    if let Some(text) = spec.as_str() {
        let detail = match text.len() {
            0 => "gmsaCredentialSpec cannot be an empty string",
            65_537.. => "gmsaCredentialSpec size must be under 64 KiB",
            _ => "",
        };
        if !detail.is_empty() {
            let at = path.child("gmsaCredentialSpec");
            walk.errors.push(FieldError::invalid(at, BadValue::json(spec), detail));
        }
    }
    let user = field(here, "runAsUserName");
    if let Some(text) = user.as_str() {
        for problem in windows_user(text) {
            let at = path.child("runAsUserName");
            walk.errors.push(FieldError::invalid(at, BadValue::json(user), problem));
        }
    }
}

fn windows_user(name: &str) -> Vec<&'static str> {
    if name.is_empty() {
        return vec!["runAsUserName cannot be an empty string"];
    }
    if name.bytes().any(|byte| byte.is_ascii_control()) {
        return vec!["runAsUserName cannot contain control characters"];
    }
    if name.matches('\\').count() > 1 {
        return vec!["runAsUserName cannot contain more than one backslash"];
    }
    let (domain, user) = match name.split_once('\\') {
        Some((domain, user)) => (Some(domain), user),
        None => (None, name),
    };
    let mut problems = Vec::new();
    let mut add = |wrong: bool, problem: &'static str| {
        if wrong {
            problems.push(problem);
        }
    };
    add(
        domain.is_some_and(|domain| domain.len() >= 256),
        "runAsUserName's Domain length must be under 256 characters",
    );
    add(
        domain.is_some_and(|domain| !is_net_bios(domain) && !is_windows_dns(domain)),
        "runAsUserName's Domain doesn't match the NetBios nor the DNS format",
    );
    add(user.is_empty(), "runAsUserName's User cannot be empty");
    add(user.len() > 104, "runAsUserName's User length must not be longer than 104 characters");
    add(
        !user.is_empty() && user.chars().all(|c| c == '.' || c == ' '),
        "runAsUserName's User cannot contain only periods or spaces",
    );
    add(
        user.contains(|c| "\"/\\:;|=,+*?<>@[]".contains(c)),
        "runAsUserName's User cannot contain the following characters: \"/\\:;|=,+*?<>@[]",
    );
    problems
}

fn is_net_bios(domain: &str) -> bool {
    let count = domain.chars().count();
    (1..=15).contains(&count)
        && !domain.starts_with('.')
        && !domain.contains(|c| "\\/:*?\"<>|".contains(c))
}

fn is_windows_dns(domain: &str) -> bool {
    domain.split('.').all(|label| {
        label.len() <= 63
            && label.starts_with(|c: char| c.is_ascii_alphanumeric())
            && label.ends_with(|c: char| c.is_ascii_alphanumeric())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    })
}

/// Either all containers of a Windows pod are host processes, or none is.
fn windows_host_process<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    let flag_of = |value: &Value| {
        let options = field(field(value, "securityContext"), "windowsOptions");
        field(options, "hostProcess").as_bool()
    };
    let of_pod = flag_of(here);
    let (mut containers, mut processes) = (0, 0);
    for list in CONTAINER_LISTS {
        let list_path = path.child(list);
        for (at, container) in here.list_at(&[list]).iter().enumerate() {
            containers += 1;
            let own = flag_of(container);
            if let (Some(pod), Some(own)) = (of_pod, own)
                && pod != own
            {
                let item = list_path.index(at);
                let security = item.child("securityContext");
                let options = security.child("windowsOptions");
                let detail = format!(
                    "pod hostProcess value must be identical if both are specified, was {pod}"
                );
                walk.errors.push(FieldError::invalid(options.child("hostProcess"), own, detail));
            }
            processes += usize::from(own.or(of_pod) == Some(true));
        }
    }
    if processes == 0 {
        return;
    }
    if processes != containers {
        let detail = "If pod contains any hostProcess containers then all containers must be \
                      HostProcess containers";
        walk.errors.push(FieldError::invalid(path, "", detail));
    }
    if field(here, "hostNetwork").as_bool() != Some(true) {
        let detail = "hostNetwork must be true if pod contains any hostProcess containers";
        walk.errors.push(FieldError::invalid(path.child("hostNetwork"), false, detail));
    }
}

/// What a pod that names its operating system cannot have.
fn operating_system<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    let os_path = path.child("os");
    match text(field(here, "os"), "name") {
        "" => walk.errors.push(FieldError::required(os_path.child("name"), "")),
        "linux" => {
            let detail = "windows options cannot be set for a linux pod";
            refuse_all(walk, here, path, &["windowsOptions"], &["windowsOptions"], detail);
        }
        "windows" => windows(walk, here, path),
        name => {
            let shown = BadValue::json(&Value::from(name));
            walk.errors.push(FieldError::not_supported(os_path, shown, ["linux", "windows"]));
        }
    }
}

fn windows(walk: &mut Walk<'_, '_>, pod: &Value, path: &Path<'_>) {
    const DETAIL: &str = "cannot be set for a windows pod";
    // Kubernetes' order, in which fields of the pod and of its context alternate.
    let security = field(pod, "securityContext");
    let security_path = path.child("securityContext");
    for (name, of_pod) in [
        ("appArmorProfile", false),
        ("seLinuxOptions", false),
        ("hostUsers", true),
        ("hostPID", true),
        ("hostIPC", true),
        ("seccompProfile", false),
        ("fsGroup", false),
        ("fsGroupChangePolicy", false),
        ("sysctls", false),
        ("shareProcessNamespace", true),
        ("runAsUser", false),
        ("runAsGroup", false),
        ("supplementalGroups", false),
        ("supplementalGroupsPolicy", false),
        ("seLinuxChangePolicy", false),
    ] {
        let value = field(if of_pod { pod } else { security }, name);
        let harmless = match name {
            "hostPID" | "hostIPC" | "sysctls" => is_zero(value),
            _ => value.is_null(),
        };
        if !harmless {
            let at = if of_pod { path.child(name) } else { security_path.child(name) };
            walk.errors.push(FieldError::forbidden(at, DETAIL));
        }
    }
    let of_containers = [
        "appArmorProfile",
        "seLinuxOptions",
        "seccompProfile",
        "capabilities",
        "readOnlyRootFilesystem",
        "privileged",
        "allowPrivilegeEscalation",
        "procMount",
        "runAsUser",
        "runAsGroup",
    ];
    refuse_all(walk, pod, path, &[], &of_containers, DETAIL);
}

/// Refuses fields of the pod's security context and of those of its containers.
fn refuse_all(
    walk: &mut Walk<'_, '_>,
    pod: &Value,
    path: &Path<'_>,
    of_pod: &[&str],
    of_containers: &[&str],
    detail: &str,
) {
    let mut refuse = |context: &Value, names: &[&str], at: &Path<'_>| {
        for name in names.iter().filter(|name| !field(context, name).is_null()) {
            walk.errors.push(FieldError::forbidden(at.child(name), detail));
        }
    };
    refuse(field(pod, "securityContext"), of_pod, &path.child("securityContext"));
    for list in CONTAINER_LISTS {
        let list_path = path.child(list);
        for (at, container) in pod.list_at(&[list]).iter().enumerate() {
            let item = list_path.index(at);
            let context = field(container, "securityContext");
            refuse(context, of_containers, &item.child("securityContext"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{is_sysctl, normalized, windows_user};

    #[test]
    fn sysctls_separate_by_dots_or_slashes() {
        for (name, right) in
            [("net.ipv4.tcp_x", true), ("net/ipv4/a.b", true), ("Net.x", false), ("a..b", false)]
        {
            assert_eq!(is_sysctl(name), right, "{name}");
        }
        assert_eq!(normalized("net/ipv4/eth0.1"), "net.ipv4.eth0/1");
        assert_eq!(normalized("net.ipv4.x"), "net.ipv4.x");
    }

    #[test]
    fn windows_users_may_name_a_domain() {
        assert!(windows_user("CORP\\jane").is_empty());
        assert!(windows_user("jane").is_empty());
        assert_eq!(windows_user("a\\b\\c").len(), 1);
        assert_eq!(windows_user("CORP\\").len(), 1);
        assert_eq!(windows_user("x|y").len(), 1);
    }
}

//! What the parts of a pod must agree on: host ports, volumes, DNS, operating system.

use super::CheckFn;
use super::annotations::CONTAINER_LISTS;
use crate::api::rules::check::Walk;
use crate::api::rules::compile::{POD_METADATA, VOLUME};
use crate::api::rules::reference::{field, text};
use crate::api::{BadValue, FieldError, Path};
use crate::base::{FastSet, Value, go_quote, ip, names};

pub(super) const CHECKS: &[(&str, CheckFn)] = &[
    ("trimmed_image", trimmed_image),
    ("host_ports", host_ports),
    ("init_host_ports", init_host_ports),
    ("dns_config", dns_config),
    ("file_key_volumes", file_key_volumes),
    ("ephemeral_claim_name", ephemeral_claim_name),
    ("claim_of_ephemeral_volume", claim_of_ephemeral_volume),
    ("iscsi_initiator_length", iscsi_initiator_length),
    ("quobyte", quobyte),
    ("reserved_flex_option", reserved_flex_option),
    ("port_number_or_name", port_number_or_name),
    ("csi_driver_name", csi_driver_name),
];

fn trimmed_image<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    let image = here.as_str().unwrap_or_default();
    if image.trim().len() != image.len() {
        let detail = "must not have leading or trailing whitespace";
        walk.errors.push(FieldError::invalid(path, image, detail));
    }
}

/// No two containers of the list that stands here may ask for one port of the host.
fn host_ports<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    let mut seen = FastSet::new();
    for (at, container) in here.as_list().unwrap_or_default().iter().enumerate() {
        ports_of(walk, container, &path.index(at), &mut seen);
    }
}

/// Init containers run one by one: only ports of the same one conflict. Kubernetes shows every
/// conflict at the first container.
fn init_host_ports<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    let list = path.parent().unwrap_or(path);
    ports_of(walk, here, &list.index(0), &mut FastSet::new());
}

fn ports_of(
    walk: &mut Walk<'_, '_>,
    container: &Value,
    path: &Path<'_>,
    seen: &mut FastSet<String>,
) {
    let ports_path = path.child("ports");
    for (at, port) in container.list_at(&["ports"]).iter().enumerate() {
        let host_port = field(port, "hostPort").as_int().unwrap_or(0);
        if host_port == 0 {
            continue;
        }
        let key = format!("{}/{}/{host_port}", text(port, "protocol"), text(port, "hostIP"));
        if !seen.insert(key.clone()) {
            let port_path = ports_path.index(at);
            walk.errors.push(FieldError::duplicate(port_path.child("hostPort"), &key));
        }
    }
}

fn port_number_or_name<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    match here {
        Value::Str(name) => super::metadata::invalid(walk, path, name, names::port_name(name)),
        other => {
            let number = other.as_int().unwrap_or(0);
            for problem in names::port_number(number) {
                walk.errors.push(FieldError::invalid(path, number, problem));
            }
        }
    }
}

/// The DNS settings of the pod that stands here.
fn dns_config<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    let config = field(here, "dnsConfig");
    let path = path.child("dnsConfig");
    let servers = config.list_at(&["nameservers"]);
    let servers_path = path.child("nameservers");
    if text(here, "dnsPolicy") == "None" {
        if config.is_null() {
            let detail = "must provide `dnsConfig` when `dnsPolicy` is None";
            walk.errors.push(FieldError::required(path, detail));
            return;
        }
        if servers.is_empty() {
            let detail = "must provide at least one DNS nameserver when `dnsPolicy` is None";
            walk.errors.push(FieldError::required(servers_path, detail));
            return;
        }
    }
    if config.is_null() {
        return;
    }
    if servers.len() > 3 {
        let shown = BadValue::json(field(config, "nameservers"));
        let detail = "must not have more than 3 nameservers";
        walk.errors.push(FieldError::invalid(servers_path, shown, detail));
    }
    for (at, server) in servers.iter().enumerate() {
        let server = server.as_str().unwrap_or_default();
        let problems = ip::legacy_ip_faults(server);
        super::metadata::invalid(walk, &servers_path.index(at), server, problems);
    }
    searches(walk, config, &path.child("searches"));
    let options_path = path.child("options");
    for (at, option) in config.list_at(&["options"]).iter().enumerate() {
        if text(option, "name").is_empty() {
            walk.errors.push(FieldError::required(options_path.index(at), "must not be empty"));
        }
    }
}

fn searches(walk: &mut Walk<'_, '_>, config: &Value, path: &Path<'_>) {
    let all = config.list_at(&["searches"]);
    let shown = || BadValue::json(field(config, "searches"));
    if all.len() > 32 {
        let detail = "must not have more than 32 search paths";
        walk.errors.push(FieldError::invalid(path, shown(), detail));
    }
    let length: usize = all.iter().map(|one| one.as_str().map_or(0, str::len) + 1).sum();
    if length > 2048 + 1 {
        let detail =
            "must not have more than 2048 characters (including spaces) in the search list";
        walk.errors.push(FieldError::invalid(path, shown(), detail));
    }
    for (at, search) in all.iter().enumerate() {
        let search = search.as_str().unwrap_or_default();
        if search != "." {
            let search = search.strip_suffix('.').unwrap_or(search);
            let problems = names::dns1123_subdomain_with_underscore(search);
            super::metadata::invalid(walk, &path.index(at), search, problems);
        }
    }
}

/// Files that variables are read from lie on emptyDir volumes.
fn file_key_volumes<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    for list in CONTAINER_LISTS {
        let list_path = path.child(list);
        for (at, container) in here.list_at(&[list]).iter().enumerate() {
            let container_path = list_path.index(at);
            let env_path = container_path.child("env");
            for (at, variable) in container.list_at(&["env"]).iter().enumerate() {
                let reference = field(field(variable, "valueFrom"), "fileKeyRef");
                if !reference.is_null() {
                    file_key_volume(walk, here, reference, &env_path.index(at));
                }
            }
        }
    }
}

fn file_key_volume(walk: &mut Walk<'_, '_>, pod: &Value, reference: &Value, path: &Path<'_>) {
    let name = text(reference, "volumeName");
    let (source, key) = (path.child("valueFrom"), "volumeName");
    let reference_path = source.child("fileKeyRef");
    let at = reference_path.child(key);
    let volumes = pod.list_at(&["volumes"]);
    match volumes.iter().rfind(|volume| text(volume, "name") == name) {
        None => walk.errors.push(FieldError::not_found(at, name)),
        Some(volume) if field(volume, "emptyDir").is_null() => {
            let detail = "referenced volume must be of type emptyDir";
            walk.errors.push(FieldError::invalid(at, name, detail));
        }
        Some(_) => {}
    }
}

/// The claim made for an ephemeral volume is named after pod and volume.
fn ephemeral_claim_name<'d>(walk: &mut Walk<'_, 'd>, _: &'d Value, path: &Path<'_>, _: &Value) {
    let pod = text(walk.scope.anchors[POD_METADATA as usize], "name");
    let volume = text(walk.scope.anchors[VOLUME as usize], "name");
    if pod.is_empty() || volume.is_empty() {
        return;
    }
    let claim = format!("{pod}-{volume}");
    let volume_path = path.parent().unwrap_or(path);
    for problem in names::dns1123_subdomain(&claim) {
        let detail = format!("PVC name {}: {problem}", go_quote(&claim));
        walk.errors.push(FieldError::invalid(volume_path.child("name"), volume, detail));
    }
}

/// A volume may not use the claim that is made for another one.
fn claim_of_ephemeral_volume<'d>(
    walk: &mut Walk<'_, 'd>,
    here: &'d Value,
    path: &Path<'_>,
    _: &Value,
) {
    let claim = text(field(here, "persistentVolumeClaim"), "claimName");
    let pod = text(walk.scope.anchors[POD_METADATA as usize], "name");
    if claim.is_empty() || pod.is_empty() {
        return;
    }
    let spec = walk.scope.anchors[crate::api::rules::compile::POD as usize];
    let made = |volume: &&Value| {
        !field(volume, "ephemeral").is_null()
            && claim.strip_prefix(pod).and_then(|rest| rest.strip_prefix('-'))
                == Some(text(volume, "name"))
    };
    if spec.list_at(&["volumes"]).iter().any(|volume| made(&volume)) {
        let at = path.child("persistentVolumeClaim");
        let detail = "must not reference a PVC that gets created for an ephemeral volume";
        walk.errors.push(FieldError::invalid(at.child("claimName"), claim, detail));
    }
}

fn iscsi_initiator_length<'d>(
    walk: &mut Walk<'_, 'd>,
    here: &'d Value,
    path: &Path<'_>,
    _: &Value,
) {
    let iscsi = field(here, "iscsi");
    let name = text(here, "name");
    let length = name.len() + 1 + text(iscsi, "targetPortal").len();
    if !field(iscsi, "initiatorName").is_null() && length > 64 {
        let detail = "Total length of <volume name>:<iscsi.targetPortal> must be under 64 \
                      characters if iscsi.initiatorName is specified.";
        walk.errors.push(FieldError::invalid(path.child("name"), name, detail));
    }
}

fn quobyte<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    const PAIRS: &str = "must be a host:port pair or multiple pairs separated by commas";
    let registry = text(here, "registry");
    let at = path.child("registry");
    if registry.is_empty() {
        walk.errors.push(FieldError::required(at, PAIRS));
    } else if text(here, "tenant").len() >= 65 {
        let detail = "must be a UUID and may not exceed a length of 64 characters";
        walk.errors.push(FieldError::required(path.child("tenant"), detail));
    } else {
        for pair in registry.split(',') {
            if pair.matches(':').count() != 1 {
                walk.errors.push(FieldError::invalid(at, registry, PAIRS));
            }
        }
    }
}

fn reserved_flex_option<'d>(walk: &mut Walk<'_, 'd>, _: &'d Value, path: &Path<'_>, _: &Value) {
    let key = walk.key;
    let namespace = key.split_once('/').map_or(key, |(namespace, _)| namespace);
    let namespace = format!(".{}", namespace.to_lowercase());
    if namespace.ends_with(".kubernetes.io") || namespace.ends_with(".k8s.io") {
        let detail = "kubernetes.io and k8s.io namespaces are reserved";
        walk.errors.push(FieldError::invalid(path, key, detail));
    }
}

fn csi_driver_name<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    let name = here.as_str().unwrap_or_default();
    if name.len() > 63 {
        walk.errors.push(FieldError::too_long(path, 63));
    }
    let problems = names::dns1123_subdomain(&name.to_lowercase());
    super::metadata::invalid(walk, path, name, problems);
}

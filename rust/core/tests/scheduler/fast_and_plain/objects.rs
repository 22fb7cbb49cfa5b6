//! The objects of the random clusters: few sorts of each, so that what is remembered of one is
//! used again.

use wavetank_core::base::Value;

use crate::world::json;

pub const SORTS: u8 = 40;
/// How many objects [`storage`] returns.
pub const STORED: usize = 10;
pub const NAMESPACES: [&str; 3] = ["default", "other", "third"];
const ZONE: &str = "topology.kubernetes.io/zone";
const HOST: &str = "kubernetes.io/hostname";

fn pick<'a>(choices: &[&'a str], number: u8) -> &'a str {
    choices[usize::from(number) % choices.len()]
}

pub fn namespace(name: &str, team: u8) -> Value {
    let labels = pick(&["", r#""team":"a""#, r#""team":"b""#], team);
    json(&format!(
        r#"{{"apiVersion":"v1","kind":"Namespace","metadata":{{"name":"{name}",
        "labels":{{{labels}}}}}}}"#
    ))
}

/// A node; `look` chooses its labels, `state` its taints and room.
pub fn node(name: &str, look: u8, state: u8) -> Value {
    let zone = pick(&["z0", "z1", "z2", "z0", "z1", ""], look);
    let zone = if zone.is_empty() { String::new() } else { format!(r#","{ZONE}":"{zone}""#) };
    // Two nodes may have one host name, and some have none.
    let host = match look % 11 {
        9 => String::new(),
        10 => format!(r#","{HOST}":"twin""#),
        _ => format!(r#","{HOST}":"{name}""#),
    };
    let disk = pick(&["", r#","disk":"ssd""#, r#","disk":"hdd""#], look / 6);
    let spec = pick(
        &[
            "",
            "",
            "",
            "",
            r#""taints":[{"key":"gpu","effect":"NoSchedule"}]"#,
            r#""unschedulable":true"#,
            r#""taints":[{"key":"spot","effect":"PreferNoSchedule"}]"#,
        ],
        state,
    );
    let (cpu, pods) = (pick(&["4", "3", "8"], state / 8), pick(&["30", "8", "3"], state / 16));
    let images = match state % 50 {
        49 => r#","images":[{"names":["web:latest"],"sizeBytes":500000000}]"#,
        _ => "",
    };
    json(&format!(
        r#"{{"apiVersion":"v1","kind":"Node","metadata":{{"name":"{name}",
        "labels":{{"name":"{name}"{zone}{host}{disk}}}}},"spec":{{{spec}}},
        "status":{{"allocatable":{{"cpu":"{cpu}","memory":"8Gi","pods":"{pods}"}}{images}}}}}"#
    ))
}

fn term(key: &str, app: &str, more: &str) -> String {
    format!(
        r#"{{"topologyKey":"{key}","labelSelector":{{"matchLabels":{{"app":"{app}"}}}}{more}}}"#
    )
}

fn required(side: &str, terms: &[String]) -> String {
    let terms = terms.join(",");
    format!(r#""{side}":{{"requiredDuringSchedulingIgnoredDuringExecution":[{terms}]}}"#)
}

fn preferred(side: &str, weight: u8, term: &str) -> String {
    format!(
        r#""{side}":{{"preferredDuringSchedulingIgnoredDuringExecution":[
        {{"weight":{weight},"podAffinityTerm":{term}}}]}}"#
    )
}

fn constraint(key: &str, skew: u8, hard: bool, app: &str, more: &str) -> String {
    let action = if hard { "DoNotSchedule" } else { "ScheduleAnyway" };
    let labels = if app.is_empty() { String::new() } else { format!(r#""app":"{app}""#) };
    format!(
        r#"{{"maxSkew":{skew},"topologyKey":"{key}","whenUnsatisfiable":"{action}",
        "labelSelector":{{"matchLabels":{{{labels}}}}}{more}}}"#
    )
}

const TEAM_B: &str = r#","namespaceSelector":{"matchLabels":{"team":"b"}}"#;
const EVERYWHERE: &str = r#","namespaceSelector":{}"#;
const BOTH: &str = r#","namespaces":["default","other"]"#;
const HONOR: &str = r#","nodeTaintsPolicy":"Honor","nodeAffinityPolicy":"Honor""#;
const IGNORE: &str = r#","nodeAffinityPolicy":"Ignore""#;
const KEYS: &str = r#","matchLabelKeys":["version"]"#;
const MANY: &str = r#","minDomains":3"#;

/// What a sort of pods says about other pods.
fn affinity(sort: u8) -> Vec<String> {
    let near = |terms: &[String]| required("podAffinity", terms);
    let away = |terms: &[String]| required("podAntiAffinity", terms);
    match sort {
        0 => vec![away(&[term(HOST, "web", "")])],
        1 => vec![away(&[term(ZONE, "db", BOTH), term(HOST, "web", TEAM_B)])],
        2 => vec![near(&[term(ZONE, "web", "")])],
        3 => vec![near(&[term(ZONE, "db", EVERYWHERE), term(HOST, "db", "")])],
        4 => vec![near(&[term("disk", "web", TEAM_B)]), away(&[term(HOST, "db", "")])],
        5 => vec![preferred("podAffinity", 7, &term(ZONE, "web", TEAM_B))],
        6 => vec![preferred("podAntiAffinity", 50, &term(HOST, "web", ""))],
        7 => vec![
            preferred("podAffinity", 3, &term(HOST, "db", BOTH)),
            preferred("podAntiAffinity", 3, &term(ZONE, "db", EVERYWHERE)),
        ],
        8 => vec![away(&[term("disk", "cache", EVERYWHERE)])],
        9 => vec![near(&[term(HOST, "cache", "")])],
        _ => Vec::new(),
    }
}

/// How a sort of pods is spread.
fn spread(sort: u8) -> Vec<String> {
    match sort {
        10 => vec![constraint(ZONE, 1, true, "web", "")],
        11 => vec![constraint(HOST, 1, true, "web", HONOR)],
        12 => vec![constraint(ZONE, 2, true, "db", MANY), constraint(HOST, 3, true, "web", "")],
        13 => vec![constraint("disk", 1, true, "web", IGNORE)],
        14 => vec![constraint(ZONE, 1, true, "web", KEYS)],
        15 => vec![constraint(ZONE, 1, false, "web", "")],
        16 => vec![constraint(ZONE, 2, false, "web", ""), constraint(HOST, 1, false, "web", "")],
        17 => {
            vec![constraint(ZONE, 1, false, "web", HONOR), constraint("disk", 1, false, "db", "")]
        }
        18 => vec![constraint(HOST, 2, false, "db", ""), constraint(ZONE, 1, false, "web", KEYS)],
        19 => vec![constraint(ZONE, 1, true, "", "")],
        20 => vec![constraint(ZONE, 1, true, "web", ""), constraint(HOST, 1, false, "web", "")],
        _ => Vec::new(),
    }
}

/// What a sort of pods says of nodes, and what else is in its spec.
fn rest(sort: u8) -> (String, &'static str) {
    let nodes = |text: &str| format!(r#""nodeAffinity":{{{text}}}"#);
    let ssd = r#"{"matchExpressions":[{"key":"disk","operator":"In","values":["ssd"]}]}"#;
    let tolerates = r#","tolerations":[{"key":"gpu","operator":"Exists"}]"#;
    match sort {
        // Two sorts that are spread mind nodes, too.
        11 | 17 => (
            nodes(&format!(
                r#""requiredDuringSchedulingIgnoredDuringExecution":
                {{"nodeSelectorTerms":[{ssd},{{"matchExpressions":[{{"key":"disk",
                "operator":"DoesNotExist"}}]}}]}}"#
            )),
            tolerates,
        ),
        21 => (
            nodes(&format!(
                r#""preferredDuringSchedulingIgnoredDuringExecution":
                [{{"weight":3,"preference":{ssd}}}]"#
            )),
            "",
        ),
        22 => (String::new(), tolerates),
        23 => (String::new(), r#","nodeSelector":{"disk":"ssd"}"#),
        24 => (
            nodes(
                r#""requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[
                {"matchFields":[{"key":"metadata.name","operator":"In","values":["n1"]}]}]}"#,
            ),
            "",
        ),
        25 => (String::new(), r#","schedulerName":"packer""#),
        26 => (String::new(), r#","schedulerName":"strict""#),
        27 => (String::new(), r#","preemptionPolicy":"Never""#),
        28 => (
            String::new(),
            r#","volumes":[{"name":"v","persistentVolumeClaim":{"claimName":"bound"}}]"#,
        ),
        29 => (
            String::new(),
            r#","volumes":[{"name":"v","persistentVolumeClaim":{"claimName":"zonal"}}]"#,
        ),
        30 => (
            String::new(),
            r#","volumes":[{"name":"v","persistentVolumeClaim":{"claimName":"waits"}}]"#,
        ),
        31 => (
            String::new(),
            r#","volumes":[{"name":"v","persistentVolumeClaim":{"claimName":"single"}}]"#,
        ),
        32 => (String::new(), r#","volumes":[{"name":"v","gcePersistentDisk":{"pdName":"disk"}}]"#),
        33 => (
            String::new(),
            r#","volumes":[{"name":"v","persistentVolumeClaim":{"claimName":"other"}}]"#,
        ),
        _ => (String::new(), ""),
    }
}

/// A pod of a sort; `look` chooses namespace, labels, size and priority.
pub fn pod(name: &str, sort: u8, look: u8) -> Value {
    let namespace = pick(&["default", "default", "other", "third"], look);
    let app = pick(&["web", "web", "db", "cache"], look / 4);
    let version = pick(&["1", "1", "2"], look / 16);
    let cpu = pick(&["100m", "100m", "900m", "2500m"], look / 5);
    let priority = pick(&["0", "0", "0", "100"], look / 7);
    let (nodes, rest) = rest(sort);
    let mut sides = affinity(sort);
    sides.extend(Some(nodes).filter(|nodes| !nodes.is_empty()));
    let port = if sort == 34 { r#","ports":[{"containerPort":80,"hostPort":80}]"# } else { "" };
    let scheduler =
        if rest.contains("schedulerName") { "" } else { r#","schedulerName":"default-scheduler""# };
    json(&format!(
        r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"{name}",
        "namespace":"{namespace}","labels":{{"app":"{app}","version":"{version}"}}}},
        "spec":{{"priority":{priority},"affinity":{{{}}},"topologySpreadConstraints":[{}],
        "containers":[{{"name":"c","image":"web","resources":{{"requests":{{"cpu":"{cpu}",
        "memory":"64Mi"}}}}{port}}}]{scheduler}{rest}}}}}"#,
        sides.join(","),
        spread(sort).join(",")
    ))
}

pub fn service(number: u8) -> Value {
    let app = pick(&["web", "db"], number);
    let namespace = pick(&["default", "other"], number / 2);
    json(&format!(
        r#"{{"apiVersion":"v1","kind":"Service","metadata":{{"name":"{app}",
        "namespace":"{namespace}"}},"spec":{{"selector":{{"app":"{app}"}}}}}}"#
    ))
}

pub fn budget(allowed: u8) -> Value {
    json(&format!(
        r#"{{"apiVersion":"policy/v1","kind":"PodDisruptionBudget","metadata":{{"name":"b",
        "namespace":"default"}},"spec":{{"selector":{{"matchLabels":{{"app":"db"}}}}}},
        "status":{{"disruptionsAllowed":{allowed}}}}}"#
    ))
}

pub fn csi_node(name: &str, count: u8) -> Value {
    json(&format!(
        r#"{{"apiVersion":"storage.k8s.io/v1","kind":"CSINode","metadata":{{"name":"{name}"}},
        "spec":{{"drivers":[{{"name":"d","nodeID":"{name}","allocatable":{{"count":{count}}}}}]}}}}"#
    ))
}

/// Claims and volumes: bound anywhere, bound in a zone, waiting for a consumer, for one pod only.
pub fn storage() -> Vec<Value> {
    let mut all = vec![
        r#"{"apiVersion":"storage.k8s.io/v1","kind":"StorageClass","metadata":{"name":"wait"},
        "provisioner":"d","volumeBindingMode":"WaitForFirstConsumer"}"#
            .to_owned(),
    ];
    for (name, labels) in [
        ("bound", ""),
        ("zonal", r#","labels":{"topology.kubernetes.io/zone":"z1"}"#),
        ("single", ""),
        ("other", ""),
    ] {
        let mode = if name == "single" { "ReadWriteOncePod" } else { "ReadWriteOnce" };
        all.push(format!(
            r#"{{"apiVersion":"v1","kind":"PersistentVolume","metadata":{{"name":"pv-{name}"{labels}}},
            "spec":{{"accessModes":["{mode}"],"capacity":{{"storage":"1Gi"}},
            "csi":{{"driver":"d","volumeHandle":"{name}"}}}}}}"#
        ));
        all.push(format!(
            r#"{{"apiVersion":"v1","kind":"PersistentVolumeClaim","metadata":{{"name":"{name}",
            "namespace":"default","annotations":{{"pv.kubernetes.io/bind-completed":"yes"}}}},
            "spec":{{"accessModes":["{mode}"],"volumeName":"pv-{name}"}},
            "status":{{"phase":"Bound"}}}}"#
        ));
    }
    all.push(
        r#"{"apiVersion":"v1","kind":"PersistentVolumeClaim","metadata":{"name":"waits",
        "namespace":"default"},"spec":{"storageClassName":"wait","accessModes":["ReadWriteOnce"],
        "resources":{"requests":{"storage":"1Gi"}}},"status":{"phase":"Pending"}}"#
            .to_owned(),
    );
    all.iter().map(|text| json(text)).collect()
}

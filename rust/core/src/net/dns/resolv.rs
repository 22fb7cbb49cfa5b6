//! resolv.conf: of nodes, and as the kubelet writes it for pods.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::base::{Text, Value};

/// Nameservers, search domains and characters of a search line that a pod may have.
const MAX_NAMESERVERS: usize = 3;
const MAX_SEARCHES: usize = 32;
const MAX_SEARCH_CHARS: usize = 2048;
const OPTIONS: &str = "ndots:5";

/// A resolv.conf.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResolvConf {
    /// Whom to ask.
    pub nameservers: Vec<Text>,
    /// What to put behind names.
    pub searches: Vec<Text>,
    /// Options, `name` or `name:value`.
    pub options: Vec<Text>,
}

/// The file, as container runtimes write it.
impl fmt::Display for ResolvConf {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        if !self.searches.is_empty() {
            writeln!(f, "search {}", self.searches.join(" "))?;
        }
        for server in &self.nameservers {
            writeln!(f, "nameserver {server}")?;
        }
        if !self.options.is_empty() {
            writeln!(f, "options {}", self.options.join(" "))?;
        }
        Ok(())
    }
}

impl ResolvConf {
    /// Reads a file as the kubelet reads the node's. Of several search or options lines the last
    /// counts.
    ///
    /// # Errors
    /// One sentence with the line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut conf = Self::default();
        for (at, line) in text.lines().enumerate() {
            let line = line.split(['#', ';']).next().unwrap_or_default();
            let mut words = line.split_whitespace();
            let Some(first) = words.next() else { continue };
            match first {
                "nameserver" => {
                    let server = words.next().unwrap_or_default();
                    if server.split('%').next().unwrap_or_default().parse::<IpAddr>().is_err() {
                        return Err(format!(
                            "resolv.conf:{}: nameserver {server:?}: must be a valid IP address",
                            at + 1
                        ));
                    }
                    conf.nameservers.push(server.into());
                }
                "search" => {
                    let plain = |word: &str| match word.strip_suffix('.') {
                        Some("") | None => Text::from(word),
                        Some(plain) => plain.into(),
                    };
                    conf.searches = words.map(plain).collect();
                }
                "options" => conf.options = words.map(Text::from).collect(),
                _ => {}
            }
        }
        Ok(conf)
    }

    /// The value of an option.
    pub fn option(&self, name: &str) -> Option<u32> {
        let values = self.options.iter().rev().filter_map(|option| option.split_once(':'));
        values.filter(|(known, _)| *known == name).find_map(|(_, value)| value.parse().ok())
    }

    /// Whether an option is given.
    pub fn has(&self, name: &str) -> bool {
        self.options.iter().any(|option| option == name)
    }
}

/// A pod's resolv.conf, and what the kubelet warns of.
pub fn of_pod(
    spec: &Value,
    namespace: &str,
    zone: &str,
    servers: &[IpAddr],
    node: &ResolvConf,
) -> (ResolvConf, Vec<String>) {
    let host_network = spec.get("hostNetwork").and_then(Value::as_bool) == Some(true);
    let of_cluster = match spec.str_at(&["dnsPolicy"]).unwrap_or("ClusterFirst") {
        "None" => None,
        "Default" => Some(false),
        "ClusterFirst" => Some(!host_network),
        _ => Some(true),
    };
    let mut conf = match of_cluster {
        None => ResolvConf::default(),
        Some(false) => node.clone(),
        Some(true) => {
            let own = [format!("{namespace}.svc.{zone}"), format!("svc.{zone}"), zone.to_owned()];
            let own = own.into_iter().map(Text::from);
            ResolvConf {
                nameservers: servers.iter().map(|ip| ip.to_string().into()).collect(),
                searches: once(own.chain(node.searches.iter().cloned())),
                options: vec![OPTIONS.into()],
            }
        }
    };
    if let Some(config) = spec.get("dnsConfig") {
        append(&mut conf, config);
    }
    let warnings = limit(&mut conf);
    (conf, warnings)
}

/// Adds a pod's `dnsConfig`; of an option that is there already, it gives the value.
fn append(conf: &mut ResolvConf, config: &Value) {
    let texts = |field: &str| -> Vec<Text> {
        let list = config.list_at(&[field]).iter();
        list.filter_map(|text| text.as_str().map(Text::from)).collect()
    };
    conf.nameservers = once(conf.nameservers.drain(..).chain(texts("nameservers")));
    conf.searches = once(conf.searches.drain(..).chain(texts("searches")));
    for option in config.list_at(&["options"]) {
        let name = option.str_at(&["name"]).unwrap_or_default();
        let value = option.str_at(&["value"]).filter(|value| !value.is_empty());
        let text = value.map_or_else(|| name.to_owned(), |value| format!("{name}:{value}"));
        let known = |other: &Text| other.split(':').next() == Some(name);
        match conf.options.iter().position(known) {
            Some(at) => conf.options[at] = text.into(),
            None => conf.options.push(text.into()),
        }
    }
}

fn once(texts: impl Iterator<Item = Text>) -> Vec<Text> {
    let mut kept: Vec<Text> = Vec::new();
    for text in texts {
        if !kept.contains(&text) {
            kept.push(text);
        }
    }
    kept
}

/// Cuts what is too much, and says so as the kubelet's event `DNSConfigForming` does.
fn limit(conf: &mut ResolvConf) -> Vec<String> {
    let mut warnings = Vec::new();
    if conf.nameservers.len() > MAX_NAMESERVERS {
        conf.nameservers.truncate(MAX_NAMESERVERS);
        warnings.push(format!(
            "Nameserver limits were exceeded, some nameservers have been omitted, the applied \
             nameserver line is: {}",
            conf.nameservers.join(" ")
        ));
    }
    let before = conf.searches.len();
    conf.searches.truncate(MAX_SEARCHES);
    while conf.searches.join(" ").len() > MAX_SEARCH_CHARS {
        conf.searches.pop();
    }
    if conf.searches.len() < before {
        warnings.push(format!(
            "Search Line limits were exceeded, some search paths have been omitted, the applied \
             search line is: {}",
            conf.searches.join(" ")
        ));
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::{ResolvConf, of_pod};
    use crate::base::Value;

    fn conf(spec: &str) -> (String, Vec<String>) {
        let node = "search corp.example. lan\nnameserver 192.168.0.2 # ours\noptions timeout:1";
        let node = ResolvConf::parse(node).unwrap();
        let spec = Value::from_json(spec).unwrap();
        let servers = ["10.96.0.10".parse().unwrap()];
        let (conf, warnings) = of_pod(&spec, "shop", "cluster.local", &servers, &node);
        (conf.to_string(), warnings)
    }

    #[test]
    fn the_policy_decides_whose_file_a_pod_has() {
        let cluster = "search shop.svc.cluster.local svc.cluster.local cluster.local \
                       corp.example lan\nnameserver 10.96.0.10\noptions ndots:5\n";
        let node = "search corp.example lan\nnameserver 192.168.0.2\noptions timeout:1\n";
        for (spec, expected) in [
            ("{}", cluster),
            (r#"{"dnsPolicy":"ClusterFirst"}"#, cluster),
            (r#"{"dnsPolicy":"ClusterFirst","hostNetwork":true}"#, node),
            (r#"{"dnsPolicy":"ClusterFirstWithHostNet","hostNetwork":true}"#, cluster),
            (r#"{"dnsPolicy":"Default"}"#, node),
            (
                r#"{"dnsPolicy":"None","dnsConfig":{"nameservers":["1.1.1.1"]}}"#,
                "nameserver 1.1.1.1\n",
            ),
        ] {
            assert_eq!(conf(spec).0, expected, "{spec}");
        }
    }

    #[test]
    fn a_dns_config_is_merged() {
        let spec = r#"{"dnsConfig":{"nameservers":["10.96.0.10","9.9.9.9"],
            "searches":["my.dns","svc.cluster.local"],
            "options":[{"name":"ndots","value":"2"},{"name":"edns0"}]}}"#;
        let expected = "search shop.svc.cluster.local svc.cluster.local cluster.local \
                        corp.example lan my.dns\nnameserver 10.96.0.10\nnameserver 9.9.9.9\n\
                        options ndots:2 edns0\n";
        assert_eq!(conf(spec).0, expected);
    }

    #[test]
    fn too_much_is_cut_and_told() {
        let spec = r#"{"dnsConfig":{"nameservers":["1.1.1.1","2.2.2.2","3.3.3.3"]}}"#;
        let (text, warnings) = conf(spec);
        assert!(text.contains("2.2.2.2") && !text.contains("3.3.3.3"), "{text}");
        assert_eq!(warnings.len(), 1);
        assert!(warnings[0].ends_with("line is: 10.96.0.10 1.1.1.1 2.2.2.2"), "{warnings:?}");
        let many: Vec<String> = (0..40).map(|n| format!("\"{n}.example\"")).collect();
        let (text, warnings) =
            conf(&format!(r#"{{"dnsConfig":{{"searches":[{}]}}}}"#, many.join(",")));
        assert_eq!(text.lines().next().unwrap().split(' ').count(), 33);
        assert!(warnings[0].starts_with("Search Line limits were exceeded"));
        let long: Vec<String> = (0..20)
            .map(|n| format!("\"{n}.{}.example\"", "x".repeat(60) + "." + &"y".repeat(60)))
            .collect();
        let (text, _) = conf(&format!(r#"{{"dnsConfig":{{"searches":[{}]}}}}"#, long.join(",")));
        let line = text.lines().next().unwrap();
        assert!(line.len() - "search ".len() <= 2048 && line.len() > 1900, "{}", line.len());
    }
}

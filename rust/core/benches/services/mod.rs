//! Documents of Services and their slices, as many as wanted.

use wavetank_core::base::Value;

/// A Service of one port.
pub fn service(number: u32) -> Value {
    let [_, a, b, c] = number.to_be_bytes();
    let text = format!(
        r#"{{"metadata":{{"namespace":"default","name":"service-{number}"}},
        "spec":{{"type":"ClusterIP","clusterIP":"172.{a}.{b}.{c}",
        "ports":[{{"name":"http","port":80,"protocol":"TCP"}}]}}}}"#
    );
    Value::from_json(&text).unwrap()
}

/// Its slice.
pub fn slice(number: u32, endpoints: u32, last_is_ready: bool) -> Value {
    let endpoints: Vec<String> = (0..endpoints)
        .map(|at| {
            let [_, a, b, c] = (number * endpoints + at).to_be_bytes();
            let ready = at + 1 < endpoints || last_is_ready;
            format!(
                r#"{{"addresses":["10.{a}.{b}.{c}"],"conditions":{{"ready":{ready}}},
                "nodeName":"node-{}","zone":"a"}}"#,
                at % 1000
            )
        })
        .collect();
    let text = format!(
        r#"{{"addressType":"IPv4","ports":[{{"name":"http","port":8080,"protocol":"TCP"}}],
        "endpoints":[{}]}}"#,
        endpoints.join(",")
    );
    Value::from_json(&text).unwrap()
}

//! Five megabytes of Deployments and Services: text to values and back.
//!
//! `cargo bench -p wavetank-core --bench manifest`

use divan::Bencher;
use divan::counter::BytesCount;
use wavetank_core::base::Value;
use wavetank_core::manifest::{Limits, read, to_yaml};

fn main() {
    divan::main();
}

const BYTES: usize = 5_000_000;

const PAIR: &str = r#"apiVersion: apps/v1
kind: Deployment
metadata:
  name: web-NUMBER
  namespace: shop
  labels:
    app.kubernetes.io/name: web-NUMBER
    app.kubernetes.io/part-of: shop
  annotations:
    prometheus.io/scrape: "true"
    # a remark
    description: "Serves the catalogue, part NUMBER"
spec:
  replicas: 3
  selector:
    matchLabels:
      app.kubernetes.io/name: web-NUMBER
  strategy:
    type: RollingUpdate
    rollingUpdate:
      maxSurge: 25%
      maxUnavailable: 0
  template:
    metadata:
      labels:
        app.kubernetes.io/name: web-NUMBER
    spec:
      containers:
      - name: server
        image: registry.example.com/shop/web:1.NUMBER.0
        args: ["--listen", ":8080", "--log-level=info"]
        ports:
        - name: http
          containerPort: 8080
          protocol: TCP
        env:
        - name: POD_NAME
          valueFrom:
            fieldRef:
              fieldPath: metadata.name
        - name: DATABASE_URL
          value: postgres://db.shop.svc.cluster.local:5432/web
        resources:
          requests:
            cpu: 100m
            memory: 128Mi
          limits:
            cpu: 500m
            memory: 512Mi
        readinessProbe:
          httpGet:
            path: /healthz
            port: http
          periodSeconds: 10
        livenessProbe:
          httpGet: {path: /livez, port: 8080}
          initialDelaySeconds: 15
        volumeMounts:
        - name: config
          mountPath: /etc/web
          readOnly: true
      volumes:
      - name: config
        configMap:
          name: web-NUMBER
      tolerations:
      - key: dedicated
        operator: Equal
        value: web
        effect: NoSchedule
---
apiVersion: v1
kind: Service
metadata:
  name: web-NUMBER
  namespace: shop
spec:
  selector:
    app.kubernetes.io/name: web-NUMBER
  ports:
  - name: http
    port: 80
    targetPort: http
    protocol: TCP
"#;

/// A multi-document manifest of about 190,000 lines.
fn manifest() -> String {
    let mut text = String::with_capacity(BYTES + PAIR.len());
    let mut number = 0;
    while text.len() < BYTES {
        if number > 0 {
            text.push_str("---\n");
        }
        text.push_str(&PAIR.replace("NUMBER", &number.to_string()));
        number += 1;
    }
    text
}

fn values(text: &str) -> Vec<Value> {
    let documents = read(text, "bench.yaml", &Limits::default()).expect("a good manifest");
    documents.into_iter().map(|document| document.value).collect()
}

/// All documents, parsed in parallel.
#[divan::bench]
fn load_yaml(bencher: Bencher) {
    let text = manifest();
    bencher
        .counter(BytesCount::of_str(&text))
        .bench(|| read(&text, "bench.yaml", &Limits::default()).expect("a good manifest"));
}

/// The same as one `List`, which cannot be cut: one thread.
#[divan::bench]
fn load_yaml_list(bencher: Bencher) {
    let list = Value::map([("kind", "List".into()), ("items", values(&manifest()).into())]);
    let text = to_yaml(&list);
    bencher
        .counter(BytesCount::of_str(&text))
        .bench(|| read(&text, "bench.yaml", &Limits::default()).expect("a good manifest"));
}

/// The same as JSON documents after each other: one thread.
#[divan::bench]
fn load_json(bencher: Bencher) {
    let text: String = values(&manifest()).iter().map(Value::to_json).collect();
    bencher
        .counter(BytesCount::of_str(&text))
        .bench(|| read(&text, "bench.json", &Limits::default()).expect("a good manifest"));
}

/// Every value as `kubectl get -o yaml` prints it: one thread.
#[divan::bench]
fn print_yaml(bencher: Bencher) {
    let values = values(&manifest());
    let bytes: usize = values.iter().map(|value| to_yaml(value).len()).sum();
    bencher
        .counter(BytesCount::new(bytes))
        .bench(|| values.iter().map(|value| to_yaml(value).len()).sum::<usize>());
}

/// The line of one field of the last document, the document being read a second time for it.
#[divan::bench]
fn locate_field(bencher: Bencher) {
    let documents = read(manifest(), "bench.yaml", &Limits::default()).expect("a good manifest");
    let last = documents.last().expect("documents");
    bencher.bench(|| {
        // A clone made before the first lookup has no lines yet.
        last.clone().line_of(&["spec".into(), "ports".into(), 0.into(), "port".into()])
    });
}

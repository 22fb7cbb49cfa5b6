//! The objects of the workloads: nodes, namespaces and pods like those of Kubernetes' own
//! scheduler benchmarks.

use wavetank_core::base::Value;
use wavetank_core::store::Store;
use wavetank_core::store::bulk::Naming;
use wavetank_core::store::create::WriteOptions;

pub const ZONE: &str = "topology.kubernetes.io/zone";
pub const HOST: &str = "kubernetes.io/hostname";

pub fn json(text: &str) -> Value {
    Value::from_json(text).unwrap_or_else(|error| panic!("{error:?} in {text}"))
}

pub fn create(store: &mut Store, text: &str) {
    store.create(json(text), &WriteOptions::default()).unwrap();
}

/// A node of four cores; `zone` is empty for none.
pub fn node(store: &mut Store, name: &str, zone: &str, spec: &str) {
    let zone = if zone.is_empty() { String::new() } else { format!(r#","{ZONE}":"{zone}""#) };
    create(
        store,
        &format!(
            r#"{{"apiVersion":"v1","kind":"Node","metadata":{{"name":"{name}",
            "labels":{{"{HOST}":"{name}"{zone}}}}},"spec":{{{spec}}},
            "status":{{"allocatable":{{"cpu":"4","memory":"32Gi","pods":"110"}}}}}}"#
        ),
    );
}

pub fn namespace(store: &mut Store, name: &str) {
    create(
        store,
        &format!(
            r#"{{"apiVersion":"v1","kind":"Namespace",
            "metadata":{{"name":"{name}","labels":{{"team":"devops"}}}}}}"#
        ),
    );
}

/// What sets one kind of pod apart from another.
#[derive(Clone, Copy, Debug)]
pub struct Pod {
    pub labels: &'static str,
    pub cpu: &'static str,
    /// More fields of the spec, each followed by a comma.
    pub spec: &'static str,
}

pub const PLAIN: Pod = Pod { labels: "", cpu: "100m", spec: "" };

/// Creates so many pods of a kind.
pub fn pods(store: &mut Store, namespace: &str, count: usize, pod: Pod) {
    let Pod { labels, cpu, spec } = pod;
    let template = format!(
        r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"generateName":"pod-",
        "namespace":"{namespace}","labels":{{{labels}}}}},"spec":{{{spec}
        "schedulerName":"default-scheduler","containers":[{{"name":"pause",
        "image":"registry.example/pause:3","ports":[{{"containerPort":80}}],
        "resources":{{"limits":{{"cpu":"{cpu}","memory":"500Mi"}},
        "requests":{{"cpu":"{cpu}","memory":"500Mi"}}}}}}]}}}}"#
    );
    let naming = Naming::Generated(count);
    store.create_many(json(&template), &naming, &WriteOptions::default()).unwrap();
}

/// A pod with a claim of its own that is bound to a volume of its own.
pub fn pod_with_volume(store: &mut Store, number: usize, source: &str) {
    create(
        store,
        &format!(
            r#"{{"apiVersion":"v1","kind":"PersistentVolume","metadata":{{"name":"pv-{number}"}},
            "spec":{{"accessModes":["ReadOnlyMany"],"capacity":{{"storage":"1Gi"}},{source},
            "claimRef":{{"namespace":"default","name":"pvc-{number}"}}}}}}"#
        ),
    );
    create(
        store,
        &format!(
            r#"{{"apiVersion":"v1","kind":"PersistentVolumeClaim","metadata":{{
            "name":"pvc-{number}","namespace":"default",
            "annotations":{{"pv.kubernetes.io/bind-completed":"true"}}}},
            "spec":{{"accessModes":["ReadOnlyMany"],"volumeName":"pv-{number}",
            "resources":{{"requests":{{"storage":"1Gi"}}}}}},"status":{{"phase":"Bound"}}}}"#
        ),
    );
    create(
        store,
        &format!(
            r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"pod-{number}",
            "namespace":"default"}},"spec":{{"schedulerName":"default-scheduler",
            "volumes":[{{"name":"v","persistentVolumeClaim":{{"claimName":"pvc-{number}"}}}}],
            "containers":[{{"name":"pause","image":"registry.example/pause:3",
            "resources":{{"requests":{{"cpu":"100m","memory":"500Mi"}}}}}}]}}}}"#
        ),
    );
}

/// What a CSI driver says of a node.
pub fn csi_node(store: &mut Store, name: &str, migrated: &str) {
    create(
        store,
        &format!(
            r#"{{"apiVersion":"storage.k8s.io/v1","kind":"CSINode","metadata":{{"name":"{name}",
            "annotations":{{"storage.alpha.kubernetes.io/migrated-plugins":"{migrated}"}}}},
            "spec":{{"drivers":[{{"name":"ebs.csi.aws.com","nodeID":"{name}",
            "allocatable":{{"count":39}}}}]}}}}"#
        ),
    );
}

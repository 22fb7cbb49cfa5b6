//! Stories about volumes and claims.

use wavetank_core::base::Value;
use wavetank_core::store::{ObjectId, Store};

use super::world::{World, json};

const NO_PREEMPTION: &str = "no new claims to deallocate, preemption: 0/1 nodes are available: 1 \
                             No preemption victims found for incoming pod.";

fn class(world: &mut World, name: &str, provisioner: &str, mode: &str) {
    world.restore(&json(&format!(
        r#"{{"apiVersion":"storage.k8s.io/v1","kind":"StorageClass","metadata":{{"name":"{name}"}},
        "provisioner":"{provisioner}","volumeBindingMode":"{mode}"}}"#
    )));
}

fn claim(world: &mut World, name: &str, class: &str, size: &str, mode: &str) -> ObjectId {
    world.restore(&json(&format!(
        r#"{{"apiVersion":"v1","kind":"PersistentVolumeClaim","metadata":{{"name":"{name}",
        "namespace":"default"}},"spec":{{"storageClassName":"{class}","accessModes":["{mode}"],
        "resources":{{"requests":{{"storage":"{size}"}}}}}},"status":{{"phase":"Pending"}}}}"#
    )))
}

fn volume(world: &mut World, name: &str, class: &str, size: &str, node: &str) -> ObjectId {
    world.restore(&json(&format!(
        r#"{{"apiVersion":"v1","kind":"PersistentVolume","metadata":{{"name":"{name}"}},
        "spec":{{"storageClassName":"{class}","accessModes":["ReadWriteOnce"],
        "capacity":{{"storage":"{size}"}},"csi":{{"driver":"d","volumeHandle":"{name}"}},
        "nodeAffinity":{{"required":{{"nodeSelectorTerms":[{{"matchExpressions":[{{
        "key":"kubernetes.io/hostname","operator":"In","values":["{node}"]}}]}}]}}}}}},
        "status":{{"phase":"Available"}}}}"#
    )))
}

fn pod(world: &mut World, name: &str, volumes: &str) {
    world.pod(name, "100m", &format!(r#","volumes":[{volumes}]"#));
}

fn of_claim(claim: &str) -> String {
    format!(r#"{{"name":"v","persistentVolumeClaim":{{"claimName":"{claim}"}}}}"#)
}

fn at(store: &Store, id: ObjectId, path: &[&str]) -> Value {
    store.get(id).unwrap().at(path).cloned().unwrap_or_default()
}

#[test]
fn the_smallest_volume_that_fits_is_kept_for_the_claim() {
    let mut world = World::new();
    for node in ["a", "b"] {
        world.node(node, "4", "");
    }
    class(&mut world, "local", "kubernetes.io/no-provisioner", "WaitForFirstConsumer");
    let large = volume(&mut world, "large", "local", "20Gi", "b");
    let small = volume(&mut world, "small", "local", "10Gi", "b");
    volume(&mut world, "tiny", "local", "1Gi", "a");
    claim(&mut world, "data", "local", "5Gi", "ReadWriteOnce");
    pod(&mut world, "db", &of_claim("data"));
    assert_eq!(world.run(), ["db -> b"]);
    assert_eq!(at(&world.store, small, &["spec", "claimRef", "name"]), Value::from("data"));
    assert_eq!(at(&world.store, large, &["spec", "claimRef"]), Value::Null);
    // A second claim finds the small one taken.
    claim(&mut world, "more", "local", "5Gi", "ReadWriteOnce");
    pod(&mut world, "db-2", &of_claim("more"));
    assert_eq!(world.run(), ["db-2 -> b"]);
    assert_eq!(at(&world.store, large, &["spec", "claimRef", "name"]), Value::from("more"));
}

#[test]
fn a_volume_is_made_on_the_node_the_claim_was_sent_to() {
    let mut world = World::new();
    world.node("a", "4", "");
    class(&mut world, "fast", "csi.example.com", "WaitForFirstConsumer");
    let data = claim(&mut world, "data", "fast", "5Gi", "ReadWriteOnce");
    pod(&mut world, "db", &of_claim("data"));
    assert_eq!(world.run(), ["db -> a"]);
    let annotations = at(&world.store, data, &["metadata", "annotations"]);
    assert_eq!(annotations.get("volume.kubernetes.io/selected-node"), Some(&Value::from("a")));
    // Wherever else there is more room: the volume will be on a.
    world.node("b", "64", "");
    pod(&mut world, "reader", &of_claim("data"));
    assert_eq!(world.run(), ["reader -> a"]);
}

#[test]
fn a_pod_waits_for_its_claim_and_is_woken_by_it() {
    let mut world = World::new();
    world.node("a", "4", "");
    class(&mut world, "fast", "csi.example.com", "WaitForFirstConsumer");
    pod(&mut world, "db", &of_claim("data"));
    assert_eq!(
        world.run(),
        ["db: 0/1 nodes are available: persistentvolumeclaim \"data\" not found. not found"]
    );
    claim(&mut world, "other", "fast", "5Gi", "ReadWriteOnce");
    world.pass(30);
    world.observe();
    assert!(!world.scheduler.has_ready(world.store.now), "another claim is no help");
    claim(&mut world, "data", "fast", "5Gi", "ReadWriteOnce");
    assert_eq!(world.run(), ["db -> a"]);
}

#[test]
fn the_claim_of_an_ephemeral_volume_is_waited_for_by_another_name() {
    let mut world = World::new();
    world.node("a", "4", "");
    pod(&mut world, "db", r#"{"name":"scratch","ephemeral":{"volumeClaimTemplate":{}}}"#);
    assert_eq!(
        world.run(),
        ["db: 0/1 nodes are available: waiting for ephemeral volume controller to create the \
          persistentvolumeclaim \"db-scratch\". not found"]
    );
}

#[test]
fn a_claim_for_one_pod_has_no_second() {
    let mut world = World::new();
    world.node("a", "4", "");
    class(&mut world, "fast", "csi.example.com", "WaitForFirstConsumer");
    claim(&mut world, "data", "fast", "5Gi", "ReadWriteOncePod");
    pod(&mut world, "db", &of_claim("data"));
    pod(&mut world, "second", &of_claim("data"));
    assert_eq!(
        world.run(),
        [
            "db -> a".to_owned(),
            format!(
                "second: 0/1 nodes are available: 1 node(s) unavailable due to \
                 PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by \
                 another pod. {NO_PREEMPTION}"
            )
        ]
    );
}

#[test]
fn a_disk_is_shared_only_by_those_who_read() {
    let disk = |read_only: bool| {
        format!(r#"{{"name":"v","gcePersistentDisk":{{"pdName":"d","readOnly":{read_only}}}}}"#)
    };
    let mut world = World::new();
    world.node("a", "4", "");
    pod(&mut world, "reader", &disk(true));
    pod(&mut world, "second-reader", &disk(true));
    pod(&mut world, "writer", &disk(false));
    assert_eq!(
        world.run(),
        [
            "reader -> a".to_owned(),
            "second-reader -> a".to_owned(),
            format!(
                "writer: 0/1 nodes are available: 1 node(s) had no available disk. {NO_PREEMPTION}"
            )
        ]
    );
}

#[test]
fn a_node_has_only_so_many_volumes_and_one_claim_is_one_volume() {
    let mut world = World::new();
    world.node("a", "4", "");
    class(&mut world, "fast", "csi.example.com", "WaitForFirstConsumer");
    world.restore(&json(
        r#"{"apiVersion":"storage.k8s.io/v1","kind":"CSINode","metadata":{"name":"a"},
        "spec":{"drivers":[{"name":"csi.example.com","nodeID":"a","allocatable":{"count":1}}]}}"#,
    ));
    for name in ["data", "more"] {
        claim(&mut world, name, "fast", "5Gi", "ReadWriteOnce");
    }
    pod(&mut world, "db", &of_claim("data"));
    pod(&mut world, "reader", &of_claim("data"));
    pod(&mut world, "other", &of_claim("more"));
    assert_eq!(
        world.run(),
        [
            "db -> a".to_owned(),
            "reader -> a".to_owned(),
            format!(
                "other: 0/1 nodes are available: 1 node(s) exceed max volume count. {NO_PREEMPTION}"
            )
        ]
    );
}

#[test]
fn a_driver_that_counts_its_storage_must_have_enough() {
    let mut world = World::new();
    world.node("a", "4", "");
    class(&mut world, "fast", "csi.example.com", "WaitForFirstConsumer");
    world.restore(&json(
        r#"{"apiVersion":"storage.k8s.io/v1","kind":"CSIDriver",
        "metadata":{"name":"csi.example.com"},"spec":{"storageCapacity":true}}"#,
    ));
    claim(&mut world, "data", "fast", "5Gi", "ReadWriteOnce");
    pod(&mut world, "db", &of_claim("data"));
    let message = "db: 0/1 nodes are available: 1 node(s) did not have enough free storage. no new \
                   claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not \
                   helpful for scheduling.";
    assert_eq!(world.run(), [message]);
    world.restore(&json(
        r#"{"apiVersion":"storage.k8s.io/v1","kind":"CSIStorageCapacity",
        "metadata":{"name":"c","namespace":"default"},"storageClassName":"fast",
        "nodeTopology":{"matchLabels":{"kubernetes.io/hostname":"a"}},"capacity":"6Gi"}"#,
    ));
    world.pass(30);
    assert_eq!(world.run(), ["db -> a"]);
}

//! Annotations read, GPUs counted and chosen.

use super::devices::Devices;
use super::request::{GpuRequest, Numbers};
use super::reserve::{Choice, choose};
use super::{GPU_COUNT, GPU_INDEX, GPU_MILLI, GPU_MODEL};
use crate::base::{Streams, Value};
use crate::store::Body;

/// What the annotations `milli|count|model|index` ask for; `-` stands for one that is absent.
fn read(annotations: [&str; 4]) -> Option<Box<GpuRequest>> {
    let keys = [GPU_MILLI, GPU_COUNT, GPU_MODEL, GPU_INDEX].into_iter().zip(annotations);
    let given = keys.filter(|(_, value)| *value != "-");
    let map: crate::base::Map =
        given.map(|(key, value)| (key.into(), Value::from(value))).collect();
    GpuRequest::read(&body(&Value::map([("annotations", Value::from(map))])))
}

fn body(meta: &Value) -> Body {
    Body {
        namespace: None,
        labels: crate::labels::LabelSets::empty(),
        version: 0,
        owners: smallvec::SmallVec::new(),
        controller: None,
        meta: std::sync::Arc::new(meta.as_map().unwrap().clone()),
        doc: std::sync::Arc::default(),
        status: Value::Null,
        shape: std::sync::OnceLock::new(),
        compiled: std::sync::OnceLock::new(),
    }
}

fn asks(count: u32, milli: i64) -> GpuRequest {
    GpuRequest { count, milli, ..GpuRequest::default() }
}

fn holds(milli: i64, devices: &[u16]) -> GpuRequest {
    asks(devices.len() as u32, milli).with_devices(devices)
}

/// A node with GPUs of which so much is left each.
pub fn devices(left: &[i64]) -> Devices {
    let mut devices = Devices::default();
    devices.set(left.len() as u16, "T4");
    for (at, left) in left.iter().enumerate() {
        devices.add(&holds(1000 - left, &[at as u16]));
    }
    devices
}

#[test]
fn annotations_are_read() {
    let read_one = |annotations| read(annotations).expect("GPUs are asked for");
    let half = read_one(["500", "1", "V100M32|V100M16||V100M32", "-"]);
    assert_eq!((half.count, half.milli, half.shares()), (1, 500, true));
    assert_eq!(half.models.to_vec(), ["V100M16", "V100M32"]);
    assert!(half.admits("V100M16") && !half.admits("T4") && !half.admits(""));
    let four = read_one(["1k", "4", "|", "3-0-1-2"]);
    assert_eq!((four.count, four.total_milli(), four.shares()), (4, 4000, false));
    assert_eq!(four.devices.to_vec(), [3, 0, 1, 2]);
    assert!(four.admits("T4") && four.admits(""), "a list of no names is no list");
    for nothing in [["-", "-", "-", "-"], ["0", "0", "T4", "-"], ["-", "-", "T4", "0"]] {
        assert_eq!(read(nothing), None);
    }
}

#[test]
fn what_is_wrong_with_annotations_is_said_in_a_sentence() {
    let of = |key: &str| format!("annotation {key} of the pod: ");
    for (annotations, key, said) in [
        (["half", "1", "-", "-"], GPU_MILLI, r#""half": not a whole number"#),
        (["0.5", "1", "-", "-"], GPU_MILLI, r#""0.5": not a whole number"#),
        (["1001", "1", "-", "-"], GPU_MILLI, r#""1001": not in valid range [0, 1000]"#),
        (["-5", "1", "-", "-"], GPU_MILLI, r#""-5": not in valid range [0, 1000]"#),
        (["500", "2", "-", "-"], GPU_MILLI, r#""500": several GPUs can only be asked for whole"#),
        (["0", "2", "-", "-"], GPU_MILLI, r#""0": GPUs are asked for, but nothing of them"#),
        (["-", "1", "-", "-"], GPU_MILLI, r#""": GPUs are asked for, but nothing of them"#),
        (["500", "0", "-", "-"], GPU_COUNT, r#""0": some of a GPU is asked for, but of none"#),
        (["500", "-", "-", "-"], GPU_COUNT, r#""": some of a GPU is asked for, but of none"#),
        (
            ["1000", "-1", "-", "-"],
            GPU_COUNT,
            r#""-1": not a number of GPUs in valid range [0, 1024]"#,
        ),
        (
            ["1000", "99999999999", "-", "-"],
            GPU_COUNT,
            r#""99999999999": not a number of GPUs in valid range [0, 1024]"#,
        ),
        (["500", "1", "-", "one"], GPU_INDEX, r#""one": not 1 GPU"#),
        (["500", "1", "-", "4000"], GPU_INDEX, r#""4000": not 1 GPU"#),
        (["1000", "2", "-", "1-1"], GPU_INDEX, r#""1-1": not 2 different GPUs"#),
        (["1000", "2", "-", "1"], GPU_INDEX, r#""1": not 2 different GPUs"#),
    ] {
        let request = read(annotations).expect("something is asked for");
        assert_eq!(request.fault.as_deref(), Some(&*(of(key) + said)));
        assert_eq!((request.total_milli(), request.devices.len()), (0, 0), "it holds nothing");
    }
}

#[test]
fn gpus_are_counted_one_by_one() {
    let mut gpus = devices(&[500, 500]);
    assert_eq!((gpus.total_left(), gpus.free()), (1000, 0), "no whole GPU is left");
    gpus.remove(&holds(500, &[1]));
    assert_eq!((gpus.left().collect::<Vec<_>>(), gpus.free()), (vec![500, 1000], 1));
    // Pods may be bound to GPUs that are taken, and to ones the node does not have.
    gpus.add(&holds(1000, &[0, 1, 7]));
    assert_eq!(gpus.left().collect::<Vec<_>>(), [0, 0]);
    assert_eq!((gpus.left_of(7), gpus.used().len()), (0, 8));
    gpus.remove(&holds(1000, &[0, 1, 7]));
    gpus.remove(&holds(500, &[0]));
    gpus.set(0, "");
    assert!(gpus.is_empty());
}

#[test]
fn kinds_of_requests_are_counted_until_the_last_goes() {
    let mut gpus = devices(&[]);
    gpus.set(8, "");
    for request in [holds(300, &[0]), holds(700, &[0]), holds(1000, &[1]), holds(1000, &[2, 3])] {
        gpus.add(&request);
    }
    assert_eq!(gpus.kinds(&asks(1, 10)), (3, 2), "parts of a GPU are one kind");
    assert_eq!(gpus.kinds(&asks(1, 1000)), (3, 1));
    assert_eq!(gpus.kinds(&asks(4, 1000)), (3, 0));
    gpus.remove(&holds(1000, &[2, 3]));
    assert_eq!(gpus.kinds(&asks(2, 1000)), (2, 0));
}

#[test]
fn a_pod_gets_the_gpu_its_method_selects() {
    let gpus = devices(&[1000, 300, 600, 300, 1000]);
    let pick = |choice: Choice| choose(&gpus, &asks(1, 250), choice).to_vec();
    assert_eq!(pick(Choice::Best), [1], "the first of those with the least left");
    assert_eq!(pick(Choice::Worst), [0], "the first of those with the most left");
    assert_eq!(pick(Choice::Scored(&|number| i64::from(number >= 2))), [2]);
    let mut stream = Streams::new(1).stream("sched");
    let drawn: std::collections::BTreeSet<u16> =
        (0..200).flat_map(|_| pick(Choice::Random(&mut stream))).collect();
    assert_eq!(drawn.into_iter().collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    let tight = choose(&gpus, &asks(1, 601), Choice::Best);
    assert_eq!(tight.to_vec(), [0]);
    assert_eq!(choose(&gpus, &asks(2, 1000), Choice::Worst).to_vec(), [0, 4], "whole ones");
    assert_eq!(choose(&gpus, &holds(1000, &[4]), Choice::Best).to_vec(), [4], "as it insists");
}

#[test]
fn a_promise_takes_the_gpus_with_the_least_left() {
    let mut gpus = devices(&[1000, 300, 600]);
    assert_eq!(gpus.tightest(&asks(2, 400)), Some(Numbers::from_slice(&[2, 0])));
    assert_eq!(gpus.tightest(&asks(2, 1000)), None);
    gpus.promise(&asks(1, 500));
    assert_eq!(gpus.left().collect::<Vec<_>>(), [1000, 300, 100]);
    gpus.promise(&asks(1, 1000));
    assert_eq!(gpus.left().collect::<Vec<_>>(), [0, 300, 100]);
}

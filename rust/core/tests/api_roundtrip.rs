//! Real objects of every type with every field filled: all of them are known, none changes.
//!
//! The objects are not part of the repository; the test says so and passes where they are absent.
//! They come from a commit after 1.36, so a few of their fields are too new to be known; the
//! decoder of 1.36.3 names exactly these too.

use std::path::Path;

use wavetank_core::api::Registry;
use wavetank_core::api::convert::upgrade;
use wavetank_core::api::decode::{canonicalize, decode};
use wavetank_core::base::Value;

/// Fields that Kubernetes gained after 1.36, by the last step of their path.
const NEWER: [&str; 20] = [
    "attestations",
    "bindMountOptions",
    "defaultPartitionTypeAttribute",
    "defaultUser",
    "evictionResponders",
    "healthStatus",
    "mapping",
    "mode",
    "nodeAllocatableResources",
    "observedGeneration",
    "overhead",
    "partitionSummary",
    "partitionTypeAttribute",
    "podPreemptionPolicy",
    "protocol",
    "scheduling",
    "shareableSummary",
    "skipNodeOperations",
    "user",
    "volumeHealth",
];

/// Whether a field of this last name is too new to be known; CSINode had no status before.
fn is_newer(kind: &str, last: &str) -> bool {
    NEWER.contains(&last) || (kind == "CSINode" && last == "status")
}

#[test]
fn every_field_of_every_served_type_is_known_and_survives() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let Ok(entries) = std::fs::read_dir(folder.join("api-roundtrip-json")) else {
        println!("skipped: no shared/data/api-roundtrip-json beside the repository");
        return;
    };
    let registry = Registry::new();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    let (mut known, mut newer, mut unserved) = (0, 0, Vec::new());
    for path in paths {
        let original = Value::from_json(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let api_version = original.str_at(&["apiVersion"]).unwrap_or_default();
        let kind = original.str_at(&["kind"]).unwrap_or_default();
        let Some(schema) = registry.schema(api_version, kind) else {
            unserved.push(format!("{api_version} {kind}"));
            continue;
        };
        let mut document = original.clone();
        let warnings = decode(&schema, &mut document).expect(kind);
        for warning in &warnings {
            let last = warning.trim_end_matches('"').rsplit(['.', '"']).next().unwrap();
            assert!(is_newer(kind, last), "{}: {warning}", path.display());
        }
        newer += usize::from(!warnings.is_empty());
        if warnings.is_empty() {
            canonicalize(&schema, &mut document);
        }
        assert_eq!(document.to_json(), original.to_json(), "{}", path.display());
        known += 1;
    }
    check_removed_versions(&registry, &folder.join("api-roundtrip-json"));
    println!("{known} known, {newer} of them with fields newer than 1.36");
    println!("{} of versions 1.36 does not serve: {}", unserved.len(), unserved.join(", "));
    assert!(known > 0);
}

/// Removed versions: what is read as a newer version is known there, field by field.
fn check_removed_versions(registry: &Registry, folder: &Path) {
    let (mut read, mut refused) = (0, 0);
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let original = Value::from_json(&std::fs::read_to_string(&path).unwrap()).unwrap();
        match upgrade(&original) {
            Ok(None) => {}
            Ok(Some(upgraded)) => {
                read += 1;
                let mut object = upgraded.object;
                let api_version = object.str_at(&["apiVersion"]).unwrap();
                let kind = object.str_at(&["kind"]).unwrap().to_owned();
                let schema = registry.schema(api_version, &kind).unwrap();
                for warning in decode(&schema, &mut object).unwrap() {
                    let last = warning.trim_end_matches('"').rsplit(['.', '"']).next().unwrap();
                    assert!(is_newer(&kind, last), "{}: {warning}", path.display());
                }
            }
            Err(sentence) => {
                refused += 1;
                assert!(sentence.contains("was removed in Kubernetes 1."), "{sentence}");
            }
        }
    }
    println!("{read} of removed versions read as newer ones, {refused} refused");
    assert!(read > 30);
}

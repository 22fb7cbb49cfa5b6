//! The real manifests of `../shared/data`, which lies beside a checkout where it is present.

use std::path::{Path, PathBuf};

use wavetank_core::manifest::to_yaml;

use crate::{read_text, values};

/// All manifests below a folder of the data, in order; none, and a remark, without it.
fn manifests(folder: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(folder);
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.expect("a readable folder").path();
            if path.is_dir() {
                folders.push(path);
            } else if path
                .extension()
                .is_some_and(|end| end == "yaml" || end == "yml" || end == "json")
            {
                found.push(path);
            }
        }
    }
    if found.is_empty() {
        eprintln!("skipped: no manifests at {}", root.display());
    }
    found.sort();
    found
}

/// Reads every manifest, prints and reads it again; answers with the number of files and
/// documents, and the sentences of those that were refused.
fn read_all(folder: &str) -> (usize, usize, Vec<String>) {
    let (mut files, mut documents) = (0, 0);
    let mut refused = Vec::new();
    for path in manifests(folder) {
        files += 1;
        let bytes = std::fs::read(&path).expect("a readable file");
        match read_text(bytes) {
            Ok(read) => {
                documents += read.len();
                for document in read {
                    let text = to_yaml(&document.value);
                    assert_eq!(values(&text), [document.value], "{}", path.display());
                }
            }
            Err(error) => refused.push(error.to_string()),
        }
    }
    (files, documents, refused)
}

#[test]
fn application_manifests_load() {
    let (files, documents, refused) = read_all("app-manifests");
    assert!(files == 0 || documents >= files, "{documents} documents in {files} files");
    assert_eq!(refused, [""; 0]);
}

#[test]
fn every_file_of_the_documentation_loads() {
    let (files, documents, refused) = read_all("kubernetes-website-examples");
    assert!(files == 0 || documents >= 270, "{documents} documents in {files} files");
    assert_eq!(refused, [""; 0]);
}

#[test]
fn one_object_of_every_type_loads() {
    let (files, documents, refused) = read_all("api-roundtrip-json");
    assert_eq!(documents, files);
    assert_eq!(refused, [""; 0]);
}

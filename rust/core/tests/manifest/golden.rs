//! Tables recorded with Kubernetes' own libraries; see `golden/manifest/README.md`.

use wavetank_core::base::Value;
use wavetank_core::manifest::to_yaml;

use crate::{json, read_text};

/// The lines of a table as pairs, with their line numbers.
fn table(text: &str) -> impl Iterator<Item = (usize, Value, Value)> {
    text.lines().zip(1..).map(|(line, number)| {
        let pair = json(line);
        let [input, expected] = pair.as_list().expect("a list") else {
            panic!("line {number} is no pair")
        };
        (number, input.clone(), expected.clone())
    })
}

fn bytes(input: &Value) -> Vec<u8> {
    if let Some(text) = input.as_str() {
        return text.into();
    }
    let digits = input.str_at(&["hex"]).expect("text or hexadecimal digits").as_bytes();
    let digit = |at: usize| char::from(digits[at]).to_digit(16).expect("a digit") as u8;
    (0..digits.len()).step_by(2).map(|at| digit(at) << 4 | digit(at + 1)).collect()
}

/// Reads every input of a table and answers how many were accepted and refused.
fn check_reading(text: &str) -> (usize, usize) {
    let (mut accepted, mut refused) = (0, 0);
    let mut wrong = Vec::new();
    for (number, input, expected) in table(text) {
        let input = bytes(&input);
        let found = match read_text(&input) {
            Ok(documents) => {
                accepted += 1;
                documents.into_iter().map(|document| document.value).collect::<Vec<_>>().into()
            }
            Err(error) => {
                refused += 1;
                Value::from(error.message)
            }
        };
        if found != expected {
            let input = String::from_utf8_lossy(&input);
            wrong.push(format!(
                "line {number}: {input:?}\n  expected {expected:?}\n  found {found:?}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n"));
    (accepted, refused)
}

#[test]
fn scalars_read_as_kubectl_reads_them() {
    let counts = check_reading(include_str!("../golden/manifest/scalars.jsonl"));
    assert_eq!(counts, (554, 150));
}

#[test]
fn documents_read_as_kubectl_reads_them() {
    let counts = check_reading(include_str!("../golden/manifest/documents.jsonl"));
    assert_eq!(counts, (257, 142));
}

#[test]
fn token_soup_and_damaged_manifests_read_as_kubectl_reads_them() {
    let counts = check_reading(include_str!("../golden/manifest/random.jsonl"));
    assert_eq!(counts, (251, 399));
}

#[test]
fn values_print_as_kubectl_prints_them() {
    let mut lines = 0;
    for (number, value, expected) in table(include_str!("../golden/manifest/written.jsonl")) {
        let expected = expected.as_str().expect("text");
        assert_eq!(to_yaml(&value), expected, "line {number}: {}", value.to_json());
        lines += 1;
    }
    assert_eq!(lines, 1022);
}

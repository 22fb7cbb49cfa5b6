//! The scheduler against recorded answers of the real kube-scheduler 1.36.3 (parallelism 1).
//!
//! The recorded cases lie beside the repository in `shared/golden/scheduler`. Where they are
//! not, this test says so and passes; a sample of our own ships in `tests/scheduler`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use wavetank_core::api::Rules;
use wavetank_core::base::Value;
use wavetank_core::sched::replay::replay;

/// Families of cases whose plugins stand.
const FAMILIES: &[&str] = &[
    "fit",
    "taints",
    "nodeaffinity",
    "ports",
    "images",
    "preemption",
    "spread",
    "softspread",
    "defaultspread",
    "podaffinity",
    "mixed",
    "large",
    "config",
    "volumes",
];

fn golden() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3)?;
    let folder = root.join("shared/golden/scheduler");
    folder.is_dir().then_some(folder)
}

/// The first field in which an answer differs.
fn difference(expected: &Value, answer: &Value) -> Option<String> {
    if expected == answer {
        return None;
    }
    let fields = ["node", "feasible", "codes", "reasons", "scores", "totals", "message"];
    let more = ["nominated", "victims", "pod"];
    let differs = |field: &&&str| expected.get(field) != answer.get(field);
    let field = fields.iter().chain(&more).find(differs).unwrap_or(&"?");
    let text = |value: &Value| value.get(field).map_or("absent".to_owned(), Value::to_json);
    Some(format!("{field}\n  real: {}\n  ours: {}", text(expected), text(answer)))
}

#[test]
fn every_recorded_decision_is_ours() {
    let Some(folder) = golden() else {
        eprintln!("skipped: no recorded cases at ../shared/golden/scheduler beside the repository");
        return;
    };
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let rules = Arc::new(Rules::none());
    let (mut pods, mut wrong) = (0, Vec::new());
    for file in &files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        if !FAMILIES.iter().any(|family| name.starts_with(&format!("{family}-"))) {
            continue;
        }
        let case = Value::from_json(&std::fs::read_to_string(file).unwrap()).unwrap();
        let answers = replay(case.get("input").unwrap(), Arc::clone(&rules)).unwrap();
        let answers = answers.as_list().unwrap();
        for (expected, answer) in case.list_at(&["expected"]).iter().zip(answers) {
            pods += 1;
            if let Some(what) = difference(expected, answer) {
                let pod = expected.str_at(&["pod"]).unwrap_or_default();
                wrong.push(format!("{name} {pod}: {what}"));
            }
        }
    }
    let sample: Vec<&String> = wrong.iter().take(20).collect();
    assert!(wrong.is_empty(), "{} of {pods} pods differ:\n{sample:#?}", wrong.len());
    assert!(pods > 1_000, "only {pods} pods were compared");
}

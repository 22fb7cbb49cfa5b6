//! Events: the core group and `events.k8s.io` show the same objects in different words.

use super::fields::rename;
use crate::base::Value;

/// The two words for each field that has two: core, then `events.k8s.io`.
const WORDS: [(&str, &str); 7] = [
    ("count", "deprecatedCount"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("involvedObject", "regarding"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("message", "note"),
    ("reportingComponent", "reportingController"),
    ("source", "deprecatedSource"),
];

/// An Event of the core group as one of `events.k8s.io/v1`.
pub fn named_event(event: &Value) -> Value {
    let mut event = event.clone();
    for (core, named) in WORDS {
        rename(&mut event, &[core], &[named]);
    }
    event.set(&["apiVersion"], "events.k8s.io/v1");
    event
}

/// An Event of `events.k8s.io/v1` as one of the core group, which is how it is stored.
pub fn core_event(event: &Value) -> Value {
    let mut event = event.clone();
    for (core, named) in WORDS {
        rename(&mut event, &[named], &[core]);
    }
    event.set(&["apiVersion"], "v1");
    event
}

//! Manifests from outside: golden tables, properties, scenarios, and the real files of
//! `../shared/data` where they are present.

mod golden;
mod properties;
mod real_data;
mod scenarios;

use wavetank_core::base::Value;
use wavetank_core::manifest::{Document, Limits, ReadError, read};

/// Reads a text under the default limits.
fn read_text(text: impl AsRef<[u8]>) -> Result<Vec<Document>, ReadError> {
    read(text, "shop/web.yaml", &Limits::default())
}

/// The values of a text that can be read.
fn values(text: impl AsRef<[u8]>) -> Vec<Value> {
    let documents = read_text(text).unwrap_or_else(|error| panic!("{error}"));
    documents.into_iter().map(|document| document.value).collect()
}

fn json(text: &str) -> Value {
    Value::from_json(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

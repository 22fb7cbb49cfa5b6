//! stub
use super::{ApiResult, Schema};
use crate::base::Value;
/// stub
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum PatchKind {
    Json,
    Merge,
    Strategic,
}
/// stub
pub fn apply_patch(_: &Value, patch: &Value, _: PatchKind, _: Option<&Schema>) -> ApiResult<Value> {
    Ok(patch.clone())
}

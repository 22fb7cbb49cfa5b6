//! stub
use super::{FieldError, GroupKind};
use crate::base::Value;
/// stub
#[derive(Debug, Default)]
pub struct Rules;
#[allow(missing_docs)]
impl Rules {
    pub fn compile(_: &Value) -> Result<Self, String> {
        Ok(Self)
    }
    pub fn default_object(&self, _: &GroupKind, _: &mut Value) {}
    pub fn validate_create(&self, _: &GroupKind, _: &Value) -> Vec<FieldError> {
        Vec::new()
    }
    pub fn validate_update(&self, _: &GroupKind, _: &Value, _: &Value) -> Vec<FieldError> {
        Vec::new()
    }
}

//! What a version of a CustomResourceDefinition has besides its schema: the scale subresource
//! and the columns `kubectl get` prints.

use crate::api::FieldError;
use crate::api::rules::reference::{field, text};
use crate::base::Value;

const COLUMN_TYPES: [&str; 5] = ["boolean", "date", "integer", "number", "string"];
const COLUMN_FORMATS: [&str; 8] =
    ["byte", "date", "date-time", "double", "float", "int32", "int64", "password"];

/// The parts of a version, as far as they stand at `path` and not elsewhere.
pub(super) fn check(
    errors: &mut Vec<FieldError>,
    version: &Value,
    path: &str,
    is_here: impl Fn(&str) -> bool,
) {
    let scale = field(field(version, "subresources"), "scale");
    if is_here("subresources") && !scale.is_null() {
        check_scale(errors, scale, &format!("{path}.subresources.scale"));
    }
    if is_here("additionalPrinterColumns") {
        for (at, column) in version.list_at(&["additionalPrinterColumns"]).iter().enumerate() {
            check_column(errors, column, &format!("{path}.additionalPrinterColumns[{at}]"));
        }
    }
}

fn check_scale(errors: &mut Vec<FieldError>, scale: &Value, path: &str) {
    let paths = [
        ("specReplicasPath", &[".spec."][..], "under .spec"),
        ("statusReplicasPath", &[".status."][..], "under .status"),
        ("labelSelectorPath", &[".spec.", ".status."][..], "under either .spec or .status"),
    ];
    for (name, roots, place) in paths {
        let (given, path) = (text(scale, name), format!("{path}.{name}"));
        if given.is_empty() {
            if name != "labelSelectorPath" {
                errors.push(FieldError::required(path, ""));
            }
        } else if !is_simple(given) {
            errors.push(not_simple(path, given));
        } else if !roots.iter().any(|root| given.starts_with(root)) {
            let detail = format!("should be a json path {place}");
            errors.push(FieldError::invalid(path, given, detail));
        }
    }
}

fn check_column(errors: &mut Vec<FieldError>, column: &Value, path: &str) {
    if text(column, "name").is_empty() {
        errors.push(FieldError::required(format!("{path}.name"), ""));
    }
    let (kind, place) = (text(column, "type"), format!("{path}.type"));
    let detail = format!("must be one of {}", COLUMN_TYPES.join(","));
    if kind.is_empty() {
        errors.push(FieldError::required(place, detail));
    } else if !COLUMN_TYPES.contains(&kind) {
        errors.push(FieldError::invalid(place, kind, detail));
    }
    let format = text(column, "format");
    if !format.is_empty() && !COLUMN_FORMATS.contains(&format) {
        let detail = format!("must be one of {}", COLUMN_FORMATS.join(","));
        errors.push(FieldError::invalid(format!("{path}.format"), format, detail));
    }
    let (json_path, place) = (text(column, "jsonPath"), format!("{path}.JSONPath"));
    if json_path.is_empty() {
        errors.push(FieldError::required(place, ""));
    } else if !is_simple(json_path) {
        errors.push(not_simple(place, json_path));
    }
}

fn is_simple(path: &str) -> bool {
    path.starts_with('.')
}

fn not_simple(path: String, given: &str) -> FieldError {
    FieldError::invalid(path, given, "must be a simple json path starting with .")
}

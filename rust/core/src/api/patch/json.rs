//! JSON patches (RFC 6902), with the corners of the library the API server uses: negative
//! indexes count from the end, `replace` of an absent field adds it, an absent value is `null`.

use super::error::{PatchError, Result};
use crate::api::error::ApiError;
use crate::base::Value;

/// More operations than this are refused.
const OPERATIONS_MAX: usize = 10_000;

/// Applies a JSON patch.
///
/// # Errors
/// A malformed patch, or the first operation that does not apply.
pub fn apply(document: &Value, patch: &Value) -> Result<Value> {
    let operations = read(patch)?;
    let mut document = document.clone();
    for operation in operations {
        run(&mut document, operation)?;
    }
    Ok(document)
}

/// The answer to a patch that is too long, if it is.
pub fn check_length(patch: &Value) -> std::result::Result<(), ApiError> {
    match patch.as_list() {
        Some(items) if items.len() > OPERATIONS_MAX => {
            Err(ApiError::request_entity_too_large(format!(
                "The allowed maximum operations in a JSON patch is {OPERATIONS_MAX}, got {}",
                items.len()
            )))
        }
        _ => Ok(()),
    }
}

fn read(patch: &Value) -> Result<&[Value]> {
    let malformed = |value: &Value, of: &str| {
        PatchError::Malformed(format!(
            "json: cannot unmarshal {} into Go value of type jsonpatch.{of}",
            value.type_name()
        ))
    };
    match patch {
        Value::Null => Ok(&[]),
        Value::List(items) => {
            match items.iter().find(|item| !matches!(item, Value::Map(_) | Value::Null)) {
                Some(item) => Err(malformed(item, "Operation")),
                None => Ok(items),
            }
        }
        other => Err(malformed(other, "Patch")),
    }
}

/// Why an operation does not apply: Go's sentence.
fn unfit<T>(sentence: impl Into<String>) -> Result<T> {
    Err(PatchError::Unfit(sentence.into()))
}

fn run(document: &mut Value, operation: &Value) -> Result<()> {
    let value = || operation.get("value").cloned().unwrap_or_default();
    match operation.str_at(&["op"]) {
        Some("add") => {
            let path = text(operation, "path")
                .or_else(|_| unfit("add operation failed to decode path: missing value"))?;
            add(document, path, value(), "add")
        }
        Some("remove") => {
            let path = text(operation, "path")
                .or_else(|_| unfit("remove operation failed to decode path: missing value"))?;
            remove(document, path)
        }
        Some("replace") => replace(document, decoded(operation, "replace", "path")?, value()),
        Some("move") => move_value(document, operation),
        Some("test") => test(document, decoded(operation, "test", "path")?, &value()),
        Some("copy") => copy(document, operation),
        other => unfit(format!("Unexpected kind: {}", other.unwrap_or("unknown"))),
    }
}

fn text<'a>(operation: &'a Value, name: &str) -> std::result::Result<&'a str, String> {
    match operation.get(name) {
        Some(Value::Str(text)) => Ok(text),
        None | Some(Value::Null) if name == "path" => {
            Err("operation missing path field: missing value".into())
        }
        None | Some(Value::Null) => Err(format!("operation, missing {name} field: missing value")),
        Some(other) => Err(format!(
            "json: cannot unmarshal {} into Go value of type string",
            other.type_name()
        )),
    }
}

fn decoded<'a>(operation: &'a Value, op: &str, name: &str) -> Result<&'a str> {
    text(operation, name)
        .or_else(|why| unfit(format!("{op} operation failed to decode {name}: {why}")))
}

/// The map or list a path ends in, and the last step; nothing when the way there is missing.
fn find<'a>(document: &'a mut Value, path: &str) -> Option<(&'a mut Value, String)> {
    let (parents, last) = path.rsplit_once('/')?;
    let mut place = document;
    for step in parents.split('/').skip(1) {
        place = match place {
            Value::Map(_) => place.map_mut().get_mut(&decode_step(step))?,
            Value::List(items) => {
                let at = index(&decode_step(step), items.len()).ok()?;
                &mut place.list_mut()[at]
            }
            _ => return None,
        };
    }
    matches!(place, Value::Map(_) | Value::List(_)).then(|| (place, decode_step(last)))
}

fn decode_step(step: &str) -> String {
    // One pass, as Go's replacer does: `~01` is `~1`, not `/`.
    let mut out = String::with_capacity(step.len());
    let mut rest = step;
    while let Some(at) = rest.find('~') {
        out.push_str(&rest[..at]);
        let (symbol, skip) = match rest.as_bytes().get(at + 1) {
            Some(b'0') => ('~', 2),
            Some(b'1') => ('/', 2),
            _ => ('~', 1),
        };
        out.push(symbol);
        rest = &rest[at + skip..];
    }
    out + rest
}

/// A list index as Go reads it; negative ones count from the end.
fn index(step: &str, len: usize) -> std::result::Result<usize, String> {
    let number = atoi(step)?;
    let at = if number < 0 { number + len as i64 } else { number };
    usize::try_from(at).ok().filter(|at| *at < len).ok_or_else(|| {
        format!("Unable to access invalid index: {number}: invalid index referenced")
    })
}

fn atoi(step: &str) -> std::result::Result<i64, String> {
    let digits = step.strip_prefix(['+', '-']).unwrap_or(step);
    let why = if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        "invalid syntax"
    } else {
        match step.strip_prefix('+').unwrap_or(step).parse() {
            Ok(number) => return Ok(number),
            Err(_) => "value out of range",
        }
    };
    Err(format!("strconv.Atoi: parsing {}: {why}", crate::base::go_quote(step)))
}

/// What stands at the last step; `None` for an absent field of a map.
fn get(place: &Value, step: &str) -> std::result::Result<Option<Value>, String> {
    match place {
        Value::List(items) => index(step, items.len()).map(|at| Some(items[at].clone())),
        _ => Ok(place.get(step).cloned()),
    }
}

fn put(place: &mut Value, step: &str, value: Value) -> std::result::Result<(), String> {
    let Value::List(items) = place else {
        place.map_mut().insert(step, value);
        return Ok(());
    };
    let len = items.len();
    if step == "-" {
        place.list_mut().push(value);
        return Ok(());
    }
    let number =
        atoi(step).map_err(|why| format!("value was not a proper array index: '{step}': {why}"))?;
    let at = index(step, len + 1).map_err(|_| {
        format!("Unable to access invalid index: {number}: invalid index referenced")
    })?;
    place.list_mut().insert(at, value);
    Ok(())
}

fn take(place: &mut Value, step: &str) -> std::result::Result<(), String> {
    if let Value::List(items) = place {
        let at = index(step, items.len())?;
        place.list_mut().remove(at);
        return Ok(());
    }
    match place.map_mut().remove(step) {
        Some(_) => Ok(()),
        None => Err(format!("Unable to remove nonexistent key: {step}: missing value")),
    }
}

fn add(document: &mut Value, path: &str, value: Value, op: &str) -> Result<()> {
    let Some((place, step)) = find(document, path) else {
        return unfit(format!(
            "{op} operation does not apply: doc is missing path: \"{path}\": missing value"
        ));
    };
    put(place, &step, value)
        .or_else(|why| unfit(format!("error in {op} for path: '{path}': {why}")))
}

fn remove(document: &mut Value, path: &str) -> Result<()> {
    let Some((place, step)) = find(document, path) else {
        return unfit(format!(
            "remove operation does not apply: doc is missing path: \"{path}\": missing value"
        ));
    };
    take(place, &step).or_else(|why| unfit(format!("error in remove for path: '{path}': {why}")))
}

fn replace(document: &mut Value, path: &str, value: Value) -> Result<()> {
    if path.is_empty() {
        if !matches!(value, Value::Map(_) | Value::List(_)) {
            return unfit("replace operation value must be object or array: %!w(<nil>)");
        }
        *document = value;
        return Ok(());
    }
    let Some((place, step)) = find(document, path) else {
        return unfit(format!(
            "replace operation does not apply: doc is missing path: {path}: missing value"
        ));
    };
    if get(place, &step).is_err() {
        return unfit(format!(
            "replace operation does not apply: doc is missing key: {path}: missing value"
        ));
    }
    match place {
        Value::List(items) => {
            let at = index(&step, items.len()).expect("just read from there");
            place.list_mut()[at] = value;
        }
        _ => {
            place.map_mut().insert(step.as_str(), value);
        }
    }
    Ok(())
}

fn move_value(document: &mut Value, operation: &Value) -> Result<()> {
    let from = decoded(operation, "move", "from")?;
    let Some((place, step)) = find(document, from) else {
        return unfit(format!(
            "move operation does not apply: doc is missing from path: {from}: missing value"
        ));
    };
    let fail = |why: String| PatchError::Unfit(format!("error in move for path: '{step}': {why}"));
    let value = get(place, &step).map_err(fail)?;
    take(place, &step).map_err(fail)?;
    let path = decoded(operation, "move", "path")?;
    let Some((place, step)) = find(document, path) else {
        return unfit(format!(
            "move operation does not apply: doc is missing destination path: {path}: missing value"
        ));
    };
    put(place, &step, value.unwrap_or_default())
        .or_else(|why| unfit(format!("error in move for path: '{path}': {why}")))
}

fn copy(document: &mut Value, operation: &Value) -> Result<()> {
    let from = decoded(operation, "copy", "from")?;
    let Some((place, step)) = find(document, from) else {
        return unfit(format!(
            "copy operation does not apply: doc is missing from path: {from}: missing value"
        ));
    };
    let value = get(place, &step)
        .or_else(|why| unfit(format!("error in copy for from: '{from}': {why}")))?;
    let path = text(operation, "path")
        .or_else(|_| unfit("copy operation failed to decode path: missing value"))?;
    let Some((place, step)) = find(document, path) else {
        return unfit(format!(
            "copy operation does not apply: doc is missing destination path: {path}: missing value"
        ));
    };
    put(place, &step, value.unwrap_or_default())
        .or_else(|why| unfit(format!("error while adding value during copy: {why}")))
}

fn test(document: &mut Value, path: &str, wanted: &Value) -> Result<()> {
    let failed = || unfit(format!("testing value {path} failed: test failed"));
    if path.is_empty() {
        return if document == wanted { Ok(()) } else { failed() };
    }
    let Some((place, step)) = find(document, path) else {
        return unfit(format!(
            "test operation does not apply: is missing path: {path}: missing value"
        ));
    };
    let found = get(place, &step)
        .or_else(|why| unfit(format!("error in test for path: '{path}': {why}")))?;
    if found.unwrap_or_default() == *wanted { Ok(()) } else { failed() }
}

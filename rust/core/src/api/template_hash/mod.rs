//! The hash of a pod template: what names a Deployment's ReplicaSets and labels their pods.
//!
//! Kubernetes hashes a dump of the Go structs that a template was decoded into: every field of
//! every struct, in the order of the source, with the names Go has for fields and types, set or
//! not. [`layout`] knows these names; here the dump is streamed into the hash, never built.
//!
//! What this is not: it takes the template as it is. Hash the stored one, with its defaults, or
//! the hash is not the one a cluster would have.

mod layout;

use std::fmt::Write;

use crate::base::quantity::{Held, Quantity};
use crate::base::random::NAME_ALPHABET;
use crate::base::{Map, Value};
use layout::{Form, Layout};

/// The `pod-template-hash` of a decoded template; `collisions` is the Deployment's
/// `status.collisionCount`.
pub fn template_hash(template: &Value, collisions: Option<u32>) -> String {
    let layout = layout::pod_template();
    let mut dump = Dump { layout, hash: Fnv::new() };
    dump.hash.text("(v1.PodTemplateSpec)");
    dump.object(layout.root, template);
    if let Some(collisions) = collisions {
        dump.hash.bytes(&u64::from(collisions).to_le_bytes());
    }
    let safe = |digit| char::from(NAME_ALPHABET[usize::from(digit) % NAME_ALPHABET.len()]);
    dump.hash.0.to_string().bytes().map(safe).collect()
}

/// FNV-1a in 32 bits.
struct Fnv(u32);

impl Fnv {
    fn new() -> Self {
        Self(0x811C_9DC5)
    }

    fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
        }
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }
}

impl Write for Fnv {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.text(text);
        Ok(())
    }
}

struct Dump<'l> {
    layout: &'l Layout,
    hash: Fnv,
}

impl Dump<'_> {
    fn object(&mut self, number: usize, value: &Value) {
        self.hash.text("{");
        for (at, field) in self.layout.types[number].iter().enumerate() {
            if at > 0 {
                self.hash.text(" ");
            }
            self.hash.text(&field.head);
            if let (true, Form::Struct(embedded)) = (field.is_embedded(), &field.form) {
                self.object(*embedded, value);
            } else {
                self.value(&field.form, value.get(&field.name).unwrap_or(&Value::Null));
            }
        }
        self.hash.text("}");
    }

    /// An absent value is Go's zero value.
    fn value(&mut self, form: &Form, value: &Value) {
        match form {
            Form::Text => self.hash.text(value.as_str().unwrap_or_default()),
            Form::Bool => {
                self.hash.text(if value == &Value::Bool(true) { "true" } else { "false" });
            }
            Form::Int => self.print(value.as_int().unwrap_or(0)),
            Form::Quantity => self.quantity(value),
            Form::IntOrString => self.int_or_string(value),
            Form::Time => self
                .hash
                .text("{Time:(time.Time){wall:(uint64)0 ext:(int64)0 loc:(*time.Location)<nil>}}"),
            Form::Nil => self.hash.text("<nil>"),
            Form::Struct(number) => self.object(*number, value),
            Form::List(item) => self.list(item, value.as_list().unwrap_or_default()),
            Form::Map(item) => self.map(item, value.as_map()),
            Form::Pointer(_) if value.is_null() => self.hash.text("<nil>"),
            Form::Pointer(target) => self.value(target, value),
        }
    }

    /// The wire does not tell an empty list or map from an absent one.
    fn list(&mut self, item: &Form, items: &[Value]) {
        if items.is_empty() {
            self.hash.text("<nil>");
            return;
        }
        self.hash.text("[");
        for (at, value) in items.iter().enumerate() {
            if at > 0 {
                self.hash.text(" ");
            }
            self.value(item, value);
        }
        self.hash.text("]");
    }

    fn map(&mut self, item: &Form, map: Option<&Map>) {
        let Some(map) = map.filter(|map| !map.is_empty()) else {
            self.hash.text("<nil>");
            return;
        };
        self.hash.text("map[");
        for (at, (key, value)) in map.iter().enumerate() {
            if at > 0 {
                self.hash.text(" ");
            }
            self.hash.text(key);
            self.hash.text(":");
            self.value(item, value);
        }
        self.hash.text("]");
    }

    fn print(&mut self, shown: impl std::fmt::Display) {
        write!(self.hash, "{shown}").expect("hashing does not fail");
    }

    fn int_or_string(&mut self, value: &Value) {
        let (kind, number, text) = match value.as_str() {
            Some(text) => (1, 0, text),
            None => (0, value.as_int().unwrap_or(0), ""),
        };
        self.print(format_args!(
            "{{Type:(intstr.Type){kind} IntVal:(int32){number} StrVal:(string){text}}}"
        ));
    }

    /// Small amounts are held in 64 bits, others as decimals of any length, least significant
    /// word first; some keep the text they were read from.
    fn quantity(&mut self, value: &Value) {
        let held = if value.is_null() { Held::default() } else { Quantity::held(value) };
        let (small, scale) = if held.is_wide { (0, 0) } else { (held.unscaled, held.exponent) };
        self.print(format_args!(
            "{{i:(resource.int64Amount){{value:(int64){small} scale:(resource.Scale){scale}}} \
             d:(resource.infDecAmount){{Dec:(*inf.Dec)"
        ));
        if held.is_wide {
            let size = held.unscaled.unsigned_abs();
            let (low, high) = (size as u64, (size >> 64) as u64);
            let is_negative = held.unscaled < 0;
            self.print(format_args!("{{unscaled:(big.Int){{neg:(bool){is_negative} abs:(big.nat)"));
            match high {
                0 => self.print(format_args!("[{low}]")),
                _ => self.print(format_args!("[{low} {high}]")),
            }
            self.print(format_args!("}} scale:(inf.Scale){}}}", -held.exponent));
        } else {
            self.hash.text("<nil>");
        }
        self.print(format_args!(
            "}} s:(string){} Format:(resource.Format){}}}",
            held.text, held.format
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::template_hash;
    use crate::base::Value;

    /// Recorded from the Deployment controller's own function (tools/record/hash), on templates
    /// that went over the wire.
    #[test]
    fn hashes_equal_the_controllers() {
        let golden = include_str!("../../../tests/golden/api/template_hash.jsonl");
        assert!(golden.lines().count() >= 40);
        for line in golden.lines() {
            let case = Value::from_json(line).unwrap();
            let collisions =
                case.int_at(&["collisions"]).map(|count| u32::try_from(count).unwrap());
            let hash = template_hash(case.get("template").unwrap(), collisions);
            assert_eq!(Some(hash.as_str()), case.str_at(&["hash"]), "{line}");
        }
    }

    #[test]
    fn an_empty_list_is_an_absent_one() {
        let hash = |json: &str| template_hash(&Value::from_json(json).unwrap(), None);
        assert_eq!(hash(r#"{"spec":{"containers":[],"volumes":null}}"#), hash("{}"));
        assert_ne!(hash(r#"{"spec":{"securityContext":{}}}"#), hash("{}"));
    }
}

//! Reading a map strictly: a field nobody knows is an error, and so is one of the wrong type.

use crate::api::FieldError;
use crate::base::{Map, Value};

/// A map with the place it stands at.
pub struct Fields<'a> {
    map: Option<&'a Map>,
    place: String,
}

impl<'a> Fields<'a> {
    /// A map of which these fields are known. Nothing at all is an empty map.
    ///
    /// # Errors
    /// Something else than a map, or a field that is not known.
    pub fn new(value: &'a Value, place: &str, known: &[&str]) -> Result<Self, String> {
        let map = match value {
            Value::Null => None,
            Value::Map(map) => Some(&**map),
            other => {
                let found = other.type_name();
                return Err(format!("{place}: expected a map, found a {found}"));
            }
        };
        let fields = Self { map, place: place.to_owned() };
        for key in map.iter().flat_map(|map| map.keys()) {
            if !known.contains(&key) {
                let field = fields.place_of(key);
                return Err(format!("strict decoding error: unknown field \"{field}\""));
            }
        }
        Ok(fields)
    }

    /// Where a field stands.
    pub fn place_of(&self, key: &str) -> String {
        if self.place.is_empty() { key.to_owned() } else { format!("{}.{key}", self.place) }
    }

    /// Where an item of a list in a field stands.
    pub fn place_in(&self, key: &str, at: usize) -> String {
        format!("{}[{at}]", self.place_of(key))
    }

    /// A field; `null` counts as absent.
    pub fn value(&self, key: &str) -> Option<&'a Value> {
        self.map?.get(key).filter(|value| !value.is_null())
    }

    /// A field or nothing, as a value.
    pub fn value_or_null(&self, key: &str) -> &'a Value {
        const NULL: &Value = &Value::Null;
        self.value(key).unwrap_or(NULL)
    }

    /// A whole number.
    pub fn int(&self, key: &str) -> Result<Option<i64>, String> {
        self.typed(key, "an integer", Value::as_int)
    }

    /// A truth value.
    pub fn flag(&self, key: &str) -> Result<Option<bool>, String> {
        self.typed(key, "a boolean", Value::as_bool)
    }

    /// A text.
    pub fn text(&self, key: &str) -> Result<Option<&'a str>, String> {
        self.typed(key, "a string", Value::as_str)
    }

    /// A text that stands for a value; the default one when absent.
    pub fn one_of<T: Copy + Default>(&self, key: &str, choices: &[(T, &str)]) -> Result<T, String> {
        let Some(name) = self.text(key)? else { return Ok(T::default()) };
        let found = choices.iter().find(|(_, choice)| *choice == name);
        found.map(|(value, _)| *value).ok_or_else(|| {
            let names = choices.iter().map(|(_, choice)| *choice);
            FieldError::not_supported(self.place_of(key), name, names).to_string()
        })
    }

    /// A list; empty when absent.
    pub fn list(&self, key: &str) -> Result<&'a [Value], String> {
        Ok(self.typed(key, "a list", Value::as_list)?.unwrap_or_default())
    }

    /// A list of texts; empty when absent.
    pub fn texts(&self, key: &str) -> Result<Vec<&'a str>, String> {
        let items = self.list(key)?.iter().enumerate();
        let text = |(at, item): (usize, &'a Value)| {
            let place = self.place_in(key, at);
            item.as_str().ok_or_else(|| format!("{place}: expected a string"))
        };
        items.map(text).collect()
    }

    fn typed<T>(
        &self,
        key: &str,
        wanted: &str,
        read: impl Fn(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, String> {
        let Some(value) = self.value(key) else { return Ok(None) };
        let found = || format!("found a {}", value.type_name());
        let wrong = || format!("{}: expected {wanted}, {}", self.place_of(key), found());
        read(value).map(Some).ok_or_else(wrong)
    }
}

//! serde for documents: natural in JSON, tagged in the binary snapshot format.

use std::fmt;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use super::{Map, Text, Value};

/// The binary form; postcard does not describe itself, so every value carries its tag.
#[derive(serde::Serialize, serde::Deserialize)]
enum Tagged<T, L, M> {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(T),
    List(L),
    Map(M),
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return match self {
                Self::Null => serializer.serialize_unit(),
                Self::Bool(flag) => serializer.serialize_bool(*flag),
                Self::Int(number) => serializer.serialize_i64(*number),
                Self::Float(number) => serializer.serialize_f64(*number),
                Self::Str(text) => serializer.serialize_str(text),
                Self::List(items) => items.serialize(serializer),
                Self::Map(map) => map.serialize(serializer),
            };
        }
        match self {
            Self::Null => Tagged::Null,
            Self::Bool(flag) => Tagged::Bool(*flag),
            Self::Int(number) => Tagged::Int(*number),
            Self::Float(number) => Tagged::Float(*number),
            Self::Str(text) => Tagged::Str(text.as_str()),
            Self::List(items) => Tagged::List(items.as_slice()),
            Self::Map(map) => Tagged::Map(&**map),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            return deserializer.deserialize_any(AnyValue);
        }
        Ok(match Tagged::<Text, Vec<Self>, Map>::deserialize(deserializer)? {
            Tagged::Null => Self::Null,
            Tagged::Bool(flag) => Self::Bool(flag),
            Tagged::Int(number) => Self::Int(number),
            Tagged::Float(number) => Self::Float(number),
            Tagged::Str(text) => Self::Str(text),
            Tagged::List(items) => Self::List(Arc::new(items)),
            Tagged::Map(map) => Self::Map(Arc::new(map)),
        })
    }
}

impl Serialize for Map {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            let mut map = serializer.serialize_map(Some(self.len()))?;
            for (key, value) in self.iter() {
                map.serialize_entry(key, value)?;
            }
            return map.end();
        }
        let mut pairs = serializer.serialize_seq(Some(self.len()))?;
        for pair in self.iter() {
            pairs.serialize_element(&pair)?;
        }
        pairs.end()
    }
}

impl<'de> Deserialize<'de> for Map {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let Value::Map(map) = deserializer.deserialize_map(AnyValue)? else {
                return Err(D::Error::custom("expected a map"));
            };
            return Ok(Arc::unwrap_or_clone(map));
        }
        Ok(Vec::<(Text, Value)>::deserialize(deserializer)?.into_iter().collect())
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Int(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(i64::try_from(number).map_or(Value::Float(number as f64), Value::Int))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Float(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Str(text.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::with_capacity(seq.size_hint().unwrap_or(0).min(4096));
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Value::List(Arc::new(items)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut pairs: Vec<(Text, Value)> = Vec::with_capacity(map.size_hint().unwrap_or(8));
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(Value::map(pairs))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Value;

    pub fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::Int),
            (-1e9..1e9)
                .prop_filter("integers print as integers", |f: &f64| f.fract() != 0.0)
                .prop_map(Value::Float),
            "\\PC{0,30}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::vec(("[a-z]{1,8}", inner), 0..6).prop_map(Value::map),
            ]
        })
    }

    proptest! {
        #[test]
        fn json_and_snapshot_bytes_read_back(value in any_value()) {
            prop_assert_eq!(&Value::from_json(&value.to_json()).unwrap(), &value);
            let bytes = postcard::to_stdvec(&value).unwrap();
            prop_assert_eq!(&postcard::from_bytes::<Value>(&bytes).unwrap(), &value);
        }
    }
}

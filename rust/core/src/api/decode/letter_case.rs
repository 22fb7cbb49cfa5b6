//! Field names spelled with other capitals. Go's JSON decoder takes `NodeTaintsPolicy` for
//! `nodeTaintsPolicy`; the API server's own decoder does not, nor does anything else here.

use crate::api::types::{Form, Schema, Shape, TypeId};
use crate::base::{Map, Text, Value};

/// Spells every field the way its type does. A field that is there in both spellings stays.
pub fn fields_in_their_case(schema: &Schema, value: &Value) -> Value {
    in_struct(schema, schema.root_id(), value)
}

fn in_shape(schema: &Schema, shape: &Shape, value: &Value) -> Value {
    match (&shape.form, value) {
        (Form::Struct(id), _) => in_struct(schema, *id, value),
        (Form::List(list), Value::List(items)) => {
            let items: Vec<Value> =
                items.iter().map(|item| in_shape(schema, &list.item, item)).collect();
            Value::from(items)
        }
        (Form::Map(of), Value::Map(map)) => {
            let entries = map.iter().map(|(key, item)| {
                let item = in_shape(schema, &of.value, item);
                (Text::from(key), item)
            });
            Value::from(entries.collect::<Map>())
        }
        _ => value.clone(),
    }
}

fn in_struct(schema: &Schema, id: TypeId, value: &Value) -> Value {
    let Value::Map(map) = value else { return value.clone() };
    let fields = &schema.get(id).fields;
    let entries = map.iter().map(|(key, item)| {
        let exact = schema.get(id).field(key);
        let alike = || fields.iter().find(|field| field.name.eq_ignore_ascii_case(key));
        let absent = |name: &str| !map.contains_key(name);
        match exact.or_else(|| alike().filter(|field| absent(&field.name))) {
            Some(field) => (field.name.clone(), in_shape(schema, &field.shape, item)),
            None => (Text::from(key), item.clone()),
        }
    });
    Value::from(entries.collect::<Map>())
}

#[cfg(test)]
mod tests {
    use super::fields_in_their_case;
    use crate::api::Registry;
    use crate::base::Value;

    #[test]
    fn fields_are_spelled_as_their_type_spells_them() {
        let registry = Registry::new();
        let schema = &registry.find("v1", "Pod").unwrap().version.schema;
        let given = r#"{"Metadata":{"labels":{"Foo":"bar"}},"spec":{"topologySpreadConstraints":[
            {"NodeTaintsPolicy":"Honor","maxskew":1,"labelSelector":{"matchLabels":{"Foo":"b"}}}],
            "Containers":[],"containers":[],"nonsense":1}}"#;
        let found = fields_in_their_case(schema, &Value::from_json(given).unwrap());
        let expected = r#"{"metadata":{"labels":{"Foo":"bar"}},"spec":{"topologySpreadConstraints":[
            {"nodeTaintsPolicy":"Honor","maxSkew":1,"labelSelector":{"matchLabels":{"Foo":"b"}}}],
            "Containers":[],"containers":[],"nonsense":1}}"#;
        assert_eq!(found, Value::from_json(expected).unwrap());
    }
}

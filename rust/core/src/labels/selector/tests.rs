//! Selectors against recorded answers of apimachinery v0.36.3, and laws of the language.

use proptest::prelude::*;
use serde_json::Value as Json;

use super::{Labels, Selector, SelectorError};
use crate::base::{Map, Value};
use crate::labels::{FieldSelector, Operator, Requirement};

fn recorded() -> Json {
    serde_json::from_str(include_str!("../../../tests/golden/selectors.json")).unwrap()
}

fn maps(table: &Json) -> Vec<Map> {
    let read = |map: &Json| Value::from_json(&map.to_string()).unwrap().as_map().cloned().unwrap();
    table.as_array().unwrap().iter().map(read).collect()
}

/// One answer in the shape of the recording: text and matches, or the error.
fn answer<S: ToString>(
    read: Result<S, SelectorError>,
    maps: &[Map],
    matches: impl Fn(&S, &Map) -> bool,
) -> Json {
    match read {
        Err(error) => serde_json::json!({ "error": error.to_string() }),
        Ok(selector) => {
            let bit = |map: &Map| if matches(&selector, map) { '1' } else { '0' };
            let bits: String = maps.iter().map(bit).collect();
            serde_json::json!({ "text": selector.to_string(), "matches": bits })
        }
    }
}

/// Compares every recorded answer of a table with ours.
fn compare(table: &Json, ours: impl Fn(&Json) -> Json) -> usize {
    let rows = table.as_array().unwrap();
    for row in rows {
        let mut expected = row.clone();
        let input = expected.as_object_mut().unwrap().remove("input").unwrap();
        if expected.get("error").is_none() && expected.get("text").is_none() {
            expected["text"] = "".into();
        }
        assert_eq!(ours(&input), expected, "{input}");
    }
    rows.len()
}

#[test]
fn selector_texts_are_read_refused_and_matched_as_by_kubernetes() {
    let recorded = recorded();
    let labels = maps(&recorded["labels"]);
    let compared = compare(&recorded["parsed"], |input| {
        answer(Selector::parse(input.as_str().unwrap()), &labels, Selector::matches::<Map>)
    });
    assert!(compared > 600, "compared only {compared}");
}

#[test]
fn label_selectors_of_objects_are_read_refused_and_matched_as_by_kubernetes() {
    let recorded = recorded();
    let labels = maps(&recorded["labels"]);
    compare(&recorded["built"], |input| {
        let selector = Value::from_json(&input.to_string()).unwrap();
        answer(Selector::from_label_selector(&selector), &labels, Selector::matches::<Map>)
    });
}

#[test]
fn field_selectors_are_read_refused_and_matched_as_by_kubernetes() {
    let recorded = recorded();
    let fields = maps(&recorded["fields"]);
    compare(&recorded["field_selectors"], |input| {
        let selector = FieldSelector::parse(input.as_str().unwrap());
        answer(selector, &fields, |selector, map| selector.matches(|field| map.value_of(field)))
    });
}

#[test]
fn a_service_selector_is_every_label_of_its_map() {
    let labels = Value::from_json(r#"{"tier":"front","app":"web"}"#).unwrap();
    let selector = Selector::from_map(labels.as_map().unwrap());
    assert_eq!(selector.to_string(), "app=web,tier=front");
    assert!(selector.matches(&[("app", "web"), ("tier", "front"), ("x", "y")][..]));
    assert!(!selector.matches(&[("app", "web")][..]));
    assert_eq!(selector.exact_value_of("app"), Some("web"));
    assert_eq!(selector.exact_value_of("x"), None);
}

#[test]
fn an_error_names_where_the_requirement_stands() {
    let path = "spec.terms[0].matchExpressions[1]";
    let error = Requirement::new(path, "cores", Operator::GreaterThan, ["many"]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "spec.terms[0].matchExpressions[1].values[0]: Invalid value: \"many\": for 'Gt', 'Lt' \
         operators, the value must be an integer"
    );
}

#[test]
fn more_requirements_narrow_a_selector_and_nothing_stays_nothing() {
    let old = Requirement::new("", "old", Operator::DoesNotExist, [""; 0]).unwrap();
    let web = Selector::parse("app=web").unwrap().and([old.clone()]);
    assert_eq!(web.to_string(), "app=web,!old");
    assert!(Selector::nothing().and([old]).is_nothing());
    assert!(Selector::parse("").unwrap().is_everything());
}

pub(crate) fn any_requirement() -> impl Strategy<Value = Requirement> {
    use Operator::{
        DoesNotExist, DoubleEquals, Equals, Exists, GreaterThan, In, LessThan, NotEquals, NotIn,
    };
    let key = prop::sample::select(vec!["app", "tier", "x", "example.com/role", "in"]);
    let value = prop::sample::select(vec!["", "web", "db", "1", "5", "12", "in", "notin"]);
    let number = prop::sample::select(vec!["0", "1", "5"]);
    let operator = prop::sample::select(vec![
        In,
        NotIn,
        Equals,
        DoubleEquals,
        NotEquals,
        Exists,
        DoesNotExist,
        GreaterThan,
        LessThan,
    ]);
    (key, operator, prop::collection::btree_set(value, 1..4), number).prop_map(
        |(key, operator, values, number)| {
            let values: Vec<&str> = match operator {
                In | NotIn => values.into_iter().collect(),
                Equals | DoubleEquals | NotEquals => values.into_iter().take(1).collect(),
                Exists | DoesNotExist => Vec::new(),
                GreaterThan | LessThan => vec![number],
            };
            Requirement::new("", key, operator, values).unwrap()
        },
    )
}

/// A few labels over the keys and values of [`any_requirement`].
pub(crate) fn any_labels() -> impl Strategy<Value = Vec<(&'static str, &'static str)>> {
    let key = prop::sample::select(vec!["app", "tier", "x", "example.com/role", "in"]);
    let value = prop::sample::select(vec!["", "web", "db", "1", "5", "12", "notin"]);
    prop::collection::btree_map(key, value, 0..5).prop_map(|labels| labels.into_iter().collect())
}

proptest! {
    #[test]
    fn a_printed_selector_reads_back_as_itself(
        requirements in prop::collection::vec(any_requirement(), 0..6),
    ) {
        let selector = Selector::new(requirements);
        prop_assert_eq!(&Selector::parse(&selector.to_string()).unwrap(), &selector);
    }

    #[test]
    fn a_printed_field_selector_reads_back_as_itself(
        terms in prop::collection::vec(("[a-z.]{1,8}", any::<bool>(), "[a-z,=\\\\!]{0,6}"), 0..5),
    ) {
        let escape = |value: &str| {
            value.replace('\\', "\\\\").replace(',', "\\,").replace('=', "\\=")
        };
        let term = |(field, equal, value): &(String, bool, String)| {
            format!("{field}{}{}", if *equal { "=" } else { "!=" }, escape(value))
        };
        let text = terms.iter().map(term).collect::<Vec<_>>().join(",");
        let selector = FieldSelector::parse(&text).unwrap();
        prop_assert_eq!(selector.terms().len(), terms.len());
        prop_assert_eq!(&FieldSelector::parse(&selector.to_string()).unwrap(), &selector);
    }

    #[test]
    fn any_text_is_a_selector_or_an_error_without_a_panic(text in "[a-z=!(),<> \\PC\0]{0,40}") {
        let _ = (Selector::parse(&text), FieldSelector::parse(&text));
    }
}

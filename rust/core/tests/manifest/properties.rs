//! What holds for every value and every text.

use proptest::prelude::*;
use wavetank_core::base::Value;
use wavetank_core::manifest::{Step, to_yaml};

use crate::{read_text, values};

/// Strings that are likely to need quotes, folds or escapes. The separators LS and PS are left
/// out: kubectl's printer adds spaces behind them.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[a-z]{1,8}",
        "[ \\t\\n:#'\"\\\\\\-?,&*!|>%@`{}\\[\\]~=<.]{1,3}",
        prop::sample::select(vec![
            "yes",
            "no",
            "null",
            "010",
            "0x1F",
            "1e3",
            "1_0",
            "12:30",
            "2001-01-01",
            ".inf",
            "---",
            "...",
            "\r",
            "\u{e9}",
            "\u{1f600}",
            "\u{feff}",
            "\u{7}",
            "\u{7f}",
            "\u{85}",
            "\u{ffff}",
            "lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor ",
        ])
        .prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

/// Documents. Whole floats are left out, for they read back as integers.
fn document() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        any::<f64>()
            .prop_filter("fractions", |number| number.is_finite() && number.fract() != 0.0)
            .prop_map(Value::Float),
        text().prop_map(Value::from),
    ];
    let key =
        text().prop_filter("a merge key is printed without quotes", |key| key != "<<").boxed();
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..6).prop_map(Value::map),
        ]
    })
}

/// A map at the root, as every object is.
fn object() -> impl Strategy<Value = Value> {
    prop::collection::vec(("[a-z]{1,6}", document()), 1..5).prop_map(Value::map)
}

/// Pieces of YAML in any order.
fn soup() -> impl Strategy<Value = String> {
    let pieces = [
        "a",
        "b: ",
        "- ",
        "? ",
        ": ",
        "\n",
        "\n  ",
        "  ",
        "\t",
        "[",
        "]",
        "{",
        "}",
        ",",
        "\"",
        "'",
        "|\n",
        ">-\n",
        "&x ",
        "*x ",
        "!!int ",
        "!y ",
        "<<: ",
        "#",
        "---\n",
        "...\n",
        "%YAML 1.1\n",
        "\u{2028}",
        "\u{85}",
        "\u{feff}",
        "\u{1f600}",
        "\r\n",
        "1e3",
        "\\",
        "{\"a\":1}",
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..16)
        .prop_map(|pieces| pieces.concat())
}

/// All paths to fields of maps, with their keys.
fn fields<'a>(value: &'a Value, path: &mut Vec<Step<'a>>, found: &mut Vec<Vec<Step<'a>>>) {
    if let Some(map) = value.as_map() {
        for (key, value) in map.iter() {
            path.push(Step::Key(key));
            found.push(path.clone());
            fields(value, path, found);
            path.pop();
        }
    }
    for (index, item) in value.as_list().unwrap_or_default().iter().enumerate() {
        path.push(Step::Index(index));
        fields(item, path, found);
        path.pop();
    }
}

proptest! {
    #[test]
    fn what_is_printed_reads_back(value in object()) {
        prop_assert_eq!(values(to_yaml(&value)), [value]);
    }

    #[test]
    fn json_reads_as_itself(value in object()) {
        let text = value.to_json();
        prop_assert_eq!(values(&text), [Value::from_json(&text).unwrap()]);
        let twice = format!("{text}\n {text}");
        prop_assert_eq!(values(twice), [value.clone(), value]);
    }

    #[test]
    fn json_read_as_yaml_is_the_same_value(value in object()) {
        // An empty document in front makes the rest YAML. DEL and its like cannot stand there.
        let text = value.to_json().replace(['\u{7f}', '\u{85}', '\u{ffff}'], "");
        let expected = Value::from_json(&text).unwrap();
        // A key has to fit on 1,024 characters.
        prop_assume!(text.len() < 1024);
        prop_assert_eq!(values(format!("#\n---\n{text}")), [expected]);
    }

    #[test]
    fn any_text_is_read_or_refused_on_one_of_its_lines(text in soup()) {
        match read_text(&text) {
            // A key `<<` is printed without quotes and reads as a merge key.
            Ok(documents) => for document in documents.iter().filter(|_| !text.contains("<<")) {
                prop_assert_eq!(values(to_yaml(&document.value)).len(), 1);
            },
            Err(error) => {
                let line = error.line.expect("a line");
                // NEL and LS end lines too, where YAML is concerned.
                let lines = text.split(['\n', '\r', '\u{85}', '\u{2028}']).count();
                prop_assert!((1..=lines).contains(&line), "{error}");
                prop_assert!(!error.message.contains('\n'), "{error}");
            }
        }
    }

    #[test]
    fn every_printed_field_is_found_on_its_line(value in object()) {
        let text = to_yaml(&value);
        let lines: Vec<&str> = text.lines().collect();
        let document = &read_text(&text).unwrap()[0];
        let mut found = Vec::new();
        fields(&value, &mut Vec::new(), &mut found);
        for path in found {
            let Some(Step::Key(key)) = path.last() else { unreachable!("fields have keys") };
            if key.len() < 40 && key.bytes().all(|byte| byte.is_ascii_lowercase()) {
                let line = lines[document.line_of(&path) - 1];
                let shown = line.trim_start_matches([' ', '-', '?', ':', '"']);
                prop_assert!(shown.starts_with(key), "{path:?} in {line:?}");
            }
        }
    }
}

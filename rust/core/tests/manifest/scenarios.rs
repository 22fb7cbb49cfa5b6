//! What goes wrong, and what is accepted with a notice.

use wavetank_core::base::Value;
use wavetank_core::manifest::{Limits, NoticeKind, Step, read, to_yaml};

use crate::{json, read_text, values};

/// The error of a text that cannot be read, as a user sees it.
fn sentence(text: impl AsRef<[u8]>) -> String {
    read_text(text).expect_err("refused").to_string()
}

/// The notices of a text with one document, as lines and sentences.
fn notices(text: impl AsRef<[u8]>) -> Vec<(usize, String)> {
    let documents = read_text(text).unwrap_or_else(|error| panic!("{error}"));
    let notices = documents.into_iter().flat_map(|document| document.notices);
    notices.map(|notice| (notice.line, notice.kind.to_string())).collect()
}

/// One line for each number.
fn lines(numbers: std::ops::Range<usize>, line: impl Fn(usize) -> String) -> String {
    numbers.map(line).collect::<Vec<_>>().join("\n") + "\n"
}

#[test]
fn an_error_names_file_line_and_reason() {
    for (text, expected) in [
        ("a: 1\nb: @c\n", "shop/web.yaml:2: found character that cannot start any token"),
        ("a: 1\nb:\n\tc: 1\n", "shop/web.yaml:3: found character that cannot start any token"),
        (
            "a: 1\n---\nb: 1\n c: 2\n",
            "shop/web.yaml:4: mapping values are not allowed in this context",
        ),
        ("a:\n  b: \"x\n  c: 1\n", "shop/web.yaml:2: found unexpected end of stream"),
        ("a: 1\nreplicas\nb: 2\n", "shop/web.yaml:2: could not find expected ':'"),
        ("a: 1\n- b\n", "shop/web.yaml:2: did not find expected key"),
        ("a: *base\n", "shop/web.yaml:1: unknown anchor 'base' referenced"),
        ("a: 1\nb: \u{0}\n", "shop/web.yaml:2: control characters are not allowed"),
        ("{\"a\": 1,\n \"b\" 2}", "shop/web.yaml:2: invalid character '2' after object key"),
        ("{\"a\": 1", "shop/web.yaml:1: unexpected EOF"),
        ("a: 1\n--- b\n", "shop/web.yaml:2: invalid Yaml document separator: b"),
        ("x: {{ name }}\n", "shop/web.yaml:1: invalid map key: a map"),
        ("a: .inf\n", "shop/web.yaml:1: unsupported value: +Inf"),
    ] {
        assert_eq!(sentence(text), expected, "{text:?}");
    }
}

#[test]
fn the_document_of_an_error_counts_empty_documents() {
    let error = read_text("a: 1\n---\n# nothing\n---\nb: [\n").unwrap_err();
    assert_eq!((error.document, error.line), (Some(3), Some(5)));
}

#[test]
fn empty_texts_hold_no_documents() {
    for text in ["", "\n", "# only a comment\n", "---\n", "---\n---\n", "null\n", "\u{feff}"] {
        assert_eq!(values(text), [], "{text:?}");
    }
}

#[test]
fn documents_know_their_number_and_line() {
    let text = "# shop\n---\na: 1\n---\n---\n\n# b\nb: 2\n";
    let documents = read_text(text).unwrap();
    let places: Vec<_> = documents.iter().map(|one| (one.number, one.line)).collect();
    assert_eq!(places, [(2, 3), (3, 8)]);
    assert_eq!(documents[1].source_name(), "shop/web.yaml");
}

#[test]
fn a_text_over_the_byte_limit_is_refused_before_it_is_read() {
    let limits = Limits { bytes_max: 10, ..Limits::default() };
    let error = read("a: @ not even YAML", "big.yaml", &limits).unwrap_err();
    let expected = "big.yaml: the manifest has 18 bytes, more than the 10 allowed";
    assert_eq!((error.to_string().as_str(), error.line), (expected, None));
}

#[test]
fn nesting_is_limited_in_every_notation() {
    let block = lines(0..600, |depth| format!("{}-", " ".repeat(depth)));
    let (open, close) = ("[".repeat(20), "]".repeat(20));
    let chain = lines(1..40, |link| format!("k{link}: &a{link} {open}*a{}{close}", link - 1));
    for (text, line) in [
        (format!("a: {}", "[".repeat(100_000)), 1),
        (format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000)), 1),
        (format!("- {}", "- ".repeat(100_000)), 1),
        (block, 501),
        // Aliases nest values more deeply than their text is nested.
        (format!("k0: &a0 1\n{chain}"), 26),
    ] {
        let start: String = text.chars().take(30).collect();
        assert_eq!(
            sentence(&text),
            format!("shop/web.yaml:{line}: exceeded max depth of 500"),
            "{start}"
        );
    }
    assert!(read_text(format!("a: {}{}", "[".repeat(499), "]".repeat(499))).is_ok());
}

#[test]
fn an_alias_bomb_is_refused_without_being_expanded() {
    let uses = |level: usize| vec![format!("*a{}", level - 1); 10].join(", ");
    let levels = lines(1..100, |level| format!("a{level}: &a{level} [{}]", uses(level)));
    let text = format!("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n{levels}");
    assert!(sentence(&text).ends_with("document contains excessive aliasing"));
    let merges = format!("a: &a {{b: 1, c: 2}}\nd:\n{}", "  <<: *a\n".repeat(300_000));
    assert!(sentence(&merges).ends_with("document contains excessive aliasing"));
}

#[test]
fn the_alias_budget_ends_where_it_ends_in_go() {
    let list = |items: usize| format!("a: &a [{}]\n", vec!["x"; items].join(", "));
    let uses = |count: usize| lines(0..count, |number| format!("k{number}: *a"));
    let chain = |links: usize| {
        let link = |link| format!("a{link}: &a{link} {{<<: *a{}, k: {link}}}", link - 1);
        "a0: &a0 {x: 1}\n".to_owned() + &lines(1..links, link)
    };
    let fields = lines(0..100_000, |number| format!("p{number}: q"));
    // The largest counts that Go accepts.
    for (accepted, text) in [
        (123, &(|uses_of_1000| list(1000) + &uses(uses_of_1000)) as &dyn Fn(usize) -> String),
        (394, &|items| list(items) + &uses(200)),
        (248, &chain),
        (48, &|count| list(9000) + &uses(count) + &fields),
    ] {
        assert!(read_text(text(accepted)).is_ok(), "{accepted}");
        assert!(read_text(text(accepted + 1)).is_err(), "{accepted}");
    }
}

#[test]
fn honest_aliases_are_not_a_bomb() {
    let uses = lines(0..5_000, |number| format!("  - {{<<: *base, c: {number}}}"));
    let text = format!("base: &base {{a: 1, b: 2}}\nlist:\n{uses}");
    let found = values(&text);
    assert_eq!(found[0].list_at(&["list"])[4_999], json(r#"{"a":1,"b":2,"c":4999}"#));
}

#[test]
fn a_long_chain_of_merges_is_not_deep() {
    let links = lines(1..200, |link| {
        let source =
            if link % 2 == 0 { format!("[*a{}]", link - 1) } else { format!("*a{}", link - 1) };
        format!("a{link}: &a{link} {{<<: {source}, k: {link}}}")
    });
    let limits = Limits { depth_max: 4, ..Limits::default() };
    let documents = read(format!("a0: &a0 {{x: 1}}\n{links}"), "chain.yaml", &limits).unwrap();
    assert_eq!(documents[0].value.get("a199"), Some(&json(r#"{"k":199,"x":1}"#)));
}

#[test]
fn duplicate_keys_are_reported_with_path_and_line() {
    let text = "spec:\n  replicas: 1\n  containers:\n  - name: a\n    image: b\n    image: c\n  replicas: 2\nspec: {}\nspec:\n  x: 1\n";
    assert_eq!(
        notices(text),
        [
            (6, "duplicate field \"spec.containers[0].image\"".into()),
            (7, "duplicate field \"spec.replicas\"".into()),
            (8, "duplicate field \"spec\"".into()),
            (9, "duplicate field \"spec\"".into()),
        ]
    );
    assert_eq!(values(text), [json(r#"{"spec":{"x":1}}"#)]);
    let text = "{\"a\": {\"b\": 1,\n \"b\": 2}}\n";
    assert_eq!(notices(text), [(2, "duplicate field \"a.b\"".into())]);
}

#[test]
fn a_merge_key_makes_no_duplicate() {
    let text = "base: &base {a: 1}\nuse:\n  <<: *base\n  a: 2\n";
    assert_eq!(notices(text), []);
    assert_eq!(values(text)[0].int_at(&["use", "a"]), Some(2));
}

#[test]
fn bytes_that_are_not_utf8_are_replaced_and_reported() {
    let documents = read_text(b"a: 1\n---\nb: 2\nc: x\xFFy\n").unwrap();
    assert_eq!(documents[0].notices, []);
    assert_eq!(documents[1].notices[0].line, 4);
    assert_eq!(documents[1].notices[0].kind, NoticeKind::InvalidUtf8);
    assert_eq!(documents[1].value.str_at(&["c"]), Some("x\u{fffd}y"));
}

#[test]
fn what_follows_the_end_of_a_document_is_reported() {
    let ignored = "the document ended above, this and what follows is ignored";
    for text in ["  a: 1\nb: 2\n", "a: 1\n...\nb: 2\n", "[a]\n]\n", "a: 1\n...\n@\n"] {
        let line = if text.contains("...") { 3 } else { 2 };
        assert_eq!(notices(text), [(line, ignored.into())], "{text:?}");
    }
    assert_eq!(notices("a: 1\n...\n# end\n"), []);
}

#[test]
fn texts_in_utf16_are_read() {
    let text = "name: \u{e9}\u{1f600}\n";
    for big_endian in [false, true] {
        let unit = |unit: u16| if big_endian { unit.to_be_bytes() } else { unit.to_le_bytes() };
        let bytes: Vec<u8> =
            "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(unit).collect();
        assert_eq!(values(bytes), [json("{\"name\":\"\u{e9}\u{1f600}\"}")]);
    }
}

#[test]
fn fields_are_found_by_line() {
    let text = "\
# a comment
---
apiVersion: apps/v1
spec:
  template:
    spec:
      containers:
      - name: web
        image: web:1
      - name: log
        args: [\"-v\",
          \"--quiet\"]
        image: log:1
";
    let documents = read_text(text).unwrap();
    let container = |index: usize, field: &'static str| -> Vec<Step<'static>> {
        let path = ["spec", "template", "spec", "containers"];
        path.into_iter().map(Step::from).chain([index.into(), field.into()]).collect()
    };
    let line_of = |path: &[Step]| documents[0].line_of(path);
    assert_eq!(line_of(&[]), 3);
    assert_eq!(line_of(&["spec".into()]), 4);
    assert_eq!(line_of(&container(0, "image")), 9);
    assert_eq!(line_of(&container(1, "image")), 13);
    assert_eq!(line_of(&container(1, "args")), 11);
    assert_eq!(line_of(&[container(1, "args").as_slice(), &[1.into()]].concat()), 12);
    // Absent fields stand where their parent does.
    assert_eq!(line_of(&container(1, "ports")), 10);
    assert_eq!(line_of(&container(7, "image")), 7);
    let place = documents[0].locate(&container(0, "image"));
    assert_eq!(place.to_string(), "shop/web.yaml:9");
}

#[test]
fn merged_and_repeated_fields_are_found_where_they_count() {
    let text = "base: &base\n  a: 1\n  b: 2\nuse:\n  <<: *base\n  b: 3\nlast:\n  <<: [*base, {c: 4}]\nb: 1\nb: 2\n";
    let documents = read_text(text).unwrap();
    let line_of = |path: &[&str]| {
        documents[0].line_of(&path.iter().map(|key| Step::Key(key)).collect::<Vec<_>>())
    };
    assert_eq!(line_of(&["use", "a"]), 2);
    assert_eq!(line_of(&["use", "b"]), 6);
    assert_eq!(line_of(&["last", "c"]), 8);
    assert_eq!(line_of(&["last", "b"]), 3);
    assert_eq!(line_of(&["b"]), 10);
}

#[test]
fn fields_of_json_are_found_by_line() {
    let text = "{\"a\": 1}\n{\n \"b\": [1,\n  {\"c\": true}],\n \"d\": \"x\"\n}\n";
    let documents = read_text(text).unwrap();
    assert_eq!(documents[1].line, 2);
    assert_eq!(documents[1].line_of(&["b".into(), 1.into(), "c".into()]), 4);
    assert_eq!(documents[1].line_of(&["d".into()]), 5);
}

#[test]
fn control_characters_that_kubectl_cannot_print_are_escaped() {
    let value = Value::from("a\u{7f}b\u{80}c\u{85}d\u{ffff}");
    assert_eq!(to_yaml(&value), "\"a\\x7Fb\\x80c\\Nd\\uFFFF\"\n");
    assert_eq!(values(to_yaml(&value)), [value]);
}

#[test]
fn a_circular_key_order_prints_the_same_every_time() {
    let value = json(r#"{"a9":1,"a10":2,"a1b":3,"a1":4,"a":5}"#);
    let text = to_yaml(&value);
    assert_eq!(text, to_yaml(&value));
    assert_eq!(values(&text), [value]);
}

#[test]
fn a_large_text_reads_as_its_parts_do() {
    let part = |number: usize| format!("name: part-{number}\nspec: {{replicas: {number}}}\n");
    let parts: Vec<String> = (0..5_000).map(part).collect();
    let documents = read_text(parts.join("---\n")).unwrap();
    assert_eq!(documents.len(), parts.len());
    for (number, (document, part)) in documents.iter().zip(&parts).enumerate() {
        assert_eq!(vec![document.value.clone()], values(part));
        assert_eq!((document.number, document.line), (number + 1, 3 * number + 1));
    }
    let broken = parts.join("---\n") + "---\na: @\n---\nb: `\n";
    assert!(sentence(broken).starts_with("shop/web.yaml:15001: "));
}

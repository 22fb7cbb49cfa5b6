//! What is wrong with texts that mean nothing, and where. What the others mean is held against
//! Python's own reading in `tests/scheduling/test_expressions.py`.

use super::Program;

fn number(text: &str) -> String {
    Program::number(text).map_or_else(|error| error.to_string(), |_| "fine".to_owned())
}

fn condition(text: &str) -> String {
    Program::condition(text).map_or_else(|error| error.to_string(), |_| "fine".to_owned())
}

#[test]
fn an_expression_that_means_something_is_taken() {
    for text in [
        "100 - 100 * node.requested.cpu / node.allocatable.cpu",
        "min(node.free.cpu_milli, 500m, 4Gi) // 3 % 7",
        "node.free['nvidia.com/gpu'] * 10",
        "10 if node.labels['tier'] == 'gold' else -5 + abs(pod.priority)",
        "(node.pods < 3) * 100",
        "float_is_no_name if False else 1",
    ] {
        let wanted = if text.starts_with("float") { "unknown name" } else { "fine" };
        assert!(number(text).contains(wanted), "{text}: {}", number(text));
    }
    for text in [
        "node.labels['tier'] == 'gold' or pod.priority > 10",
        "not node.unschedulable and 'gpu' not in node.labels",
        "0 < node.labels.get('price', 3) <= 4.5",
        "node.labels['zone'] in ['a', 'b'] and pod.annotations['x'] != pod.labels['y']",
        "pod.namespace == 'default' and node.name != pod.name",
    ] {
        assert_eq!(condition(text), "fine", "{text}");
    }
}

#[test]
fn an_expression_that_means_nothing_says_where_it_goes_wrong() {
    let cases = [
        ("", "column 1: the expression is empty"),
        ("1 +", "column 4: the expression is not finished"),
        ("(1 + 2", "column 7: \")\" is missing"),
        ("1 2", "column 3: the expression is over before this"),
        ("node.free.cpu = 3", "column 15: to compare, write =="),
        ("3Qi", "column 1: \"3Qi\" is no quantity"),
        ("'abc", "column 1: the text has no end"),
        ("1 ; 2", "column 3: ';' has no meaning here"),
        ("nod.free.cpu", "column 1: unknown name \"nod\": there are node and pod"),
        ("1 + node.free", "column 5: of what? For example node.free.cpu"),
        ("node.labels + 1", "column 1: a key is missing: labels['key']"),
        ("'a' + 1", "column 1: a number is needed here"),
        ("1 + pod.name", "column 5: a number is needed here"),
        ("node.labels.rack", "column 1: labels have a key in quotes: labels['key']"),
        ("sum(1, 2)", "column 1: no function \"sum\": there are min, max, abs, floor and ceil"),
        ("min(1)", "column 5: min takes two numbers or more"),
        ("2 ** 3", "column 3: there are no powers: multiply"),
        ("1 if node.pods < 3", "column 19: \"else\" is missing"),
        ("1 if node.pods == 'a' else 2", "column 6: a number and a text are never equal"),
        ("1 if 'é' == node.pods else 2", "column 6: a number and a text are never equal"),
        ("node.labels.pop('x')", "column 1: labels have get(), and no pop()"),
    ];
    for (text, wanted) in cases {
        assert_eq!(number(text), wanted, "{text}");
    }
    assert_eq!(
        condition("node.pods"),
        "column 1: a condition is needed here: compare it with something"
    );
    assert_eq!(
        condition("(node.pods < 3) == True"),
        "column 2: truth values are not compared: use and, or, not"
    );
    let of_node = Program::pod_condition("pod.priority > 0 and node.pods < 3").unwrap_err();
    assert_eq!(of_node.column, 22);
}

#[test]
fn an_expression_of_any_depth_is_taken_or_refused() {
    let deep = format!("{}1{}", "(".repeat(5000), ")".repeat(5000));
    assert!(number(&deep).contains("more than 500 words"));
    let deep = format!("{}1{}", "(".repeat(150), ")".repeat(150));
    assert!(number(&deep).contains("nested too deep"));
    assert_eq!(number(&["1"; 240].join(" + ")), "fine");
    assert_eq!(condition(&format!("{} node.pods < 3", "not ".repeat(400))), "fine");
}

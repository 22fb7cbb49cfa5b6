//! Recorded answers of Kubernetes, and laws that hold for any amount.

use proptest::prelude::*;

use super::{Format, Quantity, QuantityError};
use crate::base::Value;

const PARSED: &str = include_str!("../../../tests/golden/quantity-parse.tsv");
const PAIRS: &str = include_str!("../../../tests/golden/quantity-pairs.tsv");

fn format_named(letter: &str) -> Format {
    match letter {
        "d" => Format::DecimalSi,
        "b" => Format::BinarySi,
        "e" => Format::DecimalExponent,
        _ => panic!("unknown format {letter}"),
    }
}

fn rows(table: &str) -> impl Iterator<Item = Vec<&str>> {
    table.lines().skip(1).map(|line| line.split('\t').collect())
}

fn quantity(text: &str) -> Quantity {
    Quantity::parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

#[test]
fn reads_and_prints_what_kubernetes_does() {
    let mut read = 0;
    for row in rows(PARSED) {
        let expected = match row[..] {
            [_, "format"] => Err(QuantityError::Format),
            [_, "suffix"] => Err(QuantityError::Suffix),
            [_, "numeric"] => Err(QuantityError::Numeric),
            [_, text, ..] => Ok(text.to_owned()),
            _ => panic!("a row of {} fields", row.len()),
        };
        assert_eq!(Quantity::normalize(row[0]), expected, "{:?}", row[0]);
        let [_, text, canonical, format, value, milli, size] = row[..] else { continue };
        let quantity = quantity(row[0]);
        let canonical = if canonical.is_empty() { text } else { canonical };
        let ours =
            (quantity.to_string(), quantity.format, quantity.wide, quantity.value().to_string());
        let theirs = (canonical.to_owned(), format_named(format), size == "w", value.to_owned());
        assert_eq!(ours, theirs, "{:?}", row[0]);
        assert_eq!(quantity.milli_value().to_string(), milli, "{:?}", row[0]);
        read += 1;
    }
    assert!(read > 1_000, "only {read} rows were read");
}

#[test]
fn compares_adds_and_subtracts_as_kubernetes_does() {
    for row in rows(PAIRS) {
        let [a, b, order, sum, sum_value, sum_size, difference, value, size] = row[..] else {
            panic!("a row of {} fields", row.len());
        };
        let pair = (quantity(a), quantity(b));
        assert_eq!((pair.0.cmp(&pair.1) as i8).to_string(), order, "{a} <=> {b}");
        let check = |result: Quantity, text: &str, value: &str, size: &str, what: &str| {
            let ours = (result.to_string(), result.value().to_string(), result.wide);
            assert_eq!(ours, (text.to_owned(), value.to_owned(), size == "w"), "{a} {what} {b}");
        };
        check(pair.0 + pair.1, sum, sum_value, sum_size, "+");
        check(pair.0 - pair.1, difference, value, size, "-");
    }
}

#[test]
fn takes_numbers_where_a_document_has_them() {
    let read = |json: &str| Quantity::normalize_value(&Value::from_json(json).unwrap());
    for (json, text) in [
        ("2", "2"),
        ("0.5", "500m"),
        ("1e21", "1e+21"),
        ("128974848", "128974848"),
        ("null", "0"),
        ("\" 1.50Gi \"", "1536Mi"),
    ] {
        assert_eq!(read(json).as_deref(), Ok(text), "{json}");
    }
    for json in ["true", "{}", "[]", "\"1\\n\"", "\"\"", "\"1Gb\""] {
        assert_eq!(read(json), Err(QuantityError::Format), "{json}");
    }
}

#[test]
fn amounts_past_38_digits_keep_their_size() {
    let nines = quantity(&"9".repeat(45));
    assert_eq!(nines, quantity("1e45"));
    assert!(nines > quantity("9e44") && -nines < quantity("-9e44"));
    assert_eq!(quantity("1e2000000000") + quantity("1"), quantity("1e2000000000") + quantity("7"));
    assert!(quantity("1e2000000000") + quantity("1") > quantity("1e2000000000"));
}

#[test]
fn whole_amounts_are_offered_as_integers() {
    assert_eq!(quantity("2").as_i64(), Some(2));
    assert_eq!(quantity("3k").as_i64(), Some(3000));
    assert_eq!(quantity("4Gi").as_i64(), Some(4 << 30));
    assert_eq!(quantity("500m").as_i64(), None);
    assert!((quantity("1.5Gi").to_f64() - 1_610_612_736.0).abs() < f64::EPSILON);
}

fn any_quantity() -> impl Strategy<Value = String> {
    let suffix = prop::sample::select(vec![
        "", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei", "e3",
        "e-7", "E11",
    ]);
    ("[+-]?[0-9]{1,9}(\\.[0-9]{0,12})?", suffix).prop_map(|(number, suffix)| number + suffix)
}

proptest! {
    #[test]
    fn what_is_printed_reads_back_as_the_same_amount(text in any_quantity()) {
        // Past `E`, Kubernetes prints no suffix, so only smaller amounts can read back.
        let amount = quantity(&text);
        prop_assume!(amount.format == Format::DecimalExponent || amount < quantity("1e21"));
        prop_assume!(amount.format == Format::DecimalExponent || -amount < quantity("1e21"));
        let printed = amount.to_string();
        prop_assert_eq!(quantity(&printed), amount);
        prop_assert_eq!(quantity(&printed).to_string(), printed);
    }

    #[test]
    fn sums_are_exact_and_ordered(a in any_quantity(), b in any_quantity()) {
        let (a, b) = (quantity(&a), quantity(&b));
        prop_assert_eq!(a + b - b, a);
        prop_assert_eq!(a + b, b + a);
        prop_assert_eq!(a < b, (a - b).sign() < 0);
        prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
        let bytes = postcard::to_stdvec(&a).unwrap();
        prop_assert_eq!(postcard::from_bytes::<Quantity>(&bytes).unwrap(), a);
    }

    #[test]
    fn any_text_is_read_or_refused_without_a_panic(text in "[-+.0-9a-zA-Z é]{0,60}") {
        let _ = Quantity::normalize(&text);
    }
}

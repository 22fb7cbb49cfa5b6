//! The order of keys: numbers within them by size, letters behind everything else.

use crate::base::{Map, Value};

/// The pairs of a map as the YAML printer orders them.
///
/// The order is not transitive (`a9 < a10 < a1b < a9`), so where kubectl itself is not sure the
/// result is only the same every time. The standard sort may panic on such an order.
pub(super) fn natural_order(map: &Map) -> Vec<(&str, &Value)> {
    let mut pairs: Vec<_> = map.iter().collect();
    if !pairs.is_sorted_by(|a, b| is_less(a.0, b.0)) {
        merge_sort(&mut pairs);
    }
    pairs
}

fn merge_sort(pairs: &mut Vec<(&str, &Value)>) {
    let mut width = 1;
    while width < pairs.len() {
        let mut merged = Vec::with_capacity(pairs.len());
        for run in pairs.chunks(2 * width) {
            let (mut left, mut right) = run.split_at(width.min(run.len()));
            while let ([first_left, rest_left @ ..], [first_right, rest_right @ ..]) = (left, right)
            {
                if is_less(first_right.0, first_left.0) {
                    merged.push(*first_right);
                    right = rest_right;
                } else {
                    merged.push(*first_left);
                    left = rest_left;
                }
            }
            merged.extend_from_slice(left);
            merged.extend_from_slice(right);
        }
        *pairs = merged;
        width *= 2;
    }
}

/// Whether key `a` comes before key `b`.
fn is_less(a: &str, b: &str) -> bool {
    let same = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    let at = a.floor_char_boundary(same);
    let (before, rest_a, rest_b) = (&a[..at], &a[at..], &b[at..]);
    let (Some(next_a), Some(next_b)) = (rest_a.chars().next(), rest_b.chars().next()) else {
        return rest_a.len() < rest_b.len();
    };
    match (next_a.is_alphabetic(), next_b.is_alphabetic()) {
        (true, true) => return next_a < next_b,
        (true, false) => return false,
        (false, true) => return true,
        (false, false) => {}
    }
    // A zero within a number counts as a digit of it, a leading zero does not.
    let inside_number = (next_a == '0' || next_b == '0')
        && before.bytes().rev().take_while(u8::is_ascii_digit).any(|digit| digit != b'0');
    let start = i64::from(inside_number);
    let (number_a, length_a) = leading_number(rest_a, start);
    let (number_b, length_b) = leading_number(rest_b, start);
    if number_a != number_b {
        return number_a < number_b;
    }
    if length_a != length_b {
        return length_a < length_b;
    }
    next_a < next_b
}

/// The digits a text begins with, read behind `start`, and how many there are.
fn leading_number(text: &str, start: i64) -> (i64, usize) {
    let digits = text.bytes().take_while(u8::is_ascii_digit);
    digits.fold((start, 0), |(number, length), digit| {
        (number.wrapping_mul(10).wrapping_add(i64::from(digit - b'0')), length + 1)
    })
}

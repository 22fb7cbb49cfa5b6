//! Unified diffs as Python's difflib and its Go port write them: what the API server appends
//! when a write changes what cannot change.

use std::fmt::Write;
use std::ops::Range;

use crate::base::FastMap;

/// Lines shown around a change.
const CONTEXT: usize = 3;

/// The unified diff of two texts, without file names; empty when they are equal.
pub(super) fn unified(old: &str, new: &str) -> String {
    let (a, b) = (lines(old), lines(new));
    let mut out = String::new();
    for group in groups(&opcodes(&a, &b)) {
        write_group(&mut out, &group, &a, &b);
    }
    out
}

/// A part of both texts and whether it is the same.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Part {
    same: bool,
    a: Range<usize>,
    b: Range<usize>,
}

/// Every line with its end; the Go port ends the last line too.
fn lines(text: &str) -> Vec<String> {
    text.split('\n').map(|line| format!("{line}\n")).collect()
}

fn write_group(out: &mut String, group: &[Part], a: &[String], b: &[String]) {
    let (Some(first), Some(last)) = (group.first(), group.last()) else { return };
    let before = range_text(first.a.start..last.a.end);
    let after = range_text(first.b.start..last.b.end);
    let _ = writeln!(out, "@@ -{before} +{after} @@");
    for part in group {
        if part.same {
            push_lines(out, ' ', &a[part.a.clone()]);
        } else {
            push_lines(out, '-', &a[part.a.clone()]);
            push_lines(out, '+', &b[part.b.clone()]);
        }
    }
}

fn push_lines(out: &mut String, mark: char, lines: &[String]) {
    for line in lines {
        out.push(mark);
        out.push_str(line);
    }
}

fn range_text(range: Range<usize>) -> String {
    match range.len() {
        0 => format!("{},0", range.start),
        1 => (range.start + 1).to_string(),
        len => format!("{},{len}", range.start + 1),
    }
}

/// Groups of parts with up to three equal lines around each change.
fn groups(parts: &[Part]) -> Vec<Vec<Part>> {
    let mut parts = parts.to_vec();
    if let Some(first) = parts.first_mut().filter(|part| part.same) {
        first.a.start = first.a.start.max(first.a.end.saturating_sub(CONTEXT));
        first.b.start = first.b.start.max(first.b.end.saturating_sub(CONTEXT));
    }
    if let Some(last) = parts.last_mut().filter(|part| part.same) {
        last.a.end = last.a.end.min(last.a.start + CONTEXT);
        last.b.end = last.b.end.min(last.b.start + CONTEXT);
    }
    let mut groups = Vec::new();
    let mut group = Vec::new();
    for part in parts {
        if part.same && part.a.len() > 2 * CONTEXT {
            let (a, b) = (part.a.start, part.b.start);
            group.push(Part { same: true, a: a..a + CONTEXT, b: b..b + CONTEXT });
            groups.push(std::mem::take(&mut group));
            let (a, b) = (part.a.end, part.b.end);
            group.push(Part { same: true, a: a - CONTEXT..a, b: b - CONTEXT..b });
        } else {
            group.push(part);
        }
    }
    groups.push(group);
    groups.retain(|group| group.iter().any(|part| !part.same));
    groups
}

/// Equal and unequal parts in turn.
fn opcodes(a: &[String], b: &[String]) -> Vec<Part> {
    let mut matches = Vec::new();
    find_matches(a, b, 0..a.len(), 0..b.len(), &popular(b), &mut matches);
    matches.push((a.len(), b.len(), 0));
    let mut parts: Vec<Part> = Vec::new();
    let (mut i, mut j) = (0, 0);
    for (at_a, at_b, len) in matches {
        if i < at_a || j < at_b {
            parts.push(Part { same: false, a: i..at_a, b: j..at_b });
        }
        if len > 0 {
            // Neighbouring matches are one.
            match parts.last_mut().filter(|part| part.same && part.a.end == at_a) {
                Some(part) => {
                    part.a.end += len;
                    part.b.end += len;
                }
                None => parts.push(Part { same: true, a: at_a..at_a + len, b: at_b..at_b + len }),
            }
        }
        (i, j) = (at_a + len, at_b + len);
    }
    parts
}

/// Where each line of `b` stands; lines that make up more than a hundredth of a long text are
/// left out, as difflib does.
fn popular(b: &[String]) -> FastMap<&str, Vec<usize>> {
    let mut places: FastMap<&str, Vec<usize>> = FastMap::new();
    for (at, line) in b.iter().enumerate() {
        places.get_or_insert_with(line, Vec::new).push(at);
    }
    if b.len() >= 200 {
        let most = b.len() / 100 + 1;
        for line in b {
            if places.get(line.as_str()).is_some_and(|at| at.len() > most) {
                places.remove(line.as_str());
            }
        }
    }
    places
}

fn find_matches(
    a: &[String],
    b: &[String],
    in_a: Range<usize>,
    in_b: Range<usize>,
    places: &FastMap<&str, Vec<usize>>,
    out: &mut Vec<(usize, usize, usize)>,
) {
    let (i, j, len) = longest(a, b, &in_a, &in_b, places);
    if len == 0 {
        return;
    }
    find_matches(a, b, in_a.start..i, in_b.start..j, places, out);
    out.push((i, j, len));
    find_matches(a, b, i + len..in_a.end, j + len..in_b.end, places, out);
}

/// The longest common run of lines, the earliest in `a` and then in `b` among equals.
fn longest(
    a: &[String],
    b: &[String],
    in_a: &Range<usize>,
    in_b: &Range<usize>,
    places: &FastMap<&str, Vec<usize>>,
) -> (usize, usize, usize) {
    let (mut best_i, mut best_j, mut best) = (in_a.start, in_b.start, 0);
    let mut lengths = vec![0_usize; in_b.len() + 1];
    for i in in_a.clone() {
        let mut next = vec![0_usize; in_b.len() + 1];
        for &j in places.get(a[i].as_str()).into_iter().flatten() {
            if !in_b.contains(&j) {
                continue;
            }
            let length = lengths[j - in_b.start] + 1;
            next[j - in_b.start + 1] = length;
            if length > best {
                (best_i, best_j, best) = (i + 1 - length, j + 1 - length, length);
            }
        }
        lengths = next;
    }
    // Grow over the lines that were left out as too common.
    while best_i > in_a.start && best_j > in_b.start && a[best_i - 1] == b[best_j - 1] {
        (best_i, best_j, best) = (best_i - 1, best_j - 1, best + 1);
    }
    while best_i + best < in_a.end
        && best_j + best < in_b.end
        && a[best_i + best] == b[best_j + best]
    {
        best += 1;
    }
    (best_i, best_j, best)
}

#[cfg(test)]
mod tests {
    use super::unified;

    #[test]
    fn equal_texts_have_no_diff() {
        assert_eq!(unified("a\nb", "a\nb"), "");
    }

    #[test]
    fn a_change_shows_with_three_lines_around_it() {
        let old = "1\n2\n3\n4\n5\n6\n7\n8\n9";
        let new = "1\n2\n3\n4\nfive\n6\n7\n8\n9";
        let shown = "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n";
        assert_eq!(unified(old, new), shown);
    }

    #[test]
    fn distant_changes_stand_in_hunks_of_their_own() {
        let old: Vec<String> = (0..30).map(|n| n.to_string()).collect();
        let mut new = old.clone();
        new[2] = "two".into();
        new.remove(25);
        let diff = unified(&old.join("\n"), &new.join("\n"));
        assert_eq!(diff.matches("@@ -").count(), 2);
        assert!(diff.contains("@@ -1,6 +1,6 @@\n 0\n 1\n-2\n+two\n"));
        assert!(diff.contains("@@ -23,7 +23,6 @@\n"));
    }
}

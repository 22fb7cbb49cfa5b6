//! Which styles a string allows, and which of them is taken.

use crate::manifest::resolve::needs_quotes;

/// How a string is printed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Style {
    Plain,
    SingleQuoted,
    DoubleQuoted,
    Literal,
}

/// The longest key that is printed as `key: value`, in bytes.
const SIMPLE_KEY_BYTES: usize = 128;

/// Whether a key can stand in front of its colon on one line.
pub(super) fn is_simple_key(key: &str) -> bool {
    key.len() <= SIMPLE_KEY_BYTES && !key.contains(is_break)
}

/// The style of a string; `is_key` if it stands in front of a colon.
pub(super) fn style(text: &str, is_key: bool) -> Style {
    let needs_quotes = needs_quotes(text);
    if !needs_quotes && is_harmless(text) {
        return Style::Plain;
    }
    let allowed = Allowed::of(text);
    if text.contains('\n') && !is_key {
        return if allowed.literal { Style::Literal } else { Style::DoubleQuoted };
    }
    if needs_quotes {
        return Style::DoubleQuoted;
    }
    match allowed {
        Allowed { plain: true, .. } => Style::Plain,
        Allowed { single_quoted: true, .. } => Style::SingleQuoted,
        _ => Style::DoubleQuoted,
    }
}

/// The quick answer for names, images, quantities and versions.
fn is_harmless(text: &str) -> bool {
    text.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric)
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte))
}

/// The styles that bring a string back unchanged.
struct Allowed {
    plain: bool,
    single_quoted: bool,
    literal: bool,
}

impl Allowed {
    fn of(text: &str) -> Self {
        let mut plain = !text.starts_with("---") && !text.starts_with("...");
        let mut special = false;
        let mut space_then_break = false;
        let mut break_then_space = false;
        let mut before = None;
        let mut symbols = text.chars().peekable();
        while let Some(symbol) = symbols.next() {
            let ends_word = symbols.peek().is_none_or(|next| matches!(next, ' ' | '\t'));
            let starts_word = before.is_none_or(|before| is_break(before) || is_blank(before));
            plain &= !is_indicator(symbol, before.is_none(), starts_word, ends_word);
            plain &= !is_break(symbol);
            special |= !is_printable(symbol);
            space_then_break |= before == Some(' ') && is_break(symbol);
            break_then_space |= before.is_some_and(is_break) && symbol == ' ';
            before = Some(symbol);
        }
        let spaced = text.starts_with(' ') || text.ends_with(' ');
        let single_quoted = !break_then_space && !space_then_break && !special;
        Self {
            plain: plain && !spaced && single_quoted,
            single_quoted,
            literal: !text.is_empty() && !text.ends_with(' ') && !space_then_break && !special,
        }
    }
}

/// Whether a character would mean something in a plain scalar.
fn is_indicator(symbol: char, first: bool, starts_word: bool, ends_word: bool) -> bool {
    match symbol {
        '#' => first || starts_word,
        ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@'
        | '`' => first,
        ':' => ends_word,
        '?' | '-' => first && ends_word,
        _ => false,
    }
}

fn is_blank(symbol: char) -> bool {
    matches!(symbol, ' ' | '\t')
}

/// Whether a character is one of YAML 1.1's line breaks.
pub(super) fn is_break(symbol: char) -> bool {
    matches!(symbol, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Whether the printer shows a character as itself. Nothing beyond 16 bits is.
pub(super) fn is_printable(symbol: char) -> bool {
    matches!(symbol, '\n' | ' '..='~' | '\u{a0}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}')
}

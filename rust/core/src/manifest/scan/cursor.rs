//! The place in the text: offset, line and column, and what kind of character stands there.
//!
//! YAML 1.1 counts columns in characters and knows five line breaks (LF, CR, CRLF, NEL, LS and
//! PS being multi-byte); text is UTF-8, so most loops look at single bytes and consult the
//! table below to find the few that need a closer look.

/// The character may end a run: a blank, a line break or the first byte of one.
const GAP: u8 = 1;
/// A colon.
const COLON: u8 = 2;
/// One of `, ? [ ] { }`, which end a plain scalar inside brackets.
const FLOW: u8 = 4;
/// A line break or the first byte of one.
const BREAK: u8 = 8;

static CLASS: [u8; 256] = {
    let mut class = [0; 256];
    class[b' ' as usize] = GAP;
    class[b'\t' as usize] = GAP;
    class[b'\n' as usize] = GAP | BREAK;
    class[b'\r' as usize] = GAP | BREAK;
    class[0xC2] = GAP | BREAK; // U+0085 is C2 85
    class[0xE2] = GAP | BREAK; // U+2028 and U+2029 are E2 80 A8 and E2 80 A9
    class[b':' as usize] = COLON;
    let mut at = 0;
    let flow = b",?[]{}";
    while at < flow.len() {
        class[flow[at] as usize] = FLOW;
        at += 1;
    }
    class
};

#[derive(Clone)]
pub(super) struct Cursor<'a> {
    pub text: &'a str,
    /// Byte offset into `text`.
    pub offset: usize,
    /// Lines passed, counted from 0.
    pub line: u32,
    /// Where the line would have started if every character on it so far had one byte.
    line_start: usize,
}

impl<'a> Cursor<'a> {
    pub fn new(text: &'a str) -> Self {
        Self { text, offset: 0, line: 0, line_start: 0 }
    }

    /// The byte `ahead` of the cursor; 0 behind the end.
    #[inline]
    pub fn byte(&self, ahead: usize) -> u8 {
        self.text.as_bytes().get(self.offset + ahead).copied().unwrap_or(0)
    }

    #[inline]
    pub fn at_end(&self) -> bool {
        self.offset >= self.text.len()
    }

    #[inline]
    pub fn column(&self) -> usize {
        self.offset - self.line_start
    }

    /// Bytes of the line break that stands `ahead` of the cursor; 0 if none does.
    #[inline]
    pub fn break_len(&self, ahead: usize) -> usize {
        break_len(self.text.as_bytes(), self.offset + ahead)
    }

    #[inline]
    pub fn is_blank(&self, ahead: usize) -> bool {
        matches!(self.byte(ahead), b' ' | b'\t')
    }

    /// Whether a blank, a line break or the end stands `ahead`.
    #[inline]
    pub fn is_gap(&self, ahead: usize) -> bool {
        is_gap(self.text.as_bytes(), self.offset + ahead)
    }

    /// Whether `---` or `...` stands here as a document marker.
    pub fn at_document_marker(&self) -> bool {
        self.column() == 0
            && matches!(
                self.text.as_bytes().get(self.offset..self.offset + 3),
                Some(b"---" | b"...")
            )
            && self.is_gap(3)
    }

    /// Moves over `count` ASCII characters that are no line breaks.
    #[inline]
    pub fn bump(&mut self, count: usize) {
        self.offset += count;
    }

    /// Moves to `offset` on the same line, over characters of any width.
    #[inline]
    pub fn advance_to(&mut self, offset: usize) {
        let passed = &self.text.as_bytes()[self.offset..offset];
        if !passed.is_ascii() {
            self.line_start += passed.iter().filter(|byte| **byte & 0xC0 == 0x80).count();
        }
        self.offset = offset;
    }

    /// Moves over the line break here and returns what it counts as in a scalar: LF, or the
    /// separator itself for LS and PS. Without a line break nothing moves.
    pub fn take_break(&mut self) -> &'a str {
        let length = self.break_len(0);
        if length == 0 {
            return "";
        }
        let wide = self.byte(0) == 0xE2;
        let kept = if wide { &self.text[self.offset..self.offset + length] } else { "\n" };
        self.offset += length;
        self.line += 1;
        self.line_start = self.offset;
        kept
    }

    /// Moves over blanks.
    pub fn skip_blanks(&mut self) {
        while self.is_blank(0) {
            self.offset += 1;
        }
    }

    /// Moves to the end of the line.
    pub fn skip_line(&mut self) {
        self.advance_to(self.line_end());
    }

    /// Offset of the line break that ends this line, or of the end.
    pub fn line_end(&self) -> usize {
        let bytes = self.text.as_bytes();
        let mut at = self.offset;
        while let Some(&byte) = bytes.get(at) {
            if CLASS[byte as usize] & BREAK != 0 && break_len(bytes, at) > 0 {
                break;
            }
            at += 1;
        }
        at
    }

    /// Offset of the first character from `from` on that ends a run of plain characters.
    #[inline]
    pub fn plain_run_end(&self, from: usize, in_flow: bool) -> usize {
        let bytes = self.text.as_bytes();
        let stop = if in_flow { GAP | COLON | FLOW } else { GAP | COLON };
        let mut at = from;
        while let Some(&byte) = bytes.get(at) {
            let class = CLASS[byte as usize] & stop;
            if class != 0 {
                let ends = match byte {
                    b':' => is_gap(bytes, at + 1),
                    0xC2 | 0xE2 => break_len(bytes, at) > 0,
                    _ => true,
                };
                if ends {
                    break;
                }
            }
            at += 1;
        }
        at
    }

    /// Offset of the next gap, backslash or `quote`.
    pub fn quoted_run_end(&self, quote: u8) -> usize {
        let bytes = self.text.as_bytes();
        let mut at = self.offset;
        while let Some(&byte) = bytes.get(at) {
            if byte == quote || byte == b'\\' && at > self.offset {
                break;
            }
            if CLASS[byte as usize] & GAP != 0 && is_gap(bytes, at) {
                break;
            }
            at += 1;
        }
        at
    }

    /// Whether the `wanted` bytes ahead are hexadecimal digits; their value if so.
    pub fn hexadecimal(&self, wanted: usize) -> Option<u32> {
        let digits = self.text.as_bytes().get(self.offset..self.offset + wanted)?;
        digits
            .iter()
            .try_fold(0u32, |value, byte| Some((value << 4) | char::from(*byte).to_digit(16)?))
    }
}

fn break_len(bytes: &[u8], at: usize) -> usize {
    match bytes.get(at) {
        Some(b'\n') => 1,
        // kubectl turns CRLF into LF before it parses, so a CR in front of that belongs to it.
        Some(b'\r') => match (bytes.get(at + 1), bytes.get(at + 2)) {
            (Some(b'\n'), _) => 2,
            (Some(b'\r'), Some(b'\n')) => 3,
            _ => 1,
        },
        Some(0xC2) => 2 * usize::from(bytes.get(at + 1) == Some(&0x85)),
        Some(0xE2) => {
            let rest = bytes.get(at + 1..at + 3);
            3 * usize::from(matches!(rest, Some([0x80, 0xA8 | 0xA9])))
        }
        _ => 0,
    }
}

fn is_gap(bytes: &[u8], at: usize) -> bool {
    match bytes.get(at) {
        None => true,
        Some(byte) if CLASS[*byte as usize] & GAP == 0 => false,
        Some(b' ' | b'\t') => true,
        Some(_) => break_len(bytes, at) > 0,
    }
}

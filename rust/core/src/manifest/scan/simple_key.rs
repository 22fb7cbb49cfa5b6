//! Keys without `?`: where one may have begun, and until when that stays open.

use super::Scanner;
use crate::manifest::error::{Parsed, Problem};

/// The furthest a `:` may stand behind the start of its key, in characters.
pub(super) const SIMPLE_KEY_CHARS: usize = 1024;

/// A place where a key without `?` may have begun.
#[derive(Clone, Copy)]
pub(super) struct SimpleKey {
    pub possible: bool,
    /// Whether tokens wait in the queue because of it.
    pub awaited: bool,
    /// In a block mapping nothing but a key can start at the mapping's own column.
    required: bool,
    /// Number of the token, counted over the whole text.
    pub token: usize,
    offset: usize,
    pub line: u32,
    pub column: usize,
}

impl Scanner<'_> {
    pub(super) fn first_may_be_key(&mut self) -> Parsed<bool> {
        // Deeper levels hold later tokens, so the list is sorted by token number.
        let first = self.keys.partition_point(|key| key.token < self.taken);
        for level in first..self.keys.len() {
            if self.keys[level].token > self.taken {
                break;
            }
            if self.keys[level].awaited {
                return self.key_still_possible(level);
            }
        }
        Ok(false)
    }

    /// Remembers that a simple key may begin here.
    pub(super) fn save_key(&mut self) -> Parsed<()> {
        if !self.key_allowed {
            return Ok(());
        }
        self.drop_key()?;
        let column = self.at.column();
        *self.keys.last_mut().expect("one level at least") = SimpleKey {
            possible: true,
            awaited: true,
            required: self.keys.len() == 1 && self.indent == column as isize,
            token: self.taken + self.queue.len(),
            offset: self.at.offset,
            line: self.at.line,
            column,
        };
        Ok(())
    }

    /// Forgets the candidate of this level; an error if it had to be a key.
    pub(super) fn drop_key(&mut self) -> Parsed<()> {
        let key = self.keys.last_mut().expect("one level at least");
        if key.possible && key.required {
            return Err(Problem::new(key.line, "could not find expected ':'"));
        }
        key.possible = false;
        key.awaited = false;
        Ok(())
    }

    /// Whether the `:` may still come: same line, and not too far away.
    pub(super) fn key_still_possible(&mut self, level: usize) -> Parsed<bool> {
        let key = &mut self.keys[level];
        let text = self.at.text;
        let valid = key.line == self.at.line
            && (self.at.offset - key.offset <= SIMPLE_KEY_CHARS
                || text[key.offset..self.at.offset].chars().count() <= SIMPLE_KEY_CHARS);
        if !valid {
            if key.required {
                return Err(Problem::new(key.line, "could not find expected ':'"));
            }
            key.possible = false;
            key.awaited = false;
        }
        Ok(valid)
    }

    pub(super) fn push_key_level(&mut self) {
        self.keys.push(SimpleKey {
            possible: false,
            awaited: false,
            required: false,
            token: self.next_number(),
            offset: 0,
            line: 0,
            column: 0,
        });
    }
}

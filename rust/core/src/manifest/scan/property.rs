//! Anchors, aliases, tags and the two directives.

use super::{Scanner, Tag, TokenKind};
use crate::manifest::error::Parsed;

impl<'a> Scanner<'a> {
    /// `&name` or `*name`.
    pub(super) fn scan_anchor(&mut self, indicator: u8) -> Parsed<TokenKind<'a>> {
        self.at.bump(1);
        let name = self.scan_word();
        let ends = self.at.is_gap(0)
            || matches!(self.at.byte(0), b'?' | b':' | b',' | b']' | b'}' | b'%' | b'@' | b'`');
        if name.is_empty() || !ends {
            return Err(self.problem("did not find expected alphabetic or numeric character"));
        }
        Ok(if indicator == b'*' { TokenKind::Alias(name) } else { TokenKind::Anchor(name) })
    }

    /// `!suffix`, `!handle!suffix`, `!<uri>` or a lone `!`.
    pub(super) fn scan_tag(&mut self) -> Parsed<TokenKind<'a>> {
        let tag = if self.at.byte(1) == b'<' {
            self.at.bump(2);
            let suffix = self.scan_tag_uri("")?;
            if self.at.byte(0) != b'>' {
                return Err(self.problem("did not find the expected '>'"));
            }
            self.at.bump(1);
            Tag { handle: String::new(), suffix }
        } else {
            let handle = self.scan_tag_handle(false)?;
            if handle.len() > 1 && handle.ends_with('!') {
                Tag { handle: handle.into(), suffix: self.scan_tag_uri("")? }
            } else {
                let suffix = self.scan_tag_uri(handle)?;
                if suffix.is_empty() {
                    Tag { handle: String::new(), suffix: "!".into() }
                } else {
                    Tag { handle: "!".into(), suffix }
                }
            }
        };
        if !self.at.is_gap(0) {
            return Err(self.problem("did not find expected whitespace or line break"));
        }
        Ok(TokenKind::Tag(Box::new(tag)))
    }

    /// `%YAML 1.1` or `%TAG handle prefix`, to the end of the line.
    pub(super) fn scan_directive(&mut self) -> Parsed<TokenKind<'a>> {
        self.at.bump(1);
        let name = self.scan_word();
        if name.is_empty() {
            return Err(self.problem("could not find expected directive name"));
        }
        if !self.at.is_gap(0) {
            return Err(self.problem("found unexpected non-alphabetical character"));
        }
        let kind = match name {
            "YAML" => self.scan_version()?,
            "TAG" => self.scan_tag_directive()?,
            _ => return Err(self.problem("found unknown directive name")),
        };
        self.at.skip_blanks();
        if self.at.byte(0) == b'#' {
            self.at.skip_line();
        }
        if !self.at.at_end() && self.at.break_len(0) == 0 {
            return Err(self.problem("did not find expected comment or line break"));
        }
        self.at.take_break();
        Ok(kind)
    }

    fn scan_version(&mut self) -> Parsed<TokenKind<'a>> {
        self.at.skip_blanks();
        let major = self.scan_version_number()?;
        if self.at.byte(0) != b'.' {
            return Err(self.problem("did not find expected digit or '.' character"));
        }
        self.at.bump(1);
        Ok(TokenKind::VersionDirective { major, minor: self.scan_version_number()? })
    }

    fn scan_version_number(&mut self) -> Parsed<u8> {
        let from = self.at.offset;
        while self.at.byte(0).is_ascii_digit() {
            self.at.bump(1);
        }
        let digits = &self.at.text[from..self.at.offset];
        match digits.len() {
            0 => Err(self.problem("did not find expected version number")),
            1 | 2 => Ok(digits.parse().expect("two digits fit")),
            _ => Err(self.problem("found extremely long version number")),
        }
    }

    fn scan_tag_directive(&mut self) -> Parsed<TokenKind<'a>> {
        self.at.skip_blanks();
        let handle = self.scan_tag_handle(true)?.into();
        if !self.at.is_blank(0) {
            return Err(self.problem("did not find expected whitespace"));
        }
        self.at.skip_blanks();
        let suffix = self.scan_tag_uri("")?;
        if !self.at.is_gap(0) {
            return Err(self.problem("did not find expected whitespace or line break"));
        }
        Ok(TokenKind::TagDirective(Box::new(Tag { handle, suffix })))
    }

    /// `!`, `!word` or `!word!`; a directive allows only the first and the last.
    fn scan_tag_handle(&mut self, directive: bool) -> Parsed<&'a str> {
        let from = self.at.offset;
        if self.at.byte(0) != b'!' {
            return Err(self.problem("did not find expected '!'"));
        }
        self.at.bump(1);
        self.scan_word();
        if self.at.byte(0) == b'!' {
            self.at.bump(1);
        } else if directive && self.at.offset - from > 1 {
            return Err(self.problem("did not find expected '!'"));
        }
        Ok(&self.at.text[from..self.at.offset])
    }

    /// The characters of a URI, `%` escapes decoded, behind what `head` already holds of it;
    /// the `!` of the head is not part of the URI.
    fn scan_tag_uri(&mut self, head: &str) -> Parsed<String> {
        let mut uri = head.get(1..).unwrap_or_default().to_owned();
        let from = self.at.offset;
        loop {
            match self.at.byte(0) {
                b'%' => uri.push(self.scan_uri_escape()?),
                byte if is_word(byte) || b";/?:@&=+$,.!~*'()[]".contains(&byte) => {
                    uri.push(char::from(byte));
                    self.at.bump(1);
                }
                _ => break,
            }
        }
        if head.is_empty() && self.at.offset == from {
            return Err(self.problem("did not find expected tag URI"));
        }
        Ok(uri)
    }

    /// One UTF-8 character, each byte written as `%` and two digits.
    fn scan_uri_escape(&mut self) -> Parsed<char> {
        let mut bytes = [0; 4];
        let mut width = 1;
        let mut at = 0;
        while at < width {
            let octet = if self.at.byte(0) == b'%' {
                self.at.bump(1);
                self.at.hexadecimal(2)
            } else {
                None
            };
            let Some(octet) = octet else {
                return Err(self.problem("did not find URI escaped octet"));
            };
            self.at.bump(2);
            bytes[at] = octet as u8;
            if at == 0 {
                width = match bytes[0] {
                    0..0x80 => 1,
                    0xC0..0xE0 => 2,
                    0xE0..0xF0 => 3,
                    0xF0..0xF8 => 4,
                    _ => return Err(self.problem("found an incorrect leading UTF-8 octet")),
                };
            }
            at += 1;
        }
        std::str::from_utf8(&bytes[..width])
            .ok()
            .and_then(|text| text.chars().next())
            .ok_or_else(|| self.problem("found an incorrect trailing UTF-8 octet"))
    }

    /// A run of letters, digits, `_` and `-`.
    fn scan_word(&mut self) -> &'a str {
        let from = self.at.offset;
        while is_word(self.at.byte(0)) {
            self.at.bump(1);
        }
        &self.at.text[from..self.at.offset]
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

//! What Go's decoder says about a text that is not JSON. Some fields hold JSON as text, and
//! their errors quote the decoder.

use crate::base::go_quote;

/// Deeper nesting than Go's decoder accepts.
const MAX_DEPTH: usize = 10_000;

/// The decoder's sentence; nothing when the text is JSON.
pub(super) fn syntax_error(text: &[u8]) -> Option<String> {
    let mut scanner = Scanner { text, at: 0 };
    scanner.document().err()
}

struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
}

type Step = Result<(), String>;

impl Scanner<'_> {
    fn document(&mut self) -> Step {
        self.value(0)?;
        self.skip_space();
        match self.text.get(self.at) {
            None => Ok(()),
            Some(_) => self.wrong("after top-level value"),
        }
    }

    /// The next byte that is no space, which stays.
    fn skip_space(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.iter().take_while(|byte| b" \t\r\n".contains(byte)).count();
    }

    fn peek(&mut self) -> Result<u8, String> {
        self.skip_space();
        self.here()
    }

    fn here(&self) -> Result<u8, String> {
        self.text.get(self.at).copied().ok_or_else(|| "unexpected end of JSON input".to_owned())
    }

    fn wrong<T>(&self, place: &str) -> Result<T, String> {
        let quoted = match self.here()? {
            b'\'' => r"\'".to_owned(),
            b'"' => "\"".to_owned(),
            byte => go_quote(&char::from(byte).to_string()).trim_matches('"').to_owned(),
        };
        Err(format!("invalid character '{quoted}' {place}"))
    }

    fn value(&mut self, depth: usize) -> Step {
        if depth > MAX_DEPTH {
            return Err("exceeded max depth".to_owned());
        }
        match self.peek()? {
            b'{' => self.object(depth),
            b'[' => self.array(depth),
            b'"' => self.string(),
            b'-' | b'0'..=b'9' => self.number(),
            b't' => self.literal("true"),
            b'f' => self.literal("false"),
            b'n' => self.literal("null"),
            _ => self.wrong("looking for beginning of value"),
        }
    }

    fn object(&mut self, depth: usize) -> Step {
        self.at += 1;
        if self.peek()? == b'}' {
            self.at += 1;
            return Ok(());
        }
        loop {
            if self.peek()? != b'"' {
                return self.wrong("looking for beginning of object key string");
            }
            self.string()?;
            if self.peek()? != b':' {
                return self.wrong("after object key");
            }
            self.at += 1;
            self.value(depth + 1)?;
            match self.peek()? {
                b',' => self.at += 1,
                b'}' => break,
                _ => return self.wrong("after object key:value pair"),
            }
        }
        self.at += 1;
        Ok(())
    }

    fn array(&mut self, depth: usize) -> Step {
        self.at += 1;
        if self.peek()? == b']' {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.value(depth + 1)?;
            match self.peek()? {
                b',' => self.at += 1,
                b']' => break,
                _ => return self.wrong("after array element"),
            }
        }
        self.at += 1;
        Ok(())
    }

    fn string(&mut self) -> Step {
        self.at += 1;
        loop {
            match self.here()? {
                b'"' => break,
                b'\\' => {
                    self.at += 1;
                    self.escape()?;
                }
                0..0x20 => return self.wrong("in string literal"),
                _ => {}
            }
            self.at += 1;
        }
        self.at += 1;
        Ok(())
    }

    /// What follows a backslash; its last byte stays.
    fn escape(&mut self) -> Step {
        match self.here()? {
            b'b' | b'f' | b'n' | b'r' | b't' | b'\\' | b'/' | b'"' => Ok(()),
            b'u' => {
                for _ in 0..4 {
                    self.at += 1;
                    if !self.here()?.is_ascii_hexdigit() {
                        return self.wrong(r"in \u hexadecimal character escape");
                    }
                }
                Ok(())
            }
            _ => self.wrong("in string escape code"),
        }
    }

    fn number(&mut self) -> Step {
        if self.here()? == b'-' {
            self.at += 1;
            if !self.here()?.is_ascii_digit() {
                return self.wrong("in numeric literal");
            }
        }
        if self.here()? == b'0' {
            self.at += 1;
        } else {
            self.digits();
        }
        if self.here() == Ok(b'.') {
            self.at += 1;
            if !self.here()?.is_ascii_digit() {
                return self.wrong("after decimal point in numeric literal");
            }
            self.digits();
        }
        if matches!(self.here(), Ok(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.here()?, b'+' | b'-') {
                self.at += 1;
            }
            if !self.here()?.is_ascii_digit() {
                return self.wrong("in exponent of numeric literal");
            }
            self.digits();
        }
        Ok(())
    }

    fn digits(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    }

    fn literal(&mut self, word: &str) -> Step {
        for byte in word.bytes() {
            if self.here()? != byte {
                let expected = char::from(byte);
                return self.wrong(&format!("in literal {word} (expecting '{expected}')"));
            }
            self.at += 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::syntax_error;

    #[test]
    fn errors_name_the_character_and_its_place() {
        for (text, error) in [
            ("x", "invalid character 'x' looking for beginning of value"),
            ("-b", "invalid character 'b' in numeric literal"),
            ("10.0.0.1", "invalid character '.' after top-level value"),
            ("{a", "invalid character 'a' looking for beginning of object key string"),
            (r#"{"a" 1"#, "invalid character '1' after object key"),
            (r#"{"a":1 x"#, "invalid character 'x' after object key:value pair"),
            ("[1 2", "invalid character '2' after array element"),
            ("tru!", "invalid character '!' in literal true (expecting 'e')"),
            ("1.x", "invalid character 'x' after decimal point in numeric literal"),
            ("1ex", "invalid character 'x' in exponent of numeric literal"),
            (r#""\x""#, "invalid character 'x' in string escape code"),
            ("'", r"invalid character '\'' looking for beginning of value"),
            ("\u{86}", r"invalid character 'Â' looking for beginning of value"),
            ("[", "unexpected end of JSON input"),
            ("", "unexpected end of JSON input"),
        ] {
            assert_eq!(syntax_error(text.as_bytes()).as_deref(), Some(error), "{text}");
        }
        assert_eq!(syntax_error(br#" {"a":[1,-0.5e+3,"\u00e9",null,true]} "#), None);
    }
}

//! Master files, the text form of zones (RFC 1035, section 5), with the line of every fault.
//!
//! Lines, parentheses, `$ORIGIN`, `$TTL` and owners that are left out are read here; what a
//! record says is read by hickory-proto.

use std::str::FromStr;

use hickory_proto::rr::{Name, RData, RecordType};
use hickory_proto::serialize::binary::{BinEncodable, BinEncoder, NameEncoding};

use super::name::{self, Wire};
use super::wire::{Data, Rr, kind};

/// A record of a zone file.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The record; its owner is always there.
    pub record: Rr,
    /// The line it begins on.
    pub line: usize,
}

/// What a zone file holds.
#[derive(Clone, Debug)]
pub struct ZoneFile {
    /// The name of the zone: the owner of its SOA.
    pub apex: Wire,
    /// Its records.
    pub entries: Vec<Entry>,
}

/// Reads a zone file. `file` is what faults call it; its name without `.zone` or `.db` is the
/// origin until the file says another.
///
/// # Errors
/// One sentence with file and line.
pub fn read(file: &str, text: &str) -> Result<ZoneFile, String> {
    let mut reader = Reader {
        origin: origin_of(file),
        owner: None,
        ttl: None,
        last_ttl: None,
        entries: Vec::new(),
    };
    for line in lines(text).map_err(|(line, fault)| format!("{file}:{line}: {fault}"))? {
        reader.take(&line).map_err(|fault| format!("{file}:{}: {fault}", line.number))?;
    }
    finish(reader.entries).map_err(|(line, fault)| match line {
        0 => format!("{file}: {fault}"),
        line => format!("{file}:{line}: {fault}"),
    })
}

fn finish(entries: Vec<Entry>) -> Result<ZoneFile, (usize, String)> {
    let mut soas = entries.iter().filter(|entry| entry.record.data.kind() == kind::SOA);
    let Some(first) = soas.next() else {
        return Err((0, "a zone has a SOA record, and there is none".to_owned()));
    };
    if let Some(second) = soas.next() {
        return Err((second.line, "a zone has one SOA record, and this is the second".to_owned()));
    }
    let apex = name::lower(owner(first));
    for entry in &entries {
        if name::within(owner(entry), &apex).is_none() {
            let (one, zone) = (name::text(owner(entry)), name::text(&apex));
            return Err((entry.line, format!("{one} is not within the zone {zone}")));
        }
    }
    for entry in entries.iter().filter(|entry| entry.record.data.kind() == kind::CNAME) {
        let same = |other: &&Entry| owner(other).eq_ignore_ascii_case(owner(entry));
        if entries.iter().filter(same).count() > 1 {
            let one = name::text(owner(entry));
            return Err((entry.line, format!("{one} has a CNAME record and others")));
        }
    }
    Ok(ZoneFile { apex, entries })
}

fn owner(entry: &Entry) -> &[u8] {
    entry.record.owner.as_deref().unwrap_or(&[0])
}

/// The origin a file's name tells.
fn origin_of(file: &str) -> Wire {
    let stem = file.rsplit(['/', '\\']).next().unwrap_or(file);
    let stem = stem.strip_suffix(".zone").or_else(|| stem.strip_suffix(".db")).unwrap_or(stem);
    let root = || Wire::from([0].as_slice());
    if stem == "root" { root() } else { name::parse(stem).unwrap_or_else(|_| root()) }
}

/// A logical line: its words, and whether it begins with a blank.
struct Line {
    number: usize,
    indented: bool,
    words: Vec<Word>,
}

/// A word, and whether it stood in quotes.
#[derive(Clone)]
struct Word {
    text: String,
    quoted: bool,
}

/// Cuts a text into logical lines.
fn lines(text: &str) -> Result<Vec<Line>, (usize, String)> {
    let mut found: Vec<Line> = Vec::new();
    let mut depth = 0;
    let mut opened = 0;
    for (at, physical) in text.lines().enumerate() {
        let number = at + 1;
        if depth == 0 {
            let indented = physical.starts_with([' ', '\t']);
            found.push(Line { number, indented, words: Vec::new() });
        }
        let line = found.last_mut().expect("one was begun");
        let mut chars = physical.chars().peekable();
        while let Some(symbol) = chars.next() {
            match symbol {
                ';' => break,
                '(' => {
                    opened = number;
                    depth += 1;
                }
                ')' if depth == 0 => return Err((number, "a ) without a (".to_owned())),
                ')' => depth -= 1,
                '"' => {
                    let mut word = String::new();
                    loop {
                        match chars.next() {
                            None => return Err((number, "a quote is not closed".to_owned())),
                            Some('"') => break,
                            Some('\\') => {
                                word.push('\\');
                                word.extend(chars.next());
                            }
                            Some(symbol) => word.push(symbol),
                        }
                    }
                    line.words.push(Word { text: word, quoted: true });
                }
                symbol if symbol.is_whitespace() => {}
                symbol => {
                    let mut word = String::from(symbol);
                    if symbol == '\\' {
                        word.extend(chars.next());
                    }
                    while let Some(next) = chars.peek().copied() {
                        if next.is_whitespace() || matches!(next, ';' | '(' | ')' | '"') {
                            break;
                        }
                        word.extend(chars.next());
                        if next == '\\' {
                            word.extend(chars.next());
                        }
                    }
                    line.words.push(Word { text: word, quoted: false });
                }
            }
        }
    }
    if depth > 0 {
        return Err((opened, "a ( is not closed".to_owned()));
    }
    found.retain(|line| !line.words.is_empty());
    Ok(found)
}

struct Reader {
    origin: Wire,
    owner: Option<Wire>,
    ttl: Option<u32>,
    last_ttl: Option<u32>,
    entries: Vec<Entry>,
}

impl Reader {
    fn take(&mut self, line: &Line) -> Result<(), String> {
        let mut words = line.words.iter();
        if !line.indented {
            let first = words.next().expect("empty lines are left out");
            if first.text.starts_with('$') && !first.quoted {
                return self.directive(&first.text, &line.words[1..]);
            }
            self.owner = Some(self.name(&first.text)?);
        }
        let owner = self.owner.clone().ok_or("the first record must say whose it is")?;
        let mut ttl = None;
        let mut rest = words.as_slice();
        let kind = loop {
            let (word, after) =
                rest.split_first().ok_or("a record has a type, and there is none")?;
            rest = after;
            let upper = word.text.to_ascii_uppercase();
            if upper == "IN" {
            } else if let (None, Some(seconds)) = (ttl, seconds(&word.text)) {
                ttl = Some(seconds);
            } else if matches!(upper.as_str(), "CH" | "HS" | "CS") {
                return Err(format!("class {upper} is not supported"));
            } else {
                break known_type(&upper)?;
            }
        };
        let record_ttl = ttl.or(self.ttl).or(self.last_ttl);
        let data = self.data(kind, rest)?;
        let ttl = match (record_ttl, &data) {
            (Some(ttl), _) => ttl,
            (None, RData::SOA(soa)) => soa.minimum,
            (None, _) => return Err("a record has a TTL, or $TTL comes before it".to_owned()),
        };
        self.last_ttl = Some(ttl);
        let record = Rr { owner: Some(owner), ttl, data: data_of(&data)? };
        self.entries.push(Entry { record, line: line.number });
        Ok(())
    }

    fn directive(&mut self, word: &str, rest: &[Word]) -> Result<(), String> {
        let [argument] = rest else {
            return Err(format!("{word} has one argument"));
        };
        match word.to_ascii_uppercase().as_str() {
            "$ORIGIN" => self.origin = self.name(&argument.text)?,
            "$TTL" => {
                let ttl = seconds(&argument.text);
                self.ttl = Some(ttl.ok_or_else(|| format!("{:?} is no TTL", argument.text))?);
            }
            _ => return Err(format!("{word} is not supported: only $ORIGIN and $TTL are")),
        }
        Ok(())
    }

    /// A name, behind the origin unless it ends with a dot.
    fn name(&self, text: &str) -> Result<Wire, String> {
        if text == "@" {
            return Ok(self.origin.clone());
        }
        if text.ends_with('.') && !text.ends_with("\\.") {
            return name::parse(text);
        }
        let front = name::parse(text)?;
        let whole = [&front[..front.len() - 1], &self.origin].concat();
        if whole.len() > name::MAX_WIRE {
            return Err(format!("DNS name {text:?}: must be no more than 253 characters"));
        }
        Ok(whole.into())
    }

    fn data(&self, kind: RecordType, words: &[Word]) -> Result<RData, String> {
        if words.is_empty() {
            return Err(format!("a {kind} record says something, and this one nothing"));
        }
        if kind == RecordType::TXT {
            let strings: Result<Vec<Vec<u8>>, String> =
                words.iter().map(|word| unescaped(&word.text)).collect();
            let strings = strings?;
            let slices = strings.iter().map(Vec::as_slice).collect();
            return Ok(RData::TXT(hickory_proto::rr::rdata::TXT::from_bytes(slices)));
        }
        let names: &[usize] = match kind {
            RecordType::NS | RecordType::CNAME | RecordType::PTR => &[0],
            RecordType::SOA => &[0, 1],
            RecordType::MX => &[1],
            RecordType::SRV => &[3],
            _ => &[],
        };
        let expected = match kind {
            RecordType::A | RecordType::AAAA => Some(1),
            RecordType::SOA => Some(7),
            RecordType::MX => Some(2),
            RecordType::SRV => Some(4),
            _ => (!names.is_empty()).then_some(1),
        };
        if expected.is_some_and(|count| count != words.len()) {
            let (count, given) = (expected.unwrap_or_default(), words.len());
            return Err(format!("a {kind} record has {count} fields, and this one {given}"));
        }
        let mut text = String::new();
        for (at, word) in words.iter().enumerate() {
            let word = if names.contains(&at) {
                name::text(&self.name(&word.text)?)
            } else if word.quoted {
                format!("\"{}\"", word.text)
            } else {
                word.text.clone()
            };
            text.push_str(&word);
            text.push(' ');
        }
        RData::try_from_str(kind, text.trim_end())
            .map_err(|_| format!("{:?} is no {kind} record", text.trim_end()))
    }
}

/// A string of a TXT record: `\123` is a byte, and any other `\x` is x.
fn unescaped(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        let digits = rest.first_chunk::<3>().and_then(|three| std::str::from_utf8(three).ok());
        if let Some(number) = digits.and_then(|three| three.parse::<u8>().ok()) {
            bytes.push(number);
            rest = &rest[3..];
        } else if let Some((&byte, after)) = rest.split_first() {
            bytes.push(byte);
            rest = after;
        }
    }
    if bytes.len() > 255 {
        return Err("a string of a TXT record must be no more than 255 characters".to_owned());
    }
    Ok(bytes)
}

/// A TTL: seconds, or figures with units such as `1h30m`.
fn seconds(text: &str) -> Option<u32> {
    if !text.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    hickory_proto::serialize::txt::parse_ttl(&text.to_ascii_lowercase()).ok()
}

/// A type by its name.
///
/// # Errors
/// When there is none of that name.
pub fn known_type(text: &str) -> Result<RecordType, String> {
    let upper = text.to_ascii_uppercase();
    if let Some(number) = upper.strip_prefix("TYPE").and_then(|number| number.parse::<u16>().ok()) {
        return Ok(RecordType::from(number));
    }
    let found = RecordType::from_str(&upper);
    found.map_err(|_| format!("unknown record type {text:?}"))
}

/// What a record says, as it travels, without compressed names.
fn data_of(data: &RData) -> Result<Data, String> {
    Ok(match data {
        RData::A(ip) => Data::A(ip.0),
        RData::AAAA(ip) => Data::Aaaa(ip.0),
        RData::CNAME(target) => Data::Name(kind::CNAME, wire(&target.0)?),
        RData::NS(target) => Data::Name(kind::NS, wire(&target.0)?),
        RData::PTR(target) => Data::Name(kind::PTR, wire(&target.0)?),
        other => {
            let mut bytes = Vec::new();
            let mut encoder = BinEncoder::new(&mut bytes);
            encoder.set_name_encoding(NameEncoding::Uncompressed);
            other.emit(&mut encoder).map_err(|error| error.to_string())?;
            Data::Raw(u16::from(other.record_type()), bytes.into())
        }
    })
}

fn wire(name: &Name) -> Result<Wire, String> {
    name::parse(&name.to_ascii())
}

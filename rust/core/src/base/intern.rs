//! Strings to numbers at the door: label keys and values, names, namespaces, reasons.

use super::{CowIndex, CowVec, Text, hash_of};
use crate::define_id;

define_id! {
    /// An interned string.
    StrId
}

/// Strings by number, each stored once. Numbers are handed out in order of first sight and
/// never re-used, so they are the same on every run and in every fork up to where it branched.
#[derive(Clone, Debug, Default)]
pub struct Interner {
    strings: CowVec<Text>,
    index: CowIndex,
}

impl Interner {
    /// An empty interner.
    pub fn new() -> Self {
        Self::default()
    }

    /// The number of `text`, given to it now if it has none.
    pub fn intern(&mut self, text: &str) -> StrId {
        let hash = hash_of(text);
        if let Some(number) = self.lookup(hash, text) {
            return number;
        }
        let index = self.strings.push(Text::from(text));
        self.index.insert(hash, index as u32);
        StrId::new(index)
    }

    /// The number of `text`, if it was interned.
    pub fn find(&self, text: &str) -> Option<StrId> {
        self.lookup(hash_of(text), text)
    }

    /// The string behind a number.
    pub fn text(&self, id: StrId) -> &str {
        &self.strings[id.index()]
    }

    /// The number of strings.
    pub fn len(&self) -> usize {
        self.strings.len()
    }

    /// Whether nothing was interned.
    pub fn is_empty(&self) -> bool {
        self.strings.is_empty()
    }

    fn lookup(&self, hash: u64, text: &str) -> Option<StrId> {
        self.index
            .find(hash, |number| self.strings[number as usize] == text)
            .map(|number| StrId::new(number as usize))
    }
}

impl serde::Serialize for Interner {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.strings.serialize(serializer)
    }
}

impl<'de> serde::Deserialize<'de> for Interner {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let strings: CowVec<Text> = CowVec::deserialize(deserializer)?;
        let mut index = CowIndex::new();
        index.reserve(strings.len());
        for (number, text) in strings.iter().enumerate() {
            index.insert(hash_of(text.as_str()), number as u32);
        }
        Ok(Self { strings, index })
    }
}

#[cfg(test)]
mod tests {
    use super::Interner;

    #[test]
    fn the_same_string_has_one_number_and_survives_a_round_trip() {
        let mut interner = Interner::new();
        let web = interner.intern("web");
        assert_eq!(interner.intern("db"), interner.find("db").unwrap());
        assert_eq!(interner.intern("web"), web);
        let bytes = postcard::to_stdvec(&interner).unwrap();
        let back: Interner = postcard::from_bytes(&bytes).unwrap();
        assert_eq!((back.find("web"), back.text(web), back.len()), (Some(web), "web", 2));
        assert_eq!(back.find("nothing"), None);
    }
}

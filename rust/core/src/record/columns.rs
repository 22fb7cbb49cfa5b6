//! Named columns of equal length, ready to become NumPy arrays or Arrow data.

use std::collections::BTreeMap;

use crate::base::{FastMap, Text, Time};

/// One column.
#[derive(Clone, Debug, PartialEq)]
pub enum Column {
    /// Integers; the unit is part of the column's name.
    Int(Vec<i64>),
    /// Fractions.
    Float(Vec<f64>),
    /// Truth values.
    Bool(Vec<bool>),
    /// Points of virtual time, nanoseconds since the Unix epoch; [`Column::NO_TIME`] for none.
    Time(Vec<i64>),
    /// Words that repeat: a code per row, and the words; -1 for none.
    Category {
        /// Per row, the place of its word.
        codes: Vec<i32>,
        /// The words in order of first use.
        words: Vec<Text>,
    },
    /// Text that seldom repeats.
    Text(Vec<Text>),
}

impl Column {
    /// Stands for "never" in a column of times: NumPy's `NaT`.
    pub const NO_TIME: i64 = i64::MIN;

    /// The number of rows.
    pub fn len(&self) -> usize {
        match self {
            Self::Int(items) | Self::Time(items) => items.len(),
            Self::Float(items) => items.len(),
            Self::Bool(items) => items.len(),
            Self::Category { codes, .. } => codes.len(),
            Self::Text(items) => items.len(),
        }
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Named columns of equal length.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ColumnSet {
    columns: Vec<(Text, Column)>,
}

impl ColumnSet {
    /// No columns.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a column.
    ///
    /// # Panics
    /// When its length differs from that of the columns before it.
    pub fn push(&mut self, name: impl Into<Text>, column: Column) {
        let name = name.into();
        let rows = self.columns.first().map_or(column.len(), |(_, first)| first.len());
        assert_eq!(column.len(), rows, "column {name} has another length");
        self.columns.push((name, column));
    }

    /// The columns in the order they were added.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Column)> {
        self.columns.iter().map(|(name, column)| (name.as_str(), column))
    }

    /// The columns, taken.
    pub fn into_columns(self) -> Vec<(Text, Column)> {
        self.columns
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, |(_, column)| column.len())
    }
}

/// Collects words that repeat.
#[derive(Debug, Default)]
pub struct Categories {
    codes: Vec<i32>,
    words: Vec<Text>,
    places: FastMap<Text, i32>,
}

impl Categories {
    /// Room for so many rows.
    pub fn with_capacity(rows: usize) -> Self {
        Self { codes: Vec::with_capacity(rows), ..Self::default() }
    }

    /// Adds a row with this word.
    pub fn push(&mut self, word: &str) {
        let code = match self.places.get(word) {
            Some(code) => *code,
            None => {
                let code = self.words.len() as i32;
                self.words.push(word.into());
                self.places.insert(word.into(), code);
                code
            }
        };
        self.codes.push(code);
    }

    /// Adds a row without a word.
    pub fn push_none(&mut self) {
        self.codes.push(-1);
    }

    /// Adds a row with this word, or without one.
    pub fn push_optional(&mut self, word: Option<&str>) {
        match word {
            Some(word) => self.push(word),
            None => self.push_none(),
        }
    }

    /// The column.
    pub fn finish(self) -> Column {
        Column::Category { codes: self.codes, words: self.words }
    }
}

/// Integer columns that come into being with the first row that has a value other than zero.
#[derive(Debug, Default)]
pub struct SparseInts(BTreeMap<Text, Vec<i64>>);

impl SparseInts {
    /// Sets the value of a row; rows are set in ascending order.
    pub fn set(&mut self, name: &str, row: usize, value: i64) {
        if value == 0 {
            return;
        }
        if !self.0.contains_key(name) {
            self.0.insert(name.into(), Vec::new());
        }
        let column = self.0.get_mut(name).expect("just made sure");
        column.resize(row, 0);
        column.push(value);
    }

    /// The names so far, sorted.
    pub fn names(&self) -> impl Iterator<Item = &Text> {
        self.0.keys()
    }

    /// The column of a name, all zero when no row has a value.
    pub fn take(&mut self, name: &str, rows: usize) -> Column {
        let mut column = self.0.remove(name).unwrap_or_default();
        column.resize(rows, 0);
        Column::Int(column)
    }
}

/// A time for a column of times; `None` becomes [`Column::NO_TIME`].
pub fn time_or_none(time: Option<Time>) -> i64 {
    time.map_or(Column::NO_TIME, |time| time.0)
}

#[cfg(test)]
mod tests {
    use super::{Categories, Column, ColumnSet, SparseInts};

    #[test]
    fn a_column_begins_with_its_first_value_and_is_zero_elsewhere() {
        let mut amounts = SparseInts::default();
        amounts.set("gpu", 1, 4);
        amounts.set("none", 2, 0);
        amounts.set("gpu", 3, 8);
        assert_eq!(amounts.names().collect::<Vec<_>>(), ["gpu"]);
        assert_eq!(amounts.take("gpu", 5), Column::Int(vec![0, 4, 0, 8, 0]));
        assert_eq!(amounts.take("none", 2), Column::Int(vec![0, 0]));
    }

    #[test]
    fn words_get_codes_in_order_of_first_use() {
        let mut phases = Categories::default();
        for word in [Some("Running"), Some("Pending"), None, Some("Running")] {
            phases.push_optional(word);
        }
        let Column::Category { codes, words } = phases.finish() else { panic!("categories") };
        assert_eq!((codes, words.len()), (vec![0, 1, -1, 0], 2));
    }

    #[test]
    #[should_panic(expected = "column b has another length")]
    fn columns_of_a_set_have_one_length() {
        let mut set = ColumnSet::new();
        set.push("a", Column::Int(vec![1, 2]));
        set.push("b", Column::Int(vec![1]));
    }
}

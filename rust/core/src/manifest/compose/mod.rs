//! Nodes to a value: anchors and aliases, merge keys, keys as text, the last of equal keys.
//!
//! One pass with an explicit stack. The library this follows works in phases: it parses the
//! whole document, then decodes it, then turns it into JSON, and reports the first error of the
//! first phase that fails. So what belongs to a later phase is noted and reported at the end.

mod alias;
mod map;

use std::borrow::Cow;

use self::alias::{Anchored, Anchors, Budget, OpenAnchor};
pub(super) use self::map::Duplicate;
use self::map::{Pair, Shape};
use super::error::{Parsed, Problem};
use super::resolve::{self, Plain};
use super::sink::{Scalar, Sink};
use crate::base::{Text, Value};

/// A document as a value.
#[derive(Debug, Default)]
pub(super) struct Composed {
    pub value: Value,
    /// Line of the first node, counted from 0 within the text.
    pub line: u32,
    pub duplicates: Vec<Duplicate>,
    /// The line of what follows the document and is ignored.
    pub ignored: Option<u32>,
}

/// The phases after parsing, in order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Decode,
    Convert,
}

/// What the innermost open map waits for.
#[derive(Clone, Copy, PartialEq)]
enum Expect {
    Key,
    Value,
    /// The value of a merge key.
    Merge,
}

struct Frame<'a> {
    is_map: bool,
    expect: Expect,
    /// Where this collection's parts begin in the composer's pools.
    first_pair: usize,
    first_item: usize,
    anchor: Option<OpenAnchor<'a>>,
    steps_before: u64,
    /// Levels of collections below this one so far.
    height: usize,
}

/// The pools of one document after the other.
pub(super) struct Composer<'a> {
    frames: Vec<Frame<'a>>,
    pairs: Vec<Pair>,
    items: Vec<Value>,
    anchors: Anchors<'a>,
    budget: Budget,
    /// Whether an infinity or NaN was among the scalars.
    not_finite: bool,
    later: Option<(Phase, Problem)>,
    duplicates: Vec<Duplicate>,
    /// Line of the first node.
    first_line: Option<u32>,
    depth_max: usize,
}

impl<'a> Composer<'a> {
    pub fn new(depth_max: usize) -> Self {
        Self {
            frames: Vec::new(),
            pairs: Vec::new(),
            items: Vec::new(),
            anchors: Anchors::default(),
            budget: Budget::new(),
            not_finite: false,
            later: None,
            duplicates: Vec::new(),
            first_line: None,
            depth_max,
        }
    }

    /// Makes a value of what `read` tells this composer.
    pub fn compose(
        &mut self,
        read: impl FnOnce(&mut Self) -> Parsed<Option<u32>>,
    ) -> Parsed<Composed> {
        self.clear();
        let ignored = read(self)?;
        let line = self.first_line.unwrap_or(0);
        let value = self.items.pop().unwrap_or_default();
        // Only what is left in the end counts: a later key may have replaced it.
        if self.not_finite
            && let Some(word) = not_finite(&value)
        {
            self.fail_later(Phase::Convert, line, format!("unsupported value: {word}"));
        }
        let duplicates = std::mem::take(&mut self.duplicates);
        match self.later.take() {
            Some((_, problem)) => Err(problem),
            None => Ok(Composed { value, line, duplicates, ignored }),
        }
    }

    fn clear(&mut self) {
        self.frames.clear();
        self.pairs.clear();
        self.items.clear();
        self.anchors.clear();
        self.budget = Budget::new();
        self.not_finite = false;
        self.later = None;
        self.duplicates.clear();
        self.first_line = None;
    }

    fn resolve<'s>(&mut self, line: u32, scalar: &'s Scalar<'a>) -> (Plain, Cow<'s, str>) {
        let text = Cow::Borrowed(&*scalar.text);
        match scalar.tag() {
            None if scalar.implicit => (resolve::plain(&text), text),
            None => (Plain::Text, text),
            Some(tag) => match resolve::tagged(tag, &text) {
                Ok((kind, Some(decoded))) => (kind, decoded.into()),
                Ok((kind, None)) => (kind, text),
                Err(message) => {
                    self.fail_later(Phase::Decode, line, message);
                    (Plain::Null, text)
                }
            },
        }
    }

    /// Refuses what nests too deeply for the rest of the program, and for the call stack.
    fn check_depth(&self, line: u32, height: usize) -> Parsed<()> {
        if self.frames.len() + height > self.depth_max {
            let message = format!("exceeded max depth of {}", self.depth_max);
            return Err(Problem::new(line, message));
        }
        Ok(())
    }

    /// Tells the innermost open collection how many levels were put into it.
    fn raise(&mut self, height: usize) {
        if let Some(outer) = self.frames.last_mut() {
            outer.height = outer.height.max(height);
        }
    }

    /// Puts a finished node where the innermost open collection wants it. The root becomes an
    /// item of no list.
    fn place(&mut self, line: u32, value: Value, shape: Shape) {
        let Some(frame) = self.frames.last_mut().filter(|frame| frame.is_map) else {
            return self.items.push(value);
        };
        let expect = std::mem::replace(&mut frame.expect, Expect::Key);
        if expect == Expect::Merge {
            self.merge(line, &value, shape);
        } else {
            self.pairs.last_mut().expect("its key came before").value = value;
        }
    }

    fn begin_pair(&mut self, line: u32, key: Text) {
        self.frames.last_mut().expect("a map is open").expect = Expect::Value;
        self.pairs.push(Pair { key, value: Value::Null, line: Some(line) });
    }

    /// The text of a key: a scalar of this type, or a collection, which cannot be one.
    fn key(&mut self, line: u32, kind: Option<Plain>, value: &Value) -> Text {
        let Some(kind) = kind else {
            let what = if value.as_map().is_some() { "map" } else { "list" };
            self.fail_later(Phase::Decode, line, format!("invalid map key: a {what}"));
            return Text::default();
        };
        self.scalar_key(line, kind, value.as_str().unwrap_or_default())
    }

    fn scalar_key(&mut self, line: u32, kind: Plain, text: &str) -> Text {
        kind.into_key(text).unwrap_or_else(|kind| {
            let message = format!("unsupported map key of type: {kind}");
            self.fail_later(Phase::Convert, line, message);
            Text::default()
        })
    }

    /// Counts a decode step.
    fn step(&mut self, line: u32) {
        if !self.budget.step() {
            self.fail_later(Phase::Decode, line, "document contains excessive aliasing");
        }
    }

    fn expects(&self, expect: Expect) -> bool {
        self.frames.last().is_some_and(|frame| frame.is_map && frame.expect == expect)
    }

    /// Notes a problem of a later phase; the first of the earliest phase is kept.
    fn fail_later(&mut self, phase: Phase, line: u32, message: impl Into<Cow<'static, str>>) {
        if self.later.as_ref().is_none_or(|(known, _)| phase < *known) {
            self.later = Some((phase, Problem::new(line, message)));
        }
    }
}

impl<'a> Sink<'a> for Composer<'a> {
    fn scalar(&mut self, line: u32, scalar: Scalar<'a>) -> Parsed<()> {
        self.first_line.get_or_insert(line);
        let expects_key = self.expects(Expect::Key);
        if expects_key && scalar.is_merge() {
            self.frames.last_mut().expect("a map is open").expect = Expect::Merge;
            return Ok(());
        }
        let steps_before = self.budget.steps;
        self.step(line);
        let (kind, text) = self.resolve(line, &scalar);
        if let Plain::Float(number) = kind {
            self.not_finite |= !number.is_finite();
        }
        if let Some(name) = scalar.anchor() {
            let anchor = self.anchors.begin(name);
            let value = kind.into_value(&text);
            let cost = self.budget.steps - steps_before;
            let node = Anchored { value, kind: Some(kind), cost, ..Anchored::default() };
            self.anchors.end(anchor, node);
        }
        if expects_key {
            let key = self.scalar_key(line, kind, &text);
            self.begin_pair(line, key);
            return Ok(());
        }
        self.place(line, kind.into_value(&text), Shape::Plain);
        Ok(())
    }

    fn leaf(&mut self, line: u32, value: Value) -> Parsed<()> {
        self.first_line.get_or_insert(line);
        self.step(line);
        self.place(line, value, Shape::Plain);
        Ok(())
    }

    fn alias(&mut self, line: u32, name: &'a str) -> Parsed<()> {
        let Some(anchored) = self.anchors.get(name) else {
            return Err(Problem::new(line, format!("unknown anchor '{name}' referenced")));
        };
        let Anchored { value, kind, cost, height, complete, .. } = anchored.clone();
        if !complete {
            self.fail_later(Phase::Decode, line, format!("anchor '{name}' value contains itself"));
        }
        // What is merged lies no deeper than the map it goes into.
        let height = height.saturating_sub(usize::from(self.expects(Expect::Merge)));
        self.check_depth(line, height)?;
        self.raise(height);
        self.budget.repeat(cost);
        self.step(line);
        if self.expects(Expect::Key) {
            let key = self.key(line, kind, &value);
            self.begin_pair(line, key);
            return Ok(());
        }
        self.place(line, value, Shape::Alias);
        Ok(())
    }

    fn open(&mut self, line: u32, is_map: bool, anchor: Option<&'a str>) -> Parsed<()> {
        self.first_line.get_or_insert(line);
        self.check_depth(line, 1)?;
        let steps_before = self.budget.steps;
        if is_map || !self.expects(Expect::Merge) {
            self.step(line);
        }
        let anchor = anchor.map(|name| self.anchors.begin(name));
        self.frames.push(Frame {
            is_map,
            expect: Expect::Key,
            first_pair: self.pairs.len(),
            first_item: self.items.len(),
            anchor,
            steps_before,
            height: 0,
        });
        Ok(())
    }

    fn close(&mut self, line: u32) -> Parsed<()> {
        let frame = self.frames.pop().expect("readers close what they opened");
        let value = if frame.is_map {
            Value::from(self.close_map(&frame))
        } else {
            Value::from(self.items.drain(frame.first_item..).collect::<Vec<_>>())
        };
        let height = frame.height + 1;
        if let Some(anchor) = frame.anchor {
            let cost = self.budget.steps - frame.steps_before;
            let value = value.clone();
            self.anchors.end(anchor, Anchored { value, cost, height, ..Anchored::default() });
        }
        let merged_levels = match self.expects(Expect::Merge) {
            true if frame.is_map => 1,
            true => 2,
            false => 0,
        };
        self.raise(height.saturating_sub(merged_levels));
        if self.expects(Expect::Key) {
            let key = self.key(line, None, &value);
            self.begin_pair(line, key);
            return Ok(());
        }
        self.place(line, value, Shape::Plain);
        Ok(())
    }
}

/// Go's word for the first infinity or NaN in a value.
fn not_finite(value: &Value) -> Option<&'static str> {
    match value {
        Value::Float(number) if number.is_nan() => Some("NaN"),
        Value::Float(number) if number.is_infinite() => {
            Some(if *number > 0.0 { "+Inf" } else { "-Inf" })
        }
        Value::List(items) => items.iter().find_map(not_finite),
        Value::Map(map) => map.iter().find_map(|(_, value)| not_finite(value)),
        _ => None,
    }
}

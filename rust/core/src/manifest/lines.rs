//! The lines of a document's fields: a second, rarely needed reading of the same nodes.

use super::document::Step;
use super::error::Parsed;
use super::resolve::{self, Plain};
use super::sink::{Scalar, Sink};
use crate::base::{FastMap, Text, Value};

/// A document as a tree of lines, counted from 0 within its text.
#[derive(Debug, Default)]
pub(super) struct LineTree {
    nodes: Vec<Node>,
}

#[derive(Debug, Default)]
struct Node {
    line: u32,
    is_map: bool,
    /// What a scalar is as a key.
    text: Text,
    children: Vec<Child>,
}

#[derive(Debug)]
struct Child {
    key: Key,
    /// The line of the key, or of the item.
    line: u32,
    node: usize,
}

#[derive(Debug)]
enum Key {
    Field(Text),
    /// A merge key: the child's fields are the map's too.
    Merge,
    Item,
}

/// A collection being read, and the key whose value comes next.
struct Open {
    node: usize,
    key: Option<(Key, u32)>,
}

/// How many merge keys may lead to each other before a line lookup gives up.
const MERGE_DEPTH_MAX: usize = 100;

pub(super) struct LineBuilder<'a> {
    tree: LineTree,
    open: Vec<Open>,
    anchors: FastMap<&'a str, usize>,
}

impl LineTree {
    /// The lines of what `read` tells; the document has been read without error before.
    pub fn build<'a>(read: impl FnOnce(&mut LineBuilder<'a>) -> Parsed<Option<u32>>) -> Self {
        let tree = Self::default();
        let mut builder = LineBuilder { tree, open: Vec::new(), anchors: FastMap::default() };
        // What was found before an error is still right.
        let _ = read(&mut builder);
        builder.tree
    }

    /// The line of the node at `path`, or of the last one that exists on the way to it. A value
    /// in a map stands where its key does.
    pub fn line_of(&self, path: &[Step]) -> u32 {
        let Some(mut node) = self.nodes.first() else { return 0 };
        let mut line = node.line;
        for step in path {
            let child = match step {
                Step::Key(key) if node.is_map => self.field(node, key, 0),
                Step::Index(index) if !node.is_map => node.children.get(*index),
                _ => None,
            };
            let Some(child) = child else { break };
            (line, node) = (child.line, &self.nodes[child.node]);
        }
        line
    }

    /// The field that counts: the last one written or merged in.
    fn field<'t>(&'t self, map: &'t Node, key: &str, depth: usize) -> Option<&'t Child> {
        map.children.iter().rev().find_map(|child| match &child.key {
            Key::Field(name) => (name == key).then_some(child),
            Key::Merge if depth < MERGE_DEPTH_MAX => {
                let merged = &self.nodes[child.node];
                if merged.is_map {
                    return self.field(merged, key, depth + 1);
                }
                let maps = merged.children.iter().map(|item| &self.nodes[item.node]);
                maps.into_iter().find_map(|item| self.field(item, key, depth + 1))
            }
            _ => None,
        })
    }
}

impl<'a> Sink<'a> for LineBuilder<'a> {
    fn scalar(&mut self, line: u32, scalar: Scalar<'a>) -> Parsed<()> {
        if self.expects_key() && scalar.is_merge() {
            self.open.last_mut().expect("a map is open").key = Some((Key::Merge, line));
            return Ok(());
        }
        let kind = match scalar.tag() {
            None if scalar.implicit => resolve::plain(&scalar.text),
            None => Plain::Text,
            Some(tag) => resolve::tagged(tag, &scalar.text).map_or(Plain::Text, |(kind, _)| kind),
        };
        let node = self.node(line, false, kind.into_key(&scalar.text).unwrap_or_default());
        if let Some(anchor) = scalar.anchor() {
            self.anchors.insert(anchor, node);
        }
        self.place(line, node);
        Ok(())
    }

    fn leaf(&mut self, line: u32, _: Value) -> Parsed<()> {
        let node = self.node(line, false, Text::default());
        self.place(line, node);
        Ok(())
    }

    fn alias(&mut self, line: u32, name: &'a str) -> Parsed<()> {
        if let Some(node) = self.anchors.get(name).copied() {
            self.place(line, node);
        }
        Ok(())
    }

    fn open(&mut self, line: u32, is_map: bool, anchor: Option<&'a str>) -> Parsed<()> {
        let node = self.node(line, is_map, Text::default());
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor, node);
        }
        self.place(line, node);
        self.open.push(Open { node, key: None });
        Ok(())
    }

    fn close(&mut self, _: u32) -> Parsed<()> {
        self.open.pop();
        Ok(())
    }
}

impl LineBuilder<'_> {
    fn node(&mut self, line: u32, is_map: bool, text: Text) -> usize {
        self.tree.nodes.push(Node { line, is_map, text, children: Vec::new() });
        self.tree.nodes.len() - 1
    }

    fn expects_key(&self) -> bool {
        self.open.last().is_some_and(|open| self.tree.nodes[open.node].is_map && open.key.is_none())
    }

    /// Makes a node a key, a value or an item of the innermost open collection.
    fn place(&mut self, line: u32, node: usize) {
        let expects_key = self.expects_key();
        let Some(open) = self.open.last_mut() else { return };
        if expects_key {
            open.key = Some((Key::Field(self.tree.nodes[node].text.clone()), line));
            return;
        }
        let (key, line) = open.key.take().unwrap_or((Key::Item, line));
        self.tree.nodes[open.node].children.push(Child { key, line, node });
    }
}

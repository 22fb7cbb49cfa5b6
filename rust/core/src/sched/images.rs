//! Which images are on how many nodes.
//!
//! Kubernetes copies the count of an image into a node's entry when it takes that node into
//! its snapshot, and takes only nodes that changed. So a node's idea of how common its images
//! are is as old as the node's last change; [`super::nodes::Nodes::take_snapshot`] does the same.

use serde::{Deserialize, Serialize};

use crate::base::{CowVec, Interner, StrId, Text};

/// One image on one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeImage {
    /// The image's name.
    pub name: StrId,
    /// Its size in bytes.
    pub size: i64,
    /// On how many nodes it was when this node was last looked at.
    pub nodes: u32,
}

/// Every image name nodes list; see the module header.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Images {
    names: Interner,
    /// Size as the first node to have it reported it, and the number of nodes.
    entries: CowVec<(i64, u32)>,
}

impl Images {
    /// The number of an image name, if any node ever had it.
    pub fn find(&self, name: &str) -> Option<StrId> {
        self.names.find(name)
    }

    /// Whether any node ever had an image.
    pub fn any(&self) -> bool {
        !self.names.is_empty()
    }

    /// Notes that one more node has these images.
    pub fn add(&mut self, images: &[(Text, i64)]) -> Vec<NodeImage> {
        let mut added: Vec<NodeImage> = Vec::with_capacity(images.len());
        for (name, size) in images {
            let name = self.names.intern(name);
            if added.iter().any(|have| have.name == name) {
                continue;
            }
            self.entries.resize(self.names.len());
            let entry = self.entries.get_mut(name.index());
            if entry.1 == 0 {
                entry.0 = *size;
            }
            entry.1 += 1;
            added.push(NodeImage { name, size: entry.0, nodes: 0 });
        }
        added.sort_unstable_by_key(|image| image.name);
        added
    }

    /// Notes that one node fewer has these images.
    pub fn remove(&mut self, images: &[NodeImage]) {
        for image in images {
            self.entries.get_mut(image.name.index()).1 -= 1;
        }
    }

    /// On how many nodes an image is.
    pub fn nodes(&self, name: StrId) -> u32 {
        self.entries[name.index()].1
    }
}

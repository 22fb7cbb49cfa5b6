//! Filling nodes with copies of a pod by counting, where trying each comes to the same.
//!
//! Copies are placed until no node will have one more. When a copy on one node changes nothing
//! for any other node ([`ignores_copies`]), a node takes copies until its own room is used up,
//! whichever node each of them was offered to first. A search that finds nothing has looked at
//! every node, however few feasible ones are enough for scoring, so at the end every node is
//! full: order, scores, sampling and ties decide who came when, not how many came. How many is
//! a division.

use std::sync::Arc;

use super::post_filter::Trial;
use super::{Cycle, search};
use crate::base::Text;
use crate::sched::Scheduler;
use crate::sched::cache::Place;
use crate::sched::nodes::NodeId;
use crate::sched::plugins::copies::ignores_copies;
use crate::sched::plugins::node_resources_fit::FitFilter;
use crate::sched::plugins::policies::Turn;
use crate::sched::plugins::{Filter, Kept};
use crate::store::{ObjectId, Store};

/// How many copies a node takes.
type Room = (NodeId, u32);

impl<'a> Cycle<'a> {
    /// The nodes that take copies of the pod, each with how many; nothing when only trying
    /// tells.
    fn rooms(&self) -> Option<Vec<Room>> {
        let context = self.context();
        let points = [&self.profile.pre_filter, &self.profile.filter, &self.profile.post_filter];
        let requests = &self.pod.requests;
        let counts = points.into_iter().flatten().all(|id| ignores_copies(*id, &context))
            && requests.asked == requests.occupied
            && self.store.pod(self.slot).nominated.is_none();
        if !counts {
            return None;
        }
        let prepared = self.pre_filter().ok()?;
        let fit = prepared.filters.iter().find_map(|filter| match filter {
            Filter::Fit(fit) => Some(fit),
            _ => None,
        })?;
        let nodes = prepared.only.as_deref().unwrap_or(self.cache.nodes.order());
        let rooms = nodes.iter().map(|id| (*id, self.room(*id, &prepared.filters, fit)));
        Some(rooms.filter(|(_, room)| *room > 0).collect())
    }

    /// How many copies one node takes. Those it is promised to keep their room.
    fn room(&self, id: NodeId, filters: &[Filter<'a>], fit: &FitFilter) -> u32 {
        let node = self.cache.nodes.view(id);
        if !node.row.nominated {
            return search::run(filters, node).map_or(0, |()| fit.room(node));
        }
        let trial = Trial::new(self, filters, node);
        if trial.check().is_err() {
            return 0;
        }
        let full = trial.with_promised();
        let left = full.map_or(u32::MAX, |full| fit.room(full.node.view()));
        left.min(fit.room(node))
    }
}

impl Scheduler {
    /// Takes the room of as many copies of a waiting pod as fit, the pod itself not counted,
    /// and says on which nodes; nothing, and nothing done, when only trying tells or when there
    /// are `most` or more. No pods are made: what is left is good for asking about one copy
    /// more, and for nothing else.
    pub fn fill(
        &mut self,
        store: &Store,
        pod: ObjectId,
        most: usize,
    ) -> Option<Vec<(Text, usize)>> {
        if !matches!(self.cache.pod(pod.slot).place, Place::Queue(_)) || self.is_gated(pod) {
            return None;
        }
        self.cache.nodes.take_snapshot();
        let info = Arc::clone(self.cache.info(pod.slot));
        let config = Arc::clone(&self.config);
        let cycle = Cycle {
            store,
            cache: &self.cache,
            config: &config,
            profile: config.profile(&info.scheduler_name)?,
            default_selector: None,
            kept: Kept::default(),
            turn: Turn::default(),
            pod: &info,
            slot: pod.slot,
            own: None,
        };
        let rooms = cycle.rooms()?;
        let total: usize = rooms.iter().map(|(_, copies)| *copies as usize).sum();
        if total >= most {
            return None;
        }
        let nodes = &mut self.cache.nodes;
        for (node, copies) in &rooms {
            nodes.take_room(*node, &info, *copies);
        }
        nodes.journal.forget();
        let named = |(node, copies): Room| (nodes.info(node).name.clone(), copies as usize);
        Some(rooms.into_iter().map(named).collect())
    }
}

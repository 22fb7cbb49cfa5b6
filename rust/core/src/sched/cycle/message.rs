//! The text of FailedScheduling: `0/3 nodes are available: 1 Insufficient cpu, ...`.

use std::collections::BTreeMap;
use std::fmt::Write;

use smallvec::SmallVec;

use crate::base::Text;
use crate::sched::nodes::NodeId;
use crate::sched::plugins::user::asking::Own;
use crate::sched::pod_info::PodInfo;
use crate::sched::status::Rejection;

/// The most bytes of an event's note.
const NOTE_LENGTH: usize = 1024;

/// Everything the text is made of.
pub struct FitError<'a> {
    /// The number of nodes.
    pub nodes: usize,
    /// Who knows the reasons of a user's own plugins.
    pub own: Option<&'a Own<'a>>,
    /// What PreFilter said of all nodes; it stands in place of the histogram.
    pub pre_filter: &'a str,
    /// What filters said of the nodes they judged.
    pub rejected: &'a [(NodeId, Rejection)],
    /// What is said of every node that was not judged.
    pub absent: &'a str,
    /// What PostFilter said.
    pub post_filter: &'a str,
}

impl FitError<'_> {
    /// The text.
    pub fn to_text(&self, pod: &PodInfo) -> Text {
        let mut text = format!("0/{} nodes are available:", self.nodes);
        if self.pre_filter.is_empty() {
            let histogram = self.histogram(pod);
            if !histogram.is_empty() {
                let _ = write!(text, " {}.", histogram.join(", "));
            }
        } else {
            let _ = write!(text, " {}.", self.pre_filter);
        }
        if !self.post_filter.is_empty() {
            let _ = write!(text, " {}", self.post_filter);
        }
        text.into()
    }

    /// `count reason`, sorted as strings.
    fn histogram(&self, pod: &PodInfo) -> Vec<String> {
        let mut counts: BTreeMap<Text, usize> = BTreeMap::new();
        for (rejection, count) in tally(self.rejected.iter().map(|(_, rejection)| *rejection)) {
            for reason in Own::reasons(self.own, rejection, pod) {
                *counts.entry(reason).or_default() += count;
            }
        }
        if !self.absent.is_empty() && self.rejected.len() < self.nodes {
            *counts.entry(self.absent.into()).or_default() += self.nodes - self.rejected.len();
        }
        let mut lines: Vec<String> =
            counts.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
        lines.sort_unstable();
        lines
    }
}

/// How often each rejection occurs. They are few, and equal ones come in runs.
fn tally(rejections: impl Iterator<Item = Rejection>) -> SmallVec<[(Rejection, usize); 8]> {
    let mut counts: SmallVec<[(Rejection, usize); 8]> = SmallVec::new();
    let mut last = 0;
    for rejection in rejections {
        if counts.get(last).is_none_or(|(have, _)| *have != rejection) {
            last = counts.iter().position(|(have, _)| *have == rejection).unwrap_or_else(|| {
                counts.push((rejection, 0));
                counts.len() - 1
            });
        }
        counts[last].1 += 1;
    }
    counts
}

/// A text cut to what an event may hold.
pub fn truncate_note(text: &str) -> Text {
    const MARK: &str = " ...";
    if text.len() <= NOTE_LENGTH {
        return text.into();
    }
    let mut end = NOTE_LENGTH - MARK.len();
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{MARK}", &text[..end]).into()
}

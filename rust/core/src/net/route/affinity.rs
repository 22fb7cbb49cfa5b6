//! Session affinity as the kernel keeps it: a list per endpoint of the clients it had.
//!
//! Rules look at the lists one after the other, and the first that has the client, not longer
//! than the timeout ago, decides. Every new connection notes the client in the list of its
//! endpoint. A list holds so many clients and forgets the one it has not seen for longest; when a
//! rule finds the client in a list, it also throws out the oldest of that list if its time is up
//! (`--reap`). Clients are known by their address alone.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

/// Clients a list of the kernel holds.
pub const LIST_MAX: u32 = 100;

/// An endpoint: the number of its address, and its port.
pub type End = (u32, u16);

/// The lists of one service port on one node.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Sticky {
    /// In which lists a client is.
    clients: BTreeMap<u32, SmallVec<[Seen; 1]>>,
    /// The clients of each list, the one not seen for longest first.
    lists: BTreeMap<End, BTreeMap<u64, u32>>,
    /// Counts notes.
    noted: u64,
}

/// A client's place in a list.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Seen {
    list: End,
    note: u64,
    at_ns: i64,
}

impl Sticky {
    /// The place, among endpoints in the order of the rules, of the one a client is used to.
    pub fn find(
        &mut self,
        client: u32,
        ends: impl Iterator<Item = End>,
        now_ns: i64,
        seconds: u32,
    ) -> Option<u32> {
        let seen = self.clients.get(&client)?.clone();
        let since = now_ns.saturating_sub(i64::from(seconds) * 1_000_000_000);
        let mut left = seen.len();
        for (place, end) in ends.enumerate() {
            let Some(found) = seen.iter().find(|seen| seen.list == end) else { continue };
            self.reap(end, since);
            if found.at_ns >= since {
                return Some(place as u32);
            }
            left -= 1;
            if left == 0 {
                break;
            }
        }
        None
    }

    /// Notes a client in the list of the endpoint it got.
    pub fn note(&mut self, client: u32, end: End, now_ns: i64, cap: Option<u32>) {
        self.noted += 1;
        let note = self.noted;
        let fresh = Seen { list: end, note, at_ns: now_ns };
        let seen = self.clients.entry(client).or_default();
        let list = self.lists.entry(end).or_default();
        if let Some(known) = seen.iter_mut().find(|seen| seen.list == end) {
            list.remove(&known.note);
            *known = fresh;
            list.insert(note, client);
            return;
        }
        seen.push(fresh);
        let is_full = cap.is_some_and(|cap| list.len() >= cap as usize);
        let oldest = if is_full { list.pop_first() } else { None };
        list.insert(note, client);
        if let Some((_, oldest)) = oldest {
            self.forget(oldest, end);
        }
    }

    /// Forgets the lists of endpoints that have no rules any more.
    pub fn keep(&mut self, mut has_rules: impl FnMut(End) -> bool) {
        let gone: Vec<End> = self.lists.keys().copied().filter(|end| !has_rules(*end)).collect();
        for end in gone {
            for client in self.lists.remove(&end).unwrap_or_default().into_values() {
                self.forget(client, end);
            }
        }
    }

    /// How many clients all lists have together.
    pub fn len(&self) -> usize {
        self.lists.values().map(BTreeMap::len).sum()
    }

    /// Whether no list has any.
    pub fn is_empty(&self) -> bool {
        self.clients.is_empty()
    }

    fn reap(&mut self, end: End, since_ns: i64) {
        let Some(list) = self.lists.get_mut(&end) else { return };
        let Some((note, client)) = list.first_key_value().map(|(note, client)| (*note, *client))
        else {
            return;
        };
        let seen = self.clients.get(&client).into_iter().flatten();
        if seen.filter(|seen| seen.list == end).all(|seen| seen.at_ns < since_ns) {
            list.remove(&note);
            self.forget(client, end);
        }
    }

    fn forget(&mut self, client: u32, end: End) {
        if let Some(seen) = self.clients.get_mut(&client) {
            seen.retain(|seen| seen.list != end);
            if seen.is_empty() {
                self.clients.remove(&client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{LIST_MAX, Sticky};

    const ENDS: [(u32, u16); 3] = [(1, 80), (2, 80), (3, 80)];
    const SECOND: i64 = 1_000_000_000;

    #[test]
    fn a_client_stays_until_its_time_is_up_and_every_connection_counts_anew() {
        let mut sticky = Sticky::default();
        sticky.note(7, ENDS[1], 0, Some(LIST_MAX));
        let mut find = |now: i64| sticky.find(7, ENDS.into_iter(), now * SECOND, 10);
        assert_eq!(find(10), Some(1));
        assert_eq!(find(11), None);
        assert_eq!(find(12), None, "it was thrown out");
        assert!(sticky.is_empty());
        sticky.note(7, ENDS[1], 0, None);
        sticky.note(7, ENDS[1], 9 * SECOND, None);
        assert_eq!(sticky.find(7, ENDS.into_iter(), 19 * SECOND, 10), Some(1));
    }

    #[test]
    fn the_earlier_rule_wins_when_a_client_is_in_two_lists() {
        let mut sticky = Sticky::default();
        sticky.note(7, ENDS[2], 5 * SECOND, None);
        sticky.note(7, ENDS[0], 0, None);
        assert_eq!(sticky.find(7, ENDS.into_iter(), 6 * SECOND, 10), Some(0));
        assert_eq!(sticky.find(7, ENDS.into_iter(), 12 * SECOND, 10), Some(2));
    }

    #[test]
    fn a_full_list_forgets_whom_it_has_not_seen_for_longest() {
        let mut sticky = Sticky::default();
        for client in 0..=LIST_MAX {
            sticky.note(client, ENDS[0], i64::from(client), Some(LIST_MAX));
            sticky.note(0, ENDS[0], i64::from(client), Some(LIST_MAX));
        }
        assert_eq!(sticky.len(), 100);
        let mut find = |client| sticky.find(client, ENDS.into_iter(), 100, 10);
        assert_eq!((find(0), find(1), find(2)), (Some(0), None, Some(0)));
    }

    #[test]
    fn a_rule_throws_out_one_client_at_a_time_and_only_when_it_finds_its_own() {
        let mut sticky = Sticky::default();
        for client in 0..3 {
            sticky.note(client, ENDS[0], i64::from(client), None);
        }
        sticky.note(9, ENDS[0], 20 * SECOND, None);
        let mut look = |client| {
            sticky.find(client, ENDS.into_iter(), 21 * SECOND, 10);
            sticky.len()
        };
        assert_eq!([look(8), look(9), look(9), look(9), look(9)], [4, 3, 2, 1, 1]);
    }

    #[test]
    fn lists_go_with_their_rules() {
        let mut sticky = Sticky::default();
        sticky.note(7, ENDS[0], 0, None);
        sticky.note(7, ENDS[1], 0, None);
        sticky.keep(|end| end == ENDS[1]);
        assert_eq!(sticky.find(7, ENDS.into_iter(), 0, 10), Some(1));
    }
}

//! stub
use crate::base::Time;
use crate::store::Store;
/// stub
#[derive(Clone, Debug, Default)]
pub struct Scheduler;
#[allow(missing_docs)]
impl Scheduler {
    pub fn new(_: u64) -> Self {
        Self
    }
    pub fn observe(&mut self, _: &Store, _: u64, _: u64) {}
    pub fn has_ready(&self, _: Time) -> bool {
        false
    }
    pub fn schedule_one(&mut self, _: &mut Store) -> Option<()> {
        None
    }
    pub fn next_retry(&self, _: Time) -> Option<Time> {
        None
    }
    pub fn next_flush(&self, _: Time) -> Option<Time> {
        None
    }
}

//! What every other module stands on: ids, time, random streams, documents, quantities and
//! copy-on-write storage. Depends on nothing else of this crate.

pub mod cow;
pub mod cow_index;
pub mod cow_map;
pub mod fast_map;
pub mod float;
pub mod ids;
pub mod intern;
pub mod ip;
pub mod latency;
pub mod names;
pub mod quantity;
pub mod quote;
pub mod random;
pub mod time;
pub mod value;

pub use cow::CowVec;
pub use cow_index::CowIndex;
pub use cow_map::CowMap;
pub use fast_map::{FastMap, FastSet, hash_of};
pub use intern::{Interner, StrId};
pub use latency::{Latencies, Latency};
pub use quantity::{Quantity, QuantityError};
pub use quote::go_quote;
pub use random::{Stream, Streams};
pub use time::{Nanos, Time};
pub use value::{Map, Text, Value};

//! Names: what a cluster's DNS answers, what a resolver in a pod asks, and the world outside.
//!
//! [`index`] knows what the names of the cluster stand for and [`cluster`] answers about them as
//! CoreDNS does. [`server`] is that CoreDNS: cache, forwarding and all. Names outside are in
//! zone files ([`master`]); [`authority`] has the servers of such zones and [`recursor`] asks
//! them from the root down. [`resolv`] writes a pod's resolv.conf and [`stub`] does what the C
//! libraries do with it. [`wire`] reads queries and writes replies ([`numbers`], [`spelled`]), [`decode`] shows messages to
//! people, [`serve`] is on real sockets.

pub mod authority;
pub mod cluster;
pub mod decode;
pub mod index;
pub mod master;
pub mod name;
pub mod numbers;
pub mod recursor;
pub mod resolv;
pub mod serve;
pub mod server;
pub mod spelled;
pub mod stub;
pub mod wire;

pub use server::Dns;

#[cfg(test)]
mod tests;

//! The network: which endpoints a Service has, and what nodes do with packets to it.
//!
//! [`endpoint`] says what one pod contributes to one Service, by which [`ports`]; [`slices`] is the
//! EndpointSlice controller, [`subsets`] writes Endpoints of the same, [`mirror`] turns Endpoints
//! written by hand into slices. From Services and slices, whoever wrote them, [`table`] compiles
//! what all nodes share: [`service_ports`] and their [`endpoints`]. [`rules`] writes it as
//! kube-proxy would on a node, [`health`] counts for load balancers, [`walk`] sends packets
//! through those rules, [`trace`] through all the kernel's hooks and tells each rule they meet,
//! [`owners`] knows whose an address is, [`replay`] answers recorded cases. [`route`] answers the
//! same without rules, for millions of packets. [`dns`] knows the names of it all.

pub mod dns;
pub mod endpoint;
pub mod endpoints;
pub mod health;
pub mod mirror;
pub mod owners;
pub mod ports;
pub mod replay;
pub mod route;
pub mod rules;
pub mod service_ports;
pub mod slices;
pub mod subsets;
pub mod table;
pub mod trace;
pub mod walk;

pub use service_ports::Family;
pub use slices::EndpointSlices;
pub use table::ServiceTable;

//! The network: which endpoints a Service has.
//!
//! [`endpoint`] says what one pod contributes to one Service; [`slices`] is the EndpointSlice
//! controller. Routing tables, DNS and Ingress read the slices and come later.

pub mod endpoint;
pub mod slices;

pub use slices::EndpointSlices;

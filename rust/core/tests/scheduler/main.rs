//! The scheduler from outside: recorded decisions of the real one, scenarios in its words,
//! and random clusters on which a naive reading of the rules must agree.

mod fast_and_plain;
mod golden;
mod gpu;
mod naive;
mod naive_neighbours;
mod properties;
mod remembered;
mod scenarios;
mod volumes;
mod world;

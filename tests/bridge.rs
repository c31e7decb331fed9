//! The bridge: real brokers, real servers of NATS, and both killed.

mod contradictions;
mod machines;
mod outbound;
mod retention;
mod security;

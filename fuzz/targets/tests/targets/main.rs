//! The targets under a property driver: for machines without a fuzzer.

mod mutations;
mod seeds;

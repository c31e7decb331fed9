//! The targets under a property driver: for machines without a fuzzer.

mod found;
mod mutations;
mod seeds;

//! The smallest inputs that once broke a promise.

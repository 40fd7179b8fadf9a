//! Typed client of a node and the command line for people.

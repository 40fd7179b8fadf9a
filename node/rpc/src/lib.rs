//! The JSON-RPC interface of a node.

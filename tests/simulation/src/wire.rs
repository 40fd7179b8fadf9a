//! What servers send each other.

use xln_network::{Answer, Code, Question, ServerId, Topic, delivery::Packet};

/// A message between two servers.
#[derive(Debug, Clone)]
pub(crate) enum Wire {
    Consensus { code: Code, bytes: Vec<u8> },
    Packet(Packet),
    Gossip { topic: Topic, bytes: Vec<u8> },
    Question(Question),
    Answer { question: Question, answer: Answer },
}

/// A message that leaves a server.
#[derive(Debug, Clone)]
pub(crate) enum Sent {
    To(ServerId, Wire),
    Everybody(Wire),
}

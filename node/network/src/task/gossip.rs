//! What everybody is told.

use libp2p::gossipsub::{self, PublishError};

use super::Task;
use crate::{Envelope, Event, GossipId, Refusal, ServerId, Topic, Verdict};

/// What is said of gossip that the node judged so.
const INVALID: &str = "gossip that the node found invalid";

impl Task {
    pub(super) fn publish(&mut self, topic: Topic, bytes: Vec<u8>) {
        let Some((hash, _)) = self.topics.iter().find(|(_, known)| *known == topic) else { return };
        let size = bytes.len();
        match self.swarm.behaviour_mut().gossip.publish(hash.clone(), bytes) {
            Ok(_) => self.counters.gossip.sent.add(size),
            // The same was published before: everybody who listens has it.
            Err(PublishError::Duplicate) => {}
            Err(error) => {
                tracing::debug!(%topic, %error, "not published");
                self.counters.drop_one();
            }
        }
    }

    pub(super) fn judge(&mut self, gossip: &GossipId, verdict: Verdict) {
        if verdict == Verdict::Reject {
            match ServerId::try_from(gossip.source) {
                Ok(source) => self.refuse(Refusal::Invalid, source, &INVALID),
                Err(_) => self.counters.refuse(Refusal::Invalid, &gossip.source, None, &INVALID),
            }
        }
        let GossipId { message, source } = gossip;
        // Too late is as good as no verdict.
        self.swarm.behaviour_mut().gossip.report_message_validation_result(message, source, verdict.into());
    }

    pub(super) fn gossip(&mut self, event: gossipsub::Event) {
        let gossipsub::Event::Message { propagation_source, message_id, message } = event else { return };
        let id = GossipId { message: message_id, source: propagation_source };
        match self.heard(&id, message) {
            Ok(()) => {}
            Err(verdict) => {
                let GossipId { message, source } = &id;
                let gossip = &mut self.swarm.behaviour_mut().gossip;
                gossip.report_message_validation_result(message, source, verdict.into());
            }
        }
    }

    /// Tells the node of a gossip. The error is the verdict if the node is not asked.
    fn heard(&mut self, id: &GossipId, message: gossipsub::Message) -> Result<(), Verdict> {
        let from = ServerId::try_from(id.source).map_err(|_| Verdict::Ignore)?;
        let topic = self.topics.iter().find(|(hash, _)| *hash == message.topic).map(|(_, topic)| *topic);
        let topic = topic.ok_or(Verdict::Ignore)?;
        // Who passes it on has checked the signature, and so has this server; the key says who signed.
        let author = message.source.and_then(|peer| ServerId::try_from(peer).ok()).ok_or(Verdict::Reject)?;
        self.make_ready(from);
        let size = message.data.len();
        if !self.admit(from, size) {
            return Err(Verdict::Ignore);
        }
        let envelope = Envelope::decode(&message.data, topic.codes(), self.limits.gossip_bytes);
        let Envelope { code, body } = envelope.map_err(|error| {
            self.refuse_message(from, &error);
            Verdict::Reject
        })?;
        self.counters.gossip.received.add(size);
        if let Some(session) = self.sessions.get(&from) {
            session.meters.received.add(size);
        }
        let held = self.room.hold(body.len(), body);
        let id = id.clone();
        let event = held.map(|body| Event::Gossip { topic, code, body, author, from, id });
        if self.tell_message(from, event) { Ok(()) } else { Err(Verdict::Ignore) }
    }
}

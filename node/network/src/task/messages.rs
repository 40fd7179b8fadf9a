//! Messages between two servers.

use std::sync::Arc;

use libp2p::request_response::{self, Message, ResponseChannel};
use tokio::sync::oneshot;

use super::{Awaited, Task, connections::Waiting};
use crate::{
    AskError, Envelope, EnvelopeError, Event, Protocol, Question, Refusal, Responder, SendError, ServerId,
    codec::{Wire, receipt},
    delivery::Packet,
    quota::Quota,
};

type DirectEvent = request_response::Event<Wire, Wire>;

impl Task {
    /// Sends to a connected server, after what waits before it.
    pub(super) fn send(
        &mut self,
        protocol: Protocol,
        server: ServerId,
        bytes: Arc<[u8]>,
        reply: Option<oneshot::Sender<Result<Envelope, AskError>>>,
    ) {
        let size = bytes.len();
        let limits = self.limits;
        let session = self.sessions.get_mut(&server).filter(|session| session.ready);
        let Some(session) = session else {
            self.counters.drop_one();
            if let Some(reply) = reply {
                // Whoever asked may have gone.
                let _ = reply.send(Err(AskError::NotConnected));
            }
            return;
        };
        let message = (Wire::Outgoing(bytes), size, reply);
        match session.backlogs[protocol as usize].push(size, message, &limits) {
            Ok(()) => self.pump(protocol, server),
            Err((_, _, reply)) => {
                self.counters.drop_one();
                if let Some(reply) = reply {
                    let _ = reply.send(Err(SendError::Busy.into()));
                }
            }
        }
    }

    /// Sends what waits and may be sent now.
    fn pump(&mut self, protocol: Protocol, server: ServerId) {
        let limits = self.limits;
        let next = |task: &mut Self| -> Option<Waiting> {
            task.sessions.get_mut(&server)?.backlogs[protocol as usize].next(&limits)
        };
        while let Some((wire, size, reply)) = next(self) {
            let id = self.swarm.behaviour_mut().direct(protocol).send_request(&server.peer(), wire);
            self.sent(protocol, server, size);
            self.awaited.insert((protocol, id), Awaited { server, protocol, reply });
        }
    }

    /// Counts what goes to a server.
    fn sent(&self, protocol: Protocol, server: ServerId, size: usize) {
        self.counters.of(protocol).sent.add(size);
        if let Some(session) = self.sessions.get(&server) {
            session.meters.sent.add(size);
        }
    }

    /// Counts what came from a server.
    fn received(&self, protocol: Protocol, server: ServerId, size: usize) {
        self.counters.of(protocol).received.add(size);
        if let Some(session) = self.sessions.get(&server) {
            session.meters.received.add(size);
        }
    }

    pub(super) fn answer(&mut self, server: ServerId, channel: ResponseChannel<Wire>, bytes: Vec<u8>) {
        self.sent(Protocol::Sync, server, bytes.len());
        // If the other side has gone, nobody needs the answer.
        let _ = self.swarm.behaviour_mut().sync.send_response(channel, Wire::Outgoing(bytes.into()));
    }

    pub(super) fn direct(&mut self, protocol: Protocol, event: DirectEvent) {
        match event {
            request_response::Event::Message { peer, message, .. } => {
                let Ok(server) = ServerId::try_from(peer) else { return };
                match message {
                    Message::Request { request: Wire::Incoming(size, envelope), channel, .. } => {
                        self.came(protocol, server, size, envelope, channel);
                    }
                    Message::Response { request_id, response: Wire::Incoming(size, envelope) } => {
                        self.ended(protocol, request_id, |task| {
                            task.received(protocol, server, size);
                            envelope.map_err(|error| {
                                task.refuse_message(server, &error);
                                AskError::Malformed(error.to_string())
                            })
                        });
                    }
                    // Only what was read comes.
                    Message::Request { .. } | Message::Response { .. } => {}
                }
            }
            request_response::Event::OutboundFailure { peer, request_id, error, .. } => {
                tracing::debug!(%peer, %protocol, %error, "not sent");
                self.counters.drop_one();
                self.ended(protocol, request_id, |_| Err(AskError::NoAnswer(error.to_string())));
            }
            request_response::Event::InboundFailure { peer, error, .. } => {
                tracing::debug!(%peer, %protocol, %error, "not received");
            }
            request_response::Event::ResponseSent { .. } => {}
        }
    }

    /// A message that was sent has its answer, or never will.
    fn ended(
        &mut self,
        protocol: Protocol,
        id: request_response::OutboundRequestId,
        answer: impl FnOnce(&mut Self) -> Result<Envelope, AskError>,
    ) {
        let Some(awaited) = self.awaited.remove(&(protocol, id)) else { return };
        let answer = answer(self);
        if let Some(reply) = awaited.reply {
            let _ = reply.send(answer);
        }
        if let Some(session) = self.sessions.get_mut(&awaited.server) {
            session.backlogs[awaited.protocol as usize].ended();
        }
        self.pump(awaited.protocol, awaited.server);
    }

    /// Notes a message that is none.
    pub(super) fn refuse_message(&self, server: ServerId, error: &EnvelopeError) {
        let reason = match error {
            EnvelopeError::Oversized { .. } => Refusal::Oversized,
            _ => Refusal::Malformed,
        };
        self.refuse(reason, server, error);
    }

    /// Whether a server may send so many bytes now.
    pub(super) fn admit(&mut self, server: ServerId, bytes: usize) -> bool {
        let now = self.now();
        let limits = &self.limits;
        if !self.quotas.contains_key(&server) && self.quotas.len() >= limits.known {
            let sessions = &self.sessions;
            self.quotas.retain(|server, _| sessions.contains_key(server));
        }
        let quota = self.quotas.entry(server);
        let admitted =
            quota.or_insert_with(|| Quota::new(limits.bytes, limits.messages, now)).admit(now, bytes);
        if !admitted {
            self.refuse(Refusal::Quota, server, &format_args!("a message of {bytes} bytes"));
        }
        admitted
    }

    fn came(
        &mut self,
        protocol: Protocol,
        server: ServerId,
        size: usize,
        envelope: Result<Envelope, EnvelopeError>,
        channel: ResponseChannel<Wire>,
    ) {
        // Whoever speaks a protocol with this genesis in its name is of this network.
        self.make_ready(server);
        let taken = match envelope {
            Err(error) => {
                self.refuse_message(server, &error);
                None
            }
            Ok(envelope) => self.admit(server, size).then_some(envelope),
        };
        let Some(envelope) = taken else { return self.reply(protocol, channel, false) };
        self.received(protocol, server, size);
        let told = match protocol {
            Protocol::Sync => return self.asked(server, &envelope, channel),
            Protocol::Consensus => self.tell_consensus(server, envelope),
            Protocol::Deliver => self.tell_packet(server, &envelope),
        };
        self.reply(protocol, channel, told);
    }

    /// Says whether a message was taken; a question that was not stays without an answer.
    fn reply(&mut self, protocol: Protocol, channel: ResponseChannel<Wire>, taken: bool) {
        if protocol != Protocol::Sync {
            let _ = self.swarm.behaviour_mut().direct(protocol).send_response(channel, receipt(taken));
        }
    }

    fn tell_consensus(&mut self, from: ServerId, envelope: Envelope) -> bool {
        let Envelope { code, body } = envelope;
        let held = self.room.hold(body.len(), body);
        self.tell_message(from, held.map(|body| Event::Consensus { from, code, body }))
    }

    fn tell_packet(&mut self, from: ServerId, envelope: &Envelope) -> bool {
        match Packet::from_envelope(envelope) {
            Ok(packet) => {
                let held = self.room.hold(envelope.body.len(), packet);
                self.tell_message(from, held.map(|packet| Event::Delivery { from, packet }))
            }
            Err(error) => {
                self.refuse_message(from, &error);
                false
            }
        }
    }

    fn asked(&mut self, from: ServerId, envelope: &Envelope, channel: ResponseChannel<Wire>) {
        let question = match Question::from_envelope(envelope) {
            Ok(question) => question,
            Err(error) => return self.refuse_message(from, &error),
        };
        let Some(commands) = self.answers.upgrade() else { return };
        let responder = Responder { to: from, channel, commands, answer_max: self.limits.answer_bytes };
        let held = self.room.hold(envelope.body.len(), question);
        self.tell_message(from, held.map(|question| Event::Question { from, question, responder }));
    }

    /// Tells the node of a message, if it has room for it.
    pub(super) fn tell_message(&mut self, from: ServerId, event: Option<Event>) -> bool {
        let told = self.is_told(from) && event.is_some_and(|event| self.events.try_send(event).is_ok());
        if !told {
            self.refuse(Refusal::Busy, from, &"too much waits for this node");
        }
        told
    }
}

//! The node's end of the network.

use std::sync::Arc;

use libp2p::{Multiaddr, request_response::ResponseChannel};
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
};

use crate::{
    AllowError, Answer, AskError, Code, Config, Counters, Envelope, Event, GossipId, Held, Limits, PeerInfo,
    Protocol, Question, SendError, ServerAddress, ServerId, StartError, Topic, Verdict, codec::Wire,
    delivery::Packet, held::Room, task::Task,
};

/// Most commands that wait, and most bytes of messages in them.
const COMMANDS: usize = 8_192;
const COMMAND_BYTES: usize = 64 << 20;

/// What the task is told to do.
#[derive(Debug)]
pub(crate) enum Command {
    Send(Protocol, Vec<ServerId>, Held<Arc<[u8]>>),
    Ask(ServerId, Arc<[u8]>, oneshot::Sender<Result<Envelope, AskError>>),
    Answer(ServerId, ResponseChannel<Wire>, Vec<u8>),
    Publish(Topic, Held<Vec<u8>>),
    Judge(GossipId, Verdict),
    Allow(ServerId, oneshot::Sender<Result<bool, AllowError>>),
    Disallow(ServerId, oneshot::Sender<Result<bool, AllowError>>),
    Reserve(ServerAddress),
    Release(ServerId),
    Peers(oneshot::Sender<Vec<PeerInfo>>),
}

/// Events in the order in which they happened.
#[derive(Debug)]
pub struct Events(mpsc::Receiver<Event>);

impl Events {
    /// The next one; `None` after the network has stopped.
    pub async fn next(&mut self) -> Option<Event> {
        self.0.recv().await
    }

    /// The next one, if it is there already.
    pub fn try_next(&mut self) -> Option<Event> {
        self.0.try_recv().ok()
    }
}

/// A server's connections to the others. Clones are the same one; the last one that is dropped stops it.
///
/// What sends or publishes never waits: if there is no room it says so, or the message is dropped and counted. Whoever needs
/// a message to arrive uses [`crate::delivery`].
#[derive(Debug, Clone)]
pub struct Network {
    server: ServerId,
    limits: Limits,
    commands: mpsc::Sender<Command>,
    room: Room,
    addresses: watch::Receiver<Vec<Multiaddr>>,
    counters: Arc<Counters>,
}

impl Network {
    /// Starts a server of a network. It listens when this returns. Needs a runtime of tokio around it, on which its task runs;
    /// the task ends when the last handle is dropped.
    pub fn start(config: Config) -> Result<(Self, Events, JoinHandle<()>), StartError> {
        let largest = config.limits.consensus_bytes.max(config.limits.deliver_bytes);
        let largest = largest.max(config.limits.gossip_bytes).max(config.limits.question_bytes);
        if u64::try_from(Envelope::wire_max(largest)).is_ok_and(|size| size > config.limits.bytes.burst) {
            return Err(StartError::Quota { size: largest, quota: config.limits.bytes.burst });
        }
        let (commands, taken) = mpsc::channel(COMMANDS);
        let (told, events) = mpsc::channel(config.limits.waiting.max(1));
        let (listening, addresses) = watch::channel(Vec::new());
        let counters = Arc::new(Counters::new());
        let (server, limits) = (config.key.server(), config.limits);
        let task = Task::new(config, taken, commands.downgrade(), told, listening, Arc::clone(&counters))?;
        let task = tokio::spawn(task.run());
        let network = Self { server, limits, commands, room: Room::new(COMMAND_BYTES), addresses, counters };
        Ok((network, Events(events), task))
    }

    /// Who this server is.
    #[must_use]
    pub const fn server(&self) -> ServerId {
        self.server
    }

    /// Where it listens, as far as is known yet. For address 0.0.0.0 all addresses of the machine are told, one after
    /// the other.
    pub fn addresses(&self) -> watch::Receiver<Vec<Multiaddr>> {
        self.addresses.clone()
    }

    /// What was sent, received and refused.
    #[must_use]
    pub fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }

    fn command(&self, command: Command) -> Result<(), SendError> {
        self.commands.try_send(command).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => SendError::Busy,
            mpsc::error::TrySendError::Closed(_) => SendError::Stopped,
        })
    }

    fn send(
        &self,
        protocol: Protocol,
        to: Vec<ServerId>,
        envelope: &Envelope,
        limit: usize,
    ) -> Result<(), SendError> {
        let (code, size) = (envelope.code, envelope.body.len());
        if !protocol.codes().contains(&code) {
            return Err(SendError::Code { place: protocol.name(), code });
        }
        if size > limit {
            return Err(SendError::oversized(protocol, size, limit));
        }
        let bytes: Arc<[u8]> = envelope.encode().into();
        let held = self.room.hold(bytes.len(), bytes).ok_or(SendError::Busy)?;
        self.command(Command::Send(protocol, to, held))
    }

    /// Sends a message of a consensus to members of a board. It is lost for those that are not connected.
    pub fn consensus(&self, to: Vec<ServerId>, code: Code, body: Vec<u8>) -> Result<(), SendError> {
        self.send(Protocol::Consensus, to, &Envelope { code, body }, self.limits.consensus_bytes)
    }

    /// Sends a packet of [`crate::delivery`]. It is lost if the server is not connected.
    pub fn deliver(&self, to: ServerId, packet: &Packet) -> Result<(), SendError> {
        self.send(Protocol::Deliver, vec![to], &packet.envelope(), self.limits.deliver_bytes)
    }

    /// Asks a server.
    pub async fn ask(&self, server: ServerId, question: &Question) -> Result<Answer, AskError> {
        let envelope = question.envelope();
        let (size, limit) = (envelope.body.len(), self.limits.question_bytes);
        if size > limit {
            return Err(SendError::oversized(Protocol::Sync, size, limit).into());
        }
        let (reply, answer) = oneshot::channel();
        self.command(Command::Ask(server, envelope.encode().into(), reply))?;
        let envelope = answer.await.map_err(|_| match self.commands.is_closed() {
            true => AskError::Send(SendError::Stopped),
            false => AskError::NoAnswer("the connection was lost".to_owned()),
        })??;
        Answer::from_envelope(&envelope).map_err(|error| AskError::Malformed(error.to_string()))
    }

    /// Publishes to everybody who follows a topic.
    pub fn publish(&self, topic: Topic, code: Code, body: Vec<u8>) -> Result<(), SendError> {
        let (place, size, limit) = (topic.name(), body.len(), self.limits.gossip_bytes);
        if !topic.codes().contains(&code) {
            return Err(SendError::Code { place, code });
        }
        if size > limit {
            return Err(SendError::Oversized { place, size, limit });
        }
        let bytes = Envelope { code, body }.encode();
        let held = self.room.hold(bytes.len(), bytes).ok_or(SendError::Busy)?;
        self.command(Command::Publish(topic, held))
    }

    /// Says what a gossip is worth. Without a verdict nobody else is told.
    pub fn judge(&self, gossip: GossipId, verdict: Verdict) -> Result<(), SendError> {
        self.command(Command::Judge(gossip, verdict))
    }

    /// Admits a server from now on, and dials it if an address of it is known. False if it was admitted before.
    pub async fn allow(&self, server: ServerId) -> Result<bool, AllowError> {
        self.change(|reply| Command::Allow(server, reply)).await
    }

    /// Does not admit a server any more; its connections are closed. False if it was not admitted before.
    pub async fn disallow(&self, server: ServerId) -> Result<bool, AllowError> {
        self.change(|reply| Command::Disallow(server, reply)).await
    }

    async fn change(
        &self,
        command: impl FnOnce(oneshot::Sender<Result<bool, AllowError>>) -> Command,
    ) -> Result<bool, AllowError> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(command(reply)).await.map_err(|_| AllowError::Stopped)?;
        answer.await.map_err(|_| AllowError::Stopped)?
    }

    /// Stays connected to a server from now on. It does not admit it: see [`Self::allow`].
    pub async fn reserve(&self, address: ServerAddress) -> Result<(), SendError> {
        self.commands.send(Command::Reserve(address)).await.map_err(|_| SendError::Stopped)
    }

    /// Does not seek the connection to a server any more, and forgets its addresses. One that is open stays.
    pub async fn release(&self, server: ServerId) -> Result<(), SendError> {
        self.commands.send(Command::Release(server)).await.map_err(|_| SendError::Stopped)
    }

    /// The connected servers, in order.
    pub async fn peers(&self) -> Result<Vec<PeerInfo>, SendError> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(Command::Peers(reply)).await.map_err(|_| SendError::Stopped)?;
        answer.await.map_err(|_| SendError::Stopped)
    }

    /// Notes that a server sent something that the node has found invalid.
    pub fn refuse(&self, from: ServerId, reason: crate::Refusal, detail: &dyn core::fmt::Display) {
        self.counters.refuse(reason, &from, None, detail);
    }
}

//! Servers of one network in memory, on a time of their own: production machines, each with an author that executes what it is
//! given when it is told to, and answers to questions that a test may change on the way.

use std::{
    cell::RefCell,
    collections::{BTreeMap, VecDeque},
    convert::Infallible,
    ops::Deref,
    path::Path,
    process::Command,
    sync::Arc,
    time::Duration,
};

use codec::Encode;
use xln_chain_spec::ChainSpec;
use xln_consensus::{Evidence, Row, VoteHistory};
use xln_integration::{Actor, certify};
use xln_keystore::{KeySigner, Scheme, Signer, dev_secret};
use xln_network::{Answer, Code, Question, ServerId, Topic, delivery::Packet};
use xln_node::consortium::{
    Directory, Environment, Identity, Input, Kept, LearnedHome, Machine, Notice, Serving, Shared, StoredRow,
    VoterClaim,
};
use xln_primitives::{
    Board, CallHash, Certificate, EntityId, FrameHeader, Hash, Height, SecretKey, Signature, SignerId,
    Timestamp,
};
use xln_runtime::{
    Adoption, Authentic, BoardProof, Certifier, CertifyError, DecidedFrame, Genesis, Inbound, Refusal,
    RuntimeCall, Server, ServerInput, SignedCall, SliceInputs, authenticate_calls,
};

/// Nobody signs alone here.
struct NoKeys;

impl Certifier for NoKeys {
    fn can_certify(&self, _entity: EntityId, _board: &Board) -> bool {
        false
    }

    fn certify(&self, _: usize, _: &Board, header: &FrameHeader) -> Result<Certificate, CertifyError> {
        Err(CertifyError { entity: header.entity, height: header.height, reason: "no key".to_owned() })
    }
}

/// The node around a machine.
pub(crate) struct Around {
    pub(crate) now: Duration,
    server: RefCell<Server>,
    pub(crate) frames: BTreeMap<(EntityId, Height), Vec<u8>>,
    /// Changes of the depositary's board.
    pub(crate) handovers: Vec<BoardProof>,
    queue: VecDeque<DecidedFrame>,
    adoptions: Vec<Adoption>,
    pub(crate) chunks: BTreeMap<(EntityId, Height, u32), Vec<u8>>,
    asked: VecDeque<(ServerId, Question)>,
    pub(crate) refused: Vec<(CallHash, Refusal)>,
    pub(crate) halts: Vec<(EntityId, String)>,
}

/// Frames that the author takes at once.
const ROOM: usize = 256;

impl Environment for Around {
    type Error = Infallible;

    fn time(&self) -> Timestamp {
        Timestamp::from_millis(u64::try_from(self.now.as_millis()).unwrap())
    }

    fn now(&self) -> Duration {
        self.now
    }

    fn entropy(&mut self) -> Result<[u8; 32], Infallible> {
        Ok([7; 32])
    }

    fn server(&self) -> impl Deref<Target = Server> + '_ {
        self.server.borrow()
    }

    fn append(&mut self, _rows: &[Row]) -> Result<(), Infallible> {
        Ok(())
    }

    fn vote_history(
        &mut self,
        _entity: &EntityId,
        _next: Height,
        _last: Option<(Height, u64)>,
        _enters: bool,
    ) -> Result<VoteHistory, Infallible> {
        Ok(VoteHistory::Whole)
    }

    fn log(&self, _entity: &EntityId) -> Result<Vec<StoredRow>, Infallible> {
        Ok(Vec::new())
    }

    fn frame(&self, entity: &EntityId, height: Height) -> Result<Option<Vec<u8>>, Infallible> {
        Ok(self.frames.get(&(*entity, height)).cloned())
    }

    fn learned(&self) -> Result<Vec<Board>, Infallible> {
        Ok(Vec::new())
    }

    fn learn(&mut self, _board: &Board) -> Result<(), Infallible> {
        Ok(())
    }

    fn halts(&self) -> Result<Vec<(EntityId, String)>, Infallible> {
        Ok(self.halts.clone())
    }

    fn halt(&mut self, entity: &EntityId, reason: &str) -> Result<(), Infallible> {
        self.halts.push((*entity, reason.to_owned()));
        Ok(())
    }

    fn learned_voters(&self) -> Result<Vec<VoterClaim>, Infallible> {
        Ok(Vec::new())
    }

    fn learn_voter(&mut self, _claim: &VoterClaim) -> Result<(), Infallible> {
        Ok(())
    }

    fn learned_homes(&self) -> Result<Vec<LearnedHome>, Infallible> {
        Ok(Vec::new())
    }

    fn learn_homes(&mut self, _homes: &[LearnedHome]) -> Result<(), Infallible> {
        Ok(())
    }

    fn sign(&self, _signer: &SignerId, _message: &[u8]) -> Option<Signature> {
        None
    }

    fn outbox(&self, _to: EntityId) -> Result<Vec<Kept>, Infallible> {
        Ok(Vec::new())
    }

    fn delivered(&mut self, _to: EntityId, _number: u64) {}

    fn keep_evidence(&mut self, _evidence: Evidence) -> Result<(), Infallible> {
        Ok(())
    }

    fn execute_frame(&mut self, frame: DecidedFrame) -> bool {
        let has_room = self.queue.len() < ROOM;
        if has_room {
            self.queue.push_back(frame);
        }
        has_room
    }

    fn refuse(&mut self, call: CallHash, refusal: Refusal) {
        self.refused.push((call, refusal));
    }

    fn keep_chunk(
        &mut self,
        entity: &EntityId,
        height: Height,
        index: u32,
        chunk: &[u8],
    ) -> Result<(), Infallible> {
        self.chunks.insert((*entity, height, index), chunk.to_vec());
        Ok(())
    }

    fn forget_chunks(&mut self, entity: &EntityId, height: Height) -> Result<(), Infallible> {
        self.chunks.retain(|(of, at, _), _| (of, at) != (entity, &height));
        Ok(())
    }

    fn adopt(&mut self, adoption: Adoption) {
        self.adoptions.push(adoption);
    }

    fn execute_messages(&mut self, _messages: Vec<Authentic<Inbound>>) {}

    fn send(&mut self, _to: Vec<ServerId>, _code: Code, _bytes: Vec<u8>) {}

    fn deliver(&mut self, _to: ServerId, _packet: Packet) {}

    fn publish(&mut self, _topic: Topic, _code: Code, _bytes: Vec<u8>) {}

    fn ask(&mut self, server: ServerId, question: Question) {
        self.asked.push_back((server, question));
    }
}

/// One server.
pub(crate) struct Peer {
    pub(crate) id: ServerId,
    pub(crate) machine: Machine<Around>,
    pub(crate) shared: Arc<Shared>,
    serving: Serving,
}

/// What a test does to an answer: whose it is, what was asked, what it says. None if it is lost.
pub(crate) type Tamper = Box<dyn FnMut(usize, &Question, Answer) -> Option<Answer>>;

/// The network.
pub(crate) struct Net {
    pub(crate) genesis: Genesis,
    pub(crate) depositary: EntityId,
    pub(crate) peers: Vec<Peer>,
    pub(crate) tamper: Tamper,
    /// Questions that were asked: who asked whom what.
    pub(crate) questions: Vec<(usize, usize, Question)>,
    now: Duration,
    /// The entity's whole history, which the servers of the network have or are to get.
    pub(crate) history: Vec<DecidedFrame>,
    ahead: Server,
    /// The one that decides the next frame.
    pub(crate) board: Board,
    spec: ChainSpec,
    /// The voting keys of the four, in the order of their names.
    pub(crate) secrets: Vec<SecretKey>,
    /// What servers that are started remember of entities that they halted.
    pub(crate) halts: Vec<(EntityId, String)>,
}

impl Net {
    /// A network of four validators and a hub, of which nobody runs yet.
    pub(crate) fn new(folder: &Path) -> Self {
        let out = folder.join("net");
        let written = Command::new(env!("CARGO_BIN_EXE_xln-node"))
            .args(["testnet", "--well-known", "--nodes", "4", "--hubs", "1", "--out"])
            .arg(&out)
            .output()
            .unwrap();
        assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
        let spec = ChainSpec::load(out.join("chain.json").to_str().unwrap()).unwrap();
        let genesis = Genesis { hosted: Some([].into()), ..spec.to_genesis().unwrap() };
        let depositary = genesis.depositary;
        let board = genesis.facts().unwrap().depositary_board.as_ref().clone();
        let secret = |n: u8| dev_secret(&format!("validator-{n}"), Scheme::Bls).unwrap();
        Self {
            ahead: genesis.build().unwrap(),
            depositary,
            genesis,
            peers: Vec::new(),
            tamper: Box::new(|_, _, answer| Some(answer)),
            questions: Vec::new(),
            halts: Vec::new(),
            now: Duration::from_secs(1_000),
            history: Vec::new(),
            board,
            spec,
            secrets: (1..=4).map(secret).collect(),
        }
    }

    /// The board decides so many frames that move time alone.
    pub(crate) fn decide(&mut self, count: usize) {
        let heartbeat = ServerInput::Heartbeat { entity: self.depositary };
        for _ in 0..count {
            self.decide_on(SliceInputs { server: vec![heartbeat.clone()], ..SliceInputs::default() });
        }
    }

    /// The board decides a frame of these inputs.
    pub(crate) fn decide_on(&mut self, inputs: SliceInputs) {
        let time = Timestamp::from_millis(1 + u64::try_from(self.history.len()).unwrap());
        let frame = self.frame(self.depositary, &self.board, time, inputs);
        let inputs = SliceInputs { frames: vec![frame.clone()], ..SliceInputs::default() };
        let executed = self.ahead.execute(time, Hash::ZERO, inputs, &NoKeys).unwrap();
        assert_eq!(executed.unfit, []);
        drop(self.ahead.commit(&executed));
        self.board = self.ahead.depositary().unwrap().board().clone();
        self.history.push(frame);
    }

    /// A frame that a board of validators decides of these inputs.
    pub(crate) fn frame(
        &self,
        entity: EntityId,
        board: &Board,
        time: Timestamp,
        inputs: SliceInputs,
    ) -> DecidedFrame {
        let boards = self.genesis.entities.iter().map(|entity| (entity.id, entity.board.clone())).collect();
        let proposal = self.ahead.propose(entity, time, Hash::ZERO, inputs, &boards).unwrap();
        let (body, header) = proposal.unwrap();
        DecidedFrame {
            certificate: certify(self.genesis.network, board, &header, &self.secrets),
            body,
            header,
        }
    }

    /// The next nonce of a signer at the depositary.
    pub(crate) fn nonce(&self, signer: &SignerId) -> u64 {
        pallet_entities::nonce(&self.ahead.depositary().unwrap().state(), signer).unwrap()
    }

    /// What a validator asks an entity for, as the first thing.
    pub(crate) fn call(
        &self,
        validator: usize,
        entity: EntityId,
        call: RuntimeCall,
    ) -> Authentic<SignedCall> {
        let actor = Actor::member("", self.board.clone(), self.secrets[validator].clone());
        let calls = vec![actor.sign(self.genesis.network, entity, 0, vec![call]).unwrap()];
        authenticate_calls(calls, self.genesis.network, Timestamp::from_millis(1), [1; 32]).remove(0).unwrap()
    }

    /// Starts a server, by its place in the chain spec, with the first `height` frames, of which it still has those from `first`
    /// on. It does not vote.
    pub(crate) fn start(&mut self, place: usize, height: usize, first: usize) -> usize {
        self.start_as(place, height, first, None)
    }

    /// A validator that has everything, and votes.
    pub(crate) fn start_voting(&mut self, place: usize) -> usize {
        let voter: Arc<dyn Signer> = Arc::new(KeySigner::new(self.secrets[place].clone()).unwrap());
        self.start_as(place, self.history.len(), 0, Some(voter))
    }

    fn start_as(
        &mut self,
        place: usize,
        height: usize,
        first: usize,
        voter: Option<Arc<dyn Signer>>,
    ) -> usize {
        let known = self.spec.known_servers().unwrap();
        let mut genesis = self.genesis.clone();
        genesis.hosted = Some(known[place].hosts.clone());
        let mut server = genesis.build().unwrap();
        let mut handovers = Vec::new();
        for frame in &self.history[..height] {
            let inputs = SliceInputs { frames: vec![frame.clone()], ..SliceInputs::default() };
            let executed = server.execute(frame.header.timestamp, Hash::ZERO, inputs, &NoKeys).unwrap();
            drop(server.commit(&executed));
            handovers.extend(executed.handovers);
        }
        let kept = self.history[..height].iter().skip(first);
        let frames = kept.map(|frame| ((self.depositary, frame.header.height), frame.encode())).collect();
        let around = Around {
            now: self.now,
            server: RefCell::new(server),
            frames,
            handovers,
            queue: VecDeque::new(),
            adoptions: Vec::new(),
            chunks: BTreeMap::new(),
            asked: VecDeque::new(),
            refused: Vec::new(),
            halts: self.halts.clone(),
        };
        let (id, shared) = (ServerId::new(known[place].key), Arc::new(Shared::default()));
        let identity = Identity { server: id, voter, stream: 1, snapshot_gap: 50 };
        let directory = Directory::new(&known).unwrap();
        let machine = Machine::start(around, identity, directory, Arc::clone(&shared)).unwrap();
        self.peers.push(Peer { id, machine, shared, serving: Serving::default() });
        let here = self.peers.len() - 1;
        for other in 0..here {
            let (one, two) = (self.peers[here].id, self.peers[other].id);
            self.peers[here].machine.take(Input::Connected(two)).unwrap();
            self.peers[other].machine.take(Input::Connected(one)).unwrap();
        }
        here
    }

    /// Height of the depositary at a server.
    pub(crate) fn height(&mut self, peer: usize) -> Height {
        let around = self.peers[peer].machine.environment();
        around.server().entity(&self.depositary).unwrap().head().unwrap().header.height
    }

    /// Whether a server has the very state that the history leads to.
    pub(crate) fn is_there(&mut self, peer: usize) -> bool {
        let expected = self.ahead.entity(&self.depositary).unwrap().head().cloned();
        let around = self.peers[peer].machine.environment();
        let found = around.server().entity(&self.depositary).unwrap().head().cloned();
        found == expected
    }

    /// Lets time pass, in steps of 100 ms, and everything happen.
    pub(crate) fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.now += Duration::from_millis(100);
            for place in 0..self.peers.len() {
                let machine = &mut self.peers[place].machine;
                machine.environment().now = self.now;
                machine.turn().unwrap();
            }
            // Questions and answers take no time.
            while self.answer() {}
            for place in 0..self.peers.len() {
                self.author(place);
            }
        }
    }

    /// Answers every question that was asked. False if there was none.
    fn answer(&mut self) -> bool {
        let mut asked = Vec::new();
        for (place, peer) in self.peers.iter_mut().enumerate() {
            let around = peer.machine.environment();
            asked.extend(around.asked.drain(..).map(|(to, question)| (place, to, question)));
        }
        let any = !asked.is_empty();
        for (asker, to, question) in asked {
            let Some(place) = self.peers.iter().position(|peer| peer.id == to) else { continue };
            self.questions.push((asker, place, question.clone()));
            let from = self.peers[asker].id;
            let Peer { machine, serving, .. } = &mut self.peers[place];
            let answer = match &question {
                Question::Snapshot { .. } | Question::Chunk { .. } => {
                    let around = machine.environment();
                    let (server, handovers) =
                        (around.server().clone(), |_: &EntityId| around.handovers.clone());
                    serving.answer((&server, handovers), self.now, from, &question)
                }
                _ => machine.answer(from, &question).unwrap(),
            };
            if let Some(answer) = (self.tamper)(place, &question, answer) {
                self.peers[asker].machine.take(Input::Answer { from: to, question, answer }).unwrap();
            }
        }
        for peer in &mut self.peers {
            peer.machine.turn().unwrap();
        }
        any
    }

    /// Executes what waits for the author of a server, 32 frames at a time.
    fn author(&mut self, place: usize) {
        loop {
            let machine = &mut self.peers[place].machine;
            let around = machine.environment();
            let count = around.queue.len().min(32);
            let frames: Vec<DecidedFrame> = around.queue.drain(..count).collect();
            let adopted = core::mem::take(&mut around.adoptions);
            if frames.is_empty() && adopted.is_empty() {
                return;
            }
            let inputs = SliceInputs { frames, adopted, ..SliceInputs::default() };
            let executed = around.server().execute(around.time(), Hash::ZERO, inputs, &NoKeys).unwrap();
            let notice = Notice::from(&executed);
            if executed.frames == 0 {
                machine.take(Input::GivenBack(notice)).unwrap();
                continue;
            }
            drop(around.server.borrow_mut().commit(&executed));
            for frame in &executed.slice.frames {
                around.frames.insert((frame.body.entity, frame.body.height), frame.encode());
            }
            around.handovers.extend(executed.handovers);
            machine.take(Input::Slice(notice)).unwrap();
            machine.turn().unwrap();
        }
    }

    /// How many questions of a kind one server asked another.
    pub(crate) fn asked(&self, from: usize, to: usize, kind: fn(&Question) -> bool) -> usize {
        let is_it = |(asker, asked, question): &&(usize, usize, Question)| {
            (*asker, *asked) == (from, to) && kind(question)
        };
        self.questions.iter().filter(is_it).count()
    }
}

pub(crate) fn is_frames(question: &Question) -> bool {
    matches!(question, Question::Frames { .. })
}

pub(crate) fn is_snapshot(question: &Question) -> bool {
    matches!(question, Question::Snapshot { .. })
}

pub(crate) fn is_chunk(question: &Question) -> bool {
    matches!(question, Question::Chunk { .. })
}

pub(crate) fn is_heights(question: &Question) -> bool {
    matches!(question, Question::Heights(_))
}

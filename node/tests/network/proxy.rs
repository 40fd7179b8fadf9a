//! Faults between servers: every connection from one to another goes through here.
//!
//! ```text
//!   server i ──dials──► port (i, j) ──┬─ bytes of i, as link i→j has it ─►┬──► server j
//!                                     └◄ bytes of j, as link j→i has it ──┘
//! ```
//!
//! Each server is told other addresses of the others, so the port tells who dials whom, and nobody needs permissions. A link
//! holds bytes up for its delay, and never reorders them, since TCP would not. A lost packet of TCP is one that comes a
//! retransmission later, with everything behind it: so is loss here. A silent link holds everything, as a cable that is
//! out; connections survive it if it ends before somebody's patience. A cut one closes connections and takes no new ones.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{mpsc, watch},
    time::Instant,
};

use crate::random::Random;

/// Bytes that are read at once; loss and jitter strike these.
const CHUNK: usize = 16 * 1024;
/// Chunks under way on one direction of a connection.
const UNDER_WAY: usize = 1_024;
/// What a loss costs beside two delays: the shortest time after which Linux sends again.
const RETRANSMISSION: Duration = Duration::from_millis(200);

/// Whether anything comes through.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Passage {
    /// Yes.
    #[default]
    Open,
    /// No, and nobody learns it.
    Silent,
    /// No: connections are closed.
    Cut,
}

/// One direction between two servers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) delay: Duration,
    /// At most so much more.
    pub(crate) jitter: Duration,
    /// Of a thousand chunks so many are lost once.
    pub(crate) lost: u64,
    /// Of a thousand chunks so many are the last ones of their connection.
    pub(crate) breaks: u64,
    pub(crate) bytes_per_second: Option<u32>,
    pub(crate) passage: Passage,
}

type Links = BTreeMap<(usize, usize), watch::Sender<Link>>;

/// The links between all servers.
pub(crate) struct Proxy {
    links: Arc<Links>,
    ports: BTreeMap<(usize, usize), u16>,
    /// What runs in it ends with it.
    _runtime: tokio::runtime::Runtime,
}

impl Proxy {
    /// Between servers that listen at these addresses.
    pub(crate) fn start(servers: &[SocketAddr], seed: u64) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let pairs = (0..servers.len()).flat_map(|from| (0..servers.len()).map(move |to| (from, to)));
        let pairs: Vec<(usize, usize)> = pairs.filter(|(from, to)| from != to).collect();
        let links: Links = pairs.iter().map(|pair| (*pair, watch::Sender::new(Link::default()))).collect();
        let links = Arc::new(links);
        let mut ports = BTreeMap::new();
        for (number, (from, to)) in (0_u64..).zip(pairs) {
            let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", 0))).unwrap();
            ports.insert((from, to), listener.local_addr().unwrap().port());
            let forth = links[&(from, to)].subscribe();
            let back = links[&(to, from)].subscribe();
            let pair = Pair { target: servers[to], forth, back };
            runtime.spawn(pair.listen(listener, Random::new(seed.wrapping_add(number << 32))));
        }
        Self { links, ports, _runtime: runtime }
    }

    /// Where one server reaches another.
    pub(crate) fn port(&self, from: usize, to: usize) -> u16 {
        self.ports[&(from, to)]
    }

    /// Changes one direction.
    pub(crate) fn change(&self, from: usize, to: usize, change: impl FnOnce(&mut Link)) {
        self.links[&(from, to)].send_modify(change);
    }

    /// Changes all links.
    pub(crate) fn change_all(&self, mut change: impl FnMut(&mut Link)) {
        for link in self.links.values() {
            link.send_modify(&mut change);
        }
    }

    /// Separates some servers from the rest, both ways.
    pub(crate) fn part(&self, some: &[usize], passage: Passage) {
        for ((from, to), link) in self.links.iter() {
            if some.contains(from) != some.contains(to) {
                link.send_modify(|link| link.passage = passage);
            }
        }
    }

    /// Opens every link, and leaves its other faults.
    pub(crate) fn heal(&self) {
        self.change_all(|link| link.passage = Passage::Open);
    }
}

/// Who dials whom, and how bytes fare both ways.
#[derive(Clone)]
struct Pair {
    target: SocketAddr,
    forth: watch::Receiver<Link>,
    back: watch::Receiver<Link>,
}

impl Pair {
    async fn listen(self, listener: TcpListener, mut random: Random) {
        while let Ok((stream, _)) = listener.accept().await {
            let seeds = (random.below(1 << 31), random.below(1 << 31));
            tokio::spawn(self.clone().carry(stream, seeds));
        }
    }

    /// One connection, until one side closes it or the link is cut.
    async fn carry(self, dialler: TcpStream, seeds: (u64, u64)) {
        let Self { target, mut forth, mut back } = self;
        let open = |link: &Link| link.passage != Passage::Silent;
        let (Ok(ahead), Ok(behind)) = (
            forth.wait_for(open).await.map(|link| link.passage),
            back.wait_for(open).await.map(|link| link.passage),
        ) else {
            return;
        };
        if ahead == Passage::Cut || behind == Passage::Cut {
            return;
        }
        let Ok(target) = TcpStream::connect(target).await else { return };
        if dialler.set_nodelay(true).and_then(|()| target.set_nodelay(true)).is_err() {
            return;
        }
        let ((from_dialler, to_dialler), (from_target, to_target)) =
            (dialler.into_split(), target.into_split());
        tokio::select! {
            () = pump(from_dialler, to_target, forth.clone(), seeds.0) => {}
            () = pump(from_target, to_dialler, back.clone(), seeds.1) => {}
            _ = forth.wait_for(|link| link.passage == Passage::Cut) => {}
            _ = back.wait_for(|link| link.passage == Passage::Cut) => {}
        }
    }
}

/// Carries one direction.
async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, link: watch::Receiver<Link>, seed: u64) {
    let (chunks, mut due) = mpsc::channel::<(Instant, Vec<u8>)>(UNDER_WAY);
    let mut random = Random::new(seed);
    let faults = link.clone();
    let read = async move {
        let (mut last, mut free) = (Instant::now(), Instant::now());
        loop {
            let mut chunk = vec![0; CHUNK];
            let Ok(count @ 1..) = from.read(&mut chunk).await else { return };
            chunk.truncate(count);
            let link = *faults.borrow();
            let now = Instant::now();
            if let Some(rate) = link.bytes_per_second {
                free = free.max(now) + Duration::from_secs_f64(count as f64 / f64::from(rate.max(1)));
            }
            let mut at = now.max(free) + link.delay;
            at += link.jitter.mul_f64(random.below(1_000) as f64 / 1_000.0);
            if random.below(1_000) < link.lost {
                at += RETRANSMISSION + 2 * link.delay;
            }
            last = last.max(at);
            let breaks = random.below(1_000) < link.breaks;
            if chunks.send((last, chunk)).await.is_err() || breaks {
                return;
            }
        }
    };
    let mut link = link;
    let write = async move {
        while let Some((at, chunk)) = due.recv().await {
            tokio::time::sleep_until(at).await;
            let open = link.wait_for(|link| link.passage == Passage::Open).await;
            if open.map(drop).is_err() || to.write_all(&chunk).await.is_err() {
                return;
            }
        }
    };
    // What was read before the end is still written.
    let read = async {
        read.await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = read => {}
        () = write => {}
    }
}

//! Servers in network namespaces of their own, as on machines of their own: joined by a bridge, and parted by moving their
//! cables to another one, so that packets vanish and nobody is told.
//!
//! ```text
//!   namespace of server n
//!     eth  10.b.0.n+1 ──cable── bridge, or the other bridge       what servers say to each other
//!     rpc  10.b.1.n+1 ──cable── control bridge, 10.b.1.254        what the test asks them
//! ```

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    process::Command,
};

/// Where servers listen.
const PORT: u16 = 30_333;

/// Namespaces, cables and bridges, removed when this is dropped.
pub(crate) struct Namespaces {
    /// Number of this process among those on the machine: part of every name and address.
    mark: u8,
    servers: usize,
}

impl Namespaces {
    /// For so many servers. Says why if this process may not make them.
    pub(crate) fn new(servers: usize) -> Result<Self, String> {
        // One bridge of that name can exist: whoever makes it has the number.
        let mark = (1..=u8::MAX).find(|mark| ip(&format!("link add xln{mark}c type bridge")).is_ok());
        let Some(mark) = mark else {
            return Err(ip("link add xln0c type bridge")
                .err()
                .unwrap_or_else(|| "too many of them".to_owned()));
        };
        let this = Self { mark, servers };
        this.lay()?;
        Ok(this)
    }

    fn lay(&self) -> Result<(), String> {
        let mark = self.mark;
        ip(&format!("link add xln{mark}a type bridge"))?;
        ip(&format!("link add xln{mark}b type bridge"))?;
        for bridge in ["a", "b", "c"] {
            ip(&format!("link set xln{mark}{bridge} up"))?;
        }
        ip(&format!("addr add 10.{mark}.1.254/24 dev xln{mark}c"))?;
        for place in 0..self.servers {
            let space = self.space(place);
            ip(&format!("netns add {space}"))?;
            ip(&format!("-n {space} link set lo up"))?;
            for (cable, bridge, address) in
                [("e", "a", self.address(place).ip()), ("r", "c", self.control(place))]
            {
                let (outer, inner) = (self.cable(cable, place), if cable == "e" { "eth" } else { "rpc" });
                ip(&format!("link add {outer} type veth peer name {inner} netns {space}"))?;
                ip(&format!("link set {outer} master xln{mark}{bridge}"))?;
                ip(&format!("link set {outer} up"))?;
                ip(&format!("-n {space} addr add {address}/24 dev {inner}"))?;
                ip(&format!("-n {space} link set {inner} up"))?;
            }
        }
        Ok(())
    }

    fn space(&self, place: usize) -> String {
        format!("xln{}-{place}", self.mark)
    }

    fn cable(&self, kind: &str, place: usize) -> String {
        format!("xln{}{kind}{place}", self.mark)
    }

    fn host(&self, net: u8, place: usize) -> IpAddr {
        Ipv4Addr::new(10, self.mark, net, u8::try_from(place + 1).unwrap()).into()
    }

    /// Where a server listens for others.
    pub(crate) fn address(&self, place: usize) -> SocketAddr {
        (self.host(0, place), PORT).into()
    }

    /// Where it answers questions.
    pub(crate) fn control(&self, place: usize) -> IpAddr {
        self.host(1, place)
    }

    /// A command that runs as a server.
    pub(crate) fn command(&self, place: usize, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.space(place), program]);
        command
    }

    /// Moves the cables of some servers to a bridge of their own.
    pub(crate) fn part(&self, some: &[usize]) {
        self.plug(some, "b");
    }

    /// Moves them back.
    pub(crate) fn heal(&self, some: &[usize]) {
        self.plug(some, "a");
    }

    fn plug(&self, some: &[usize], bridge: &str) {
        for place in some {
            ip(&format!("link set {} master xln{}{bridge}", self.cable("e", *place), self.mark)).unwrap();
        }
    }

    /// Holds up whatever a server sends. Fails where the kernel has no netem.
    pub(crate) fn delay(&self, place: usize, ms: u32) -> Result<(), String> {
        run("tc", &format!("-n {} qdisc add dev eth root netem delay {ms}ms", self.space(place)))
    }
}

impl Drop for Namespaces {
    fn drop(&mut self) {
        // What was not made cannot be removed. Cables go with their namespaces.
        for place in 0..self.servers {
            let _ = ip(&format!("netns del {}", self.space(place)));
        }
        for bridge in ["a", "b", "c"] {
            let _ = ip(&format!("link del xln{}{bridge}", self.mark));
        }
    }
}

fn ip(arguments: &str) -> Result<(), String> {
    run("ip", arguments)
}

fn run(program: &str, arguments: &str) -> Result<(), String> {
    let done = Command::new(program).args(arguments.split(' ')).output();
    let done = done.map_err(|error| format!("{program} {arguments}: {error}"))?;
    if done.status.success() {
        return Ok(());
    }
    Err(format!("{program} {arguments}: {}", String::from_utf8_lossy(&done.stderr).trim()))
}

//! The same servers with a network of their own each.

use crate::{
    faults::more,
    judge::{judge, wealth},
    load::Load,
    namespaces::Namespaces,
    process::eventually,
    servers::{Servers, Wires},
};

/// Servers joined by a bridge; none, said on the output, where this process may not make one.
fn servers(validators: usize, hubs: usize) -> Option<Servers> {
    let namespaces = match Namespaces::new(validators + hubs) {
        Ok(namespaces) => namespaces,
        Err(reason) => {
            println!("SKIPPED: network namespaces need CAP_NET_ADMIN and iproute2 here: {reason}");
            return None;
        }
    };
    let addresses = (0..validators + hubs).map(|place| namespaces.address(place)).collect();
    Some(Servers::between(validators, hubs, addresses, Wires::Namespaces(namespaces)))
}

#[test]
fn on_networks_of_their_own_servers_lose_cables_and_processes_and_nothing_else() {
    let Some(mut servers) = servers(4, 2) else { return };
    servers.run_all();
    let before = eventually("a quiet network", || wealth(&servers));
    let load = Load::start(&servers);
    more(&load, 10, 3);
    servers.namespaces().part(&[3]);
    more(&load, 20, 5);
    servers.kill(2);
    // Two of four: nothing can be decided until the cable is back.
    servers.namespaces().heal(&[3]);
    more(&load, 20, 5);
    servers.run(2);
    more(&load, 20, 5);
    let known = load.stop();
    let frames = judge(&servers, &known, before);
    println!("{} payments, {} transfers, {frames} frames", known.payments.len(), known.transfers);
}

#[test]
fn seven_servers_far_apart_decide_where_the_kernel_can_hold_packets_up() {
    let Some(mut servers) = servers(7, 2) else { return };
    for place in servers.all() {
        if let Err(reason) = servers.namespaces().delay(place, 50) {
            println!("SKIPPED: no delay in this kernel: {reason}");
            return;
        }
    }
    servers.run_all();
    crate::delay::measure("7 validators, 50 ms one way by netem", &servers, |_| servers.commit());
}

//! The consortium's own board changes while users pay: a server that followed becomes a validator, another one leaves.

use serde_json::json;

use crate::{
    faults::more,
    judge::{judge, wealth},
    load::Load,
    process::eventually,
    servers::Servers,
};

/// Waits until a server votes for the depositary, or does no more.
fn until_votes(servers: &Servers, place: usize, votes: bool) {
    eventually("the server knows that the board has changed", || {
        let status = servers.ask(place, "consensus.status", json!({}))?;
        if status[0]["votes"] == votes { Ok(()) } else { Err(status.to_string()) }
    });
}

#[test]
fn a_validator_joins_and_another_leaves_and_no_payment_is_missed() {
    let mut servers = Servers::new(4, 3, 11);
    // Nobody lives on the third hub: it follows the depositary, as anybody does who is going to be a validator.
    let newcomer = servers.hub() + 2;
    let member = servers.give_voting_key(newcomer);
    servers.run_all();
    let before = eventually("a quiet network", || wealth(&servers));
    let load = Load::start(&servers);
    more(&load, 20, 5);

    servers.decide_by_vote(0, &[1, 2], &json!({ "addMember": { "member": member } }));
    until_votes(&servers, newcomer, true);
    more(&load, 20, 5);

    let board = servers.ask(1, "entity.getState", json!({ "entity": "depositary" })).unwrap();
    let leaver = &board["board"]["members"][0]["signer"];
    servers.decide_by_vote(1, &[2, newcomer], &json!({ "removeMember": { "member": leaver } }));
    until_votes(&servers, 0, false);
    more(&load, 20, 5);
    assert_eq!(load.failures(), Vec::<String>::new());

    // Three of the four decide: now the newcomer's vote is needed.
    servers.kill(1);
    more(&load, 20, 3);
    servers.run(1);
    let known = load.stop();
    let frames = judge(&servers, &known, before);
    println!("{} payments, {} transfers, {frames} frames", known.payments.len(), known.transfers);
}

//! How members decide: what the commands ask, and how a decision reads.

use serde_json::{Value, json};

use crate::{
    node::{Node, party, usd},
    stderr, stdout, xln,
};

fn id(byte: &str) -> String {
    format!("0x{}", byte.repeat(32))
}

fn person(label: &str) -> Value {
    json!({ "signer": id(&format!("{:02x}", label.len())), "entity": null, "label": label })
}

fn vote(member: &str, choice: Value, through: Value) -> Value {
    json!({
        "member": person(member), "weight": 1, "mayVote": true, "choice": choice, "at": null, "through": through,
    })
}

fn proposal(status: &str) -> Value {
    json!({
        "entity": party("acme"), "number": "3", "status": status, "reason": null, "proposer": person("anna"),
        "actions": [
            { "code": 0x43, "text": "transfer 500.00 USD to bob", "call": "0x43" },
            { "code": 2, "text": "call itself \u{1b}[2Jacme", "call": "0x02" },
        ],
        "created": 1_795_251_750_000_u64, "expires": 4_107_542_400_000_u64, "decided": null,
        "approving": 2, "rejecting": 1, "votable": 4, "needed": 3, "missing": 1,
        "votes": [
            vote("anna", json!("approve"), Value::Null),
            vote("berta", json!("reject"), Value::Null),
            vote("carla", json!("approve"), person("anna")),
            vote("dora", Value::Null, Value::Null),
        ],
    })
}

fn decided(proposal: Value) -> Value {
    json!({ "call": id("ef"), "entity": party("acme"), "proposal": proposal })
}

#[test]
fn a_proposal_says_who_voted_what_is_missing_when_it_ends_and_what_it_would_do() {
    let node = Node::start(vec![
        ("entity.getProposal", Ok(proposal("pending"))),
        ("entity.proposals", Ok(json!([proposal("pending")]))),
    ]);
    let text = stdout(&xln(&node.url, "--as acme entity proposal 3"));
    assert_eq!(node.asked("entity.getProposal"), json!({ "entity": "acme", "proposal": "3" }));
    assert!(
        text.starts_with("proposal 3 of acme: pending\n  would     transfer 500.00 USD to bob\n"),
        "{text}"
    );
    for part in [
        "made      by anna, 2026-11-21 09:02:30 UTC",
        "open      until 2100-03-01 00:00:00 UTC, ",
        "2 for it, 1 against it, 3 needed of 4 that may vote: 1 missing",
        "not yet",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    assert!(!text.contains('\u{1b}'), "{text}");
    let line = text.lines().find(|line| line.contains("carla")).unwrap();
    assert!(line.contains("approves") && line.trim_end().ends_with("anna"), "{line}");
    let list = stdout(&xln(&node.url, "--as acme entity proposals"));
    assert!(list.contains("transfer 500.00 USD to bob; then call itself"), "{list}");
    assert_eq!(node.asked("entity.proposals")["open"], true);
    let json: Value = serde_json::from_str(&stdout(&xln(&node.url, "-o json entity proposal 3"))).unwrap();
    assert_eq!(json["missing"], 1);
}

fn term(first: &str, last: Value, hash: &str) -> Value {
    let member = json!({
        "signer": id("07"), "entity": null, "scheme": "ed25519", "publicKey": "0x07", "delegate": null, "weight": 1,
        "permissions": 255,
    });
    let board = json!({ "hash": id(hash), "members": [member], "threshold": 1, "profile": "crashFault" });
    json!({ "board": board, "first": first, "last": last })
}

#[test]
fn boards_are_listed_with_their_frames_and_a_proof_says_who_keeps_it() {
    let header = json!({
        "hash": id("01"), "entity": party("depositary"), "height": "12", "parent": id("02"), "timestamp": 1_000,
        "boardHash": id("cc"), "inputsRoot": id("03"), "stateRoot": id("04"), "outputsRoot": id("05"),
    });
    let row =
        json!({ "key": "0x01", "value": "0x02", "proof": "0x0304", "header": header, "certificate": "0x05" });
    let former = || term("1", json!("40"), "aa");
    let proven = |proof: Value, encoded: Value| json!({ "entity": party("acme"), "term": former(), "board": "0x06", "proof": proof, "encoded": encoded });
    let node = Node::start(vec![
        ("entity.boards", Ok(json!([former(), term("41", Value::Null, "bb")]))),
        ("entity.getBoardProof", Ok(proven(row.clone(), json!("0x07")))),
    ]);
    let list = stdout(&xln(&node.url, "entity boards acme"));
    assert!(
        list.contains("1 to 40") && list.contains("from 41 on") && list.contains("crash-fault"),
        "{list}"
    );
    let asked = json!({ "entity": "acme", "after": null, "limit": 100 });
    assert_eq!(node.asked("entity.boards"), asked);
    let proof = stdout(&xln(&node.url, "entity board-proof acme --height 40"));
    assert!(proof.contains("depositary, after frame 12") && proof.contains("2 bytes"), "{proof}");
    assert_eq!(node.asked("entity.getBoardProof"), json!({ "entity": "acme", "height": "40" }));

    assert!(!proof.contains("frames after 12"), "the depositary proves all of another's term: {proof}");

    let own = json!({ "entity": party("depositary"), "term": term("3", Value::Null, "bb"), "board": "0x06", "proof": row, "encoded": "0x07" });
    let own = Node::start(vec![("entity.getBoardProof", Ok(own))]);
    let proof = stdout(&xln(&own.url, "entity board-proof depositary"));
    assert!(proof.contains("from 3 on") && proof.contains("for frames after 12"), "{proof}");

    let lazy = Node::start(vec![("entity.getBoardProof", Ok(proven(Value::Null, Value::Null)))]);
    let proof = stdout(&xln(&lazy.url, "entity board-proof acme"));
    assert!(proof.contains("the identifier is the hash of the board"), "{proof}");
}

#[test]
fn proposing_names_the_exact_sum_the_time_and_the_member() {
    let node = Node::start(vec![("entity.propose", Ok(decided(proposal("pending"))))]);
    let output = xln(&node.url, "--as acme entity propose transfer bob 500usd --for 2d --signer anna");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).contains("1 missing"), "{}", stdout(&output));
    assert_eq!(
        node.asked("entity.propose"),
        json!({
            "entity": "acme", "lifetimeMs": 172_800_000, "signer": "anna", "member": null, "wait": true,
            "actions": [{ "transfer": { "to": "bob", "asset": usd(), "amount": "50000" } }],
        })
    );
    let output = xln(&node.url, "--as acme entity propose --in dao policy company");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let asked = node.asked("entity.propose");
    assert_eq!((&asked["entity"], &asked["member"]), (&json!("dao"), &json!("acme")));
    assert_eq!(asked["actions"], json!([{ "setPolicy": { "policy": { "preset": "company" } } }]));
}

#[test]
fn a_file_of_calls_holds_actions_and_encoded_calls() {
    let node = Node::start(vec![("entity.propose", Ok(decided(proposal("executed"))))]);
    let folder = std::env::temp_dir().join(format!("xln-calls-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("calls.json");
    let list = json!([{ "rename": { "name": "acme" } }, "0x4301"]);
    std::fs::write(&file, list.to_string()).unwrap();
    let line = format!("--as acme entity propose calls {}", file.display());
    let output = xln(&node.url, &line);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let rename = json!({ "rename": { "name": "acme", "description": "" } });
    assert_eq!(node.asked("entity.propose")["actions"], json!([rename, { "call": "0x4301" }]));
    std::fs::write(&file, r#"[{"fly": {}}]"#).unwrap();
    let wrong = xln(&node.url, &line);
    assert_eq!(wrong.status.code(), Some(64));
    assert!(stderr(&wrong).contains("action 0: unknown variant `fly`"), "{}", stderr(&wrong));
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(xln(&node.url, &line).status.code(), Some(64));
}

#[test]
fn a_vote_of_a_member_entity_is_given_in_the_other_entity() {
    let node = Node::start(vec![
        ("entity.vote", Ok(decided(proposal("pending")))),
        ("entity.delegate", Ok(decided(Value::Null))),
    ]);
    let output = xln(&node.url, "--as acme entity vote 7 --reject --in dao");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(
        node.asked("entity.vote"),
        json!({
            "entity": "dao", "proposal": "7", "choice": "reject", "signer": null, "member": "acme", "wait": true,
        })
    );
    let output = xln(&node.url, "--as acme entity delegate anna --signer carl --for 12h");
    assert!(stdout(&output).starts_with("the votes of anna count until then"), "{}", stdout(&output));
    assert!(node.asked("entity.delegate")["until"].is_u64());
    let output = xln(&node.url, "--as acme entity delegate --signer carl");
    assert!(stdout(&output).starts_with("the delegation has ended"), "{}", stdout(&output));
    assert_eq!(node.asked("entity.delegate")["until"], Value::Null);
}

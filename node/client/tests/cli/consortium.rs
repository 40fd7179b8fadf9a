//! Other servers and boards, as an operator sees them.

use serde_json::{Value, json};

use crate::{
    node::{Node, party},
    stderr, stdout, xln,
};

fn peers() -> Value {
    json!([
        {
            "id": "12D3KooWHg9Kcepp2mWMfMR8qdg5UXeee7ewkXxo7GqDWzegUPpD", "name": "bank-b", "connected": true,
            "validator": true, "allowed": true, "direction": "out", "addresses": ["/ip4/192.0.2.8/tcp/30333"],
            "agent": "xln-node/0.1.0", "connectedMs": "40000", "roundTripUs": "412",
            "messagesSent": "9", "bytesSent": "12345", "messagesReceived": "8", "bytesReceived": "999",
        },
        {
            "id": "12D3KooWBH6wNcL2tr8oj2Z7Zim75ToB37bFTrd2iiUh4KXhmX5f", "name": null, "connected": false,
            "validator": false, "allowed": false, "direction": null, "addresses": [], "agent": null,
            "connectedMs": null, "roundTripUs": null, "messagesSent": "0", "bytesSent": "0",
            "messagesReceived": "0", "bytesReceived": "0",
        },
    ])
}

#[test]
fn an_operator_sees_who_is_connected_and_how() {
    let node = Node::start(vec![("system.peers", Ok(peers()))]);
    let text = stdout(&xln(&node.url, "peer list"));
    assert!(text.starts_with("1 of 2 servers are connected\n"), "{text}");
    for word in
        ["bank-b", "…WzegUPpD", "out, 40 s", "/ip4/192.0.2.8/tcp/30333", "0.41 ms", "12.3 kB", "999 B"]
    {
        assert!(text.contains(word), "{word} is not in\n{text}");
    }
    let csv = stdout(&xln(&node.url, "-o csv peer list"));
    assert!(csv.contains(",412,12345,999,yes,yes\r\n"), "{csv}");
}

#[test]
fn a_change_says_what_it_means_in_commands() {
    let changed = json!({
        "id": "12D3KooW", "name": "hub-1", "changed": true, "note": "system.disallowPeer ends that",
    });
    let node = Node::start(vec![("system.removePeer", Ok(changed))]);
    let text = stdout(&xln(&node.url, "peer remove hub-1"));
    assert_eq!(text, "hub-1 is not sought any more\nxln peer disallow ends that\n");
    assert_eq!(node.asked("system.removePeer"), json!({ "peer": "hub-1" }));
    let usage = xln(&node.url, "peer add");
    assert!(stderr(&usage).contains("<ADDRESS>"), "{}", stderr(&usage));
}

#[test]
fn evidence_shows_what_contradicts_what_and_the_proof_in_full_for_programs() {
    let frame = format!("0x{}", "31".repeat(32));
    let piece = json!({
        "entity": party("depositary"), "height": "812", "round": 0, "kind": "precommit", "member": 2,
        "key": null, "server": "bank-c", "board": format!("0x{}", "00".repeat(32)),
        "first": { "frame": frame, "validRound": null, "signature": "0x01" },
        "second": { "frame": null, "validRound": null, "signature": "0x02" },
        "evidence": "0x00112233445566778899",
    });
    let node = Node::start(vec![("consensus.evidence", Ok(json!([piece])))]);
    let text = stdout(&xln(&node.url, "consensus evidence depositary --from 800"));
    for word in ["depositary", "812", "bank-c", "precommit", "0x31313131…", "none"] {
        assert!(text.contains(word), "{word} is not in\n{text}");
    }
    assert_eq!(
        node.asked("consensus.evidence"),
        json!({ "entity": "depositary", "from": "800", "limit": 100 })
    );
    assert!(stdout(&xln(&node.url, "-o csv consensus evidence")).contains(",0x00112233445566778899\r\n"));
}

//! The story of the tutorial: open, pay, look.

use serde_json::{Value, json};
use xln_rpc::RpcError;

use crate::{
    node::{Answer, Node, channel, hosted, party, payment, usd},
    stderr, stdout, xln,
};

const BAR: &str = "[----|-------------.]";

fn submitted() -> Value {
    let hash = format!("0x{}", "ef".repeat(32));
    json!({ "hash": hash, "receipt": {
        "hash": hash, "entity": party("bob"), "height": "1", "block": null, "status": "succeeded", "error": null,
        "events": [{ "name": "ChannelOpened" }], "changes": [],
    } })
}

#[test]
fn opening_a_channel_grants_the_exact_credit_and_shows_the_bar() {
    let node =
        Node::start(vec![("channel.open", Ok(submitted())), ("channel.get", Ok(channel("bob", "hub", BAR)))]);
    let output = xln(&node.url, "--as bob channel open --with hub --credit 500usd");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let asked = node.asked("channel.open");
    assert_eq!((&asked["entity"], &asked["peer"]), (&json!("bob"), &json!("hub")));
    assert_eq!((&asked["credit"], &asked["asset"]), (&json!("50000"), &json!(usd())));
    assert_eq!(asked["wait"], true);
    let text = stdout(&output);
    assert!(text.starts_with("the channel with hub is open; hub may owe up to 500.00 USD\n"), "{text}");
    assert!(text.contains(BAR), "{text}");
}

#[test]
fn without_waiting_the_answer_is_the_hash_to_follow() {
    let node = Node::start(vec![(
        "channel.open",
        Ok(json!({ "hash": format!("0x{}", "ef".repeat(32)), "receipt": null })),
    )]);
    let output = xln(&node.url, "--as bob --no-wait openchannel --with hub --credit 1.5eth");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(node.asked("channel.open")["wait"], false);
    assert_eq!(node.asked("channel.open")["credit"], "1500000000000000000");
    assert!(stdout(&output).contains("xln receipt 0xefef"), "{}", stdout(&output));
}

#[test]
fn paying_says_what_it_cost_and_shows_the_channel_it_went_over() {
    let node = Node::start(vec![
        ("payment.send", Ok(payment("succeeded", &Value::Null))),
        ("channel.list", Ok(json!([channel("alice", "hubhub", BAR)]))),
    ]);
    let output = xln(&node.url, "--as alice pay bob 120usd --max-fee 1usd --via hub");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let asked = node.asked("payment.send");
    assert_eq!(
        (&asked["to"], &asked["amount"], &asked["maxFee"]),
        (&json!("bob"), &json!("12000"), &json!("100"))
    );
    assert_eq!(asked["via"], json!(["hub"]));
    let text = stdout(&output);
    assert!(text.starts_with("paid 120.00 USD to bob, fee 0.12 USD, in "), "{text}");
    assert!(text.contains(BAR), "{text}");
    let spaced = xln(&node.url, "--as alice pay bob 1.5 eth");
    assert_eq!(spaced.status.code(), Some(0), "{}", stderr(&spaced));
    assert_eq!(node.asked("payment.send")["amount"], "1500000000000000000");
}

#[test]
fn a_payment_that_fails_is_75_with_reason_and_hint() {
    let failure = json!({
        "name": "Capacity", "message": "needs 120, can send 80: 30 collateral + 50 credit", "hop": 1,
        "at": party("hub"), "hint": "ask bob to grant more credit",
    });
    let node = Node::start(vec![("payment.send", Ok(payment("failed", &failure)))]);
    let output = xln(&node.url, "--as alice pay bob 120usd");
    assert_eq!(output.status.code(), Some(75));
    assert!(stdout(&output).is_empty());
    assert_eq!(
        stderr(&output),
        "error: the payment failed at hub: needs 120, can send 80: 30 collateral + 50 credit\n \
         hint: ask bob to grant more credit\n"
    );
}

#[test]
fn a_refusal_keeps_its_numbers_and_has_its_exit_code() {
    let refusal =
        RpcError::new(4200, "InsufficientFunds", "needs 120.00 USD, has 80.00 USD").with_hint("deposit");
    let node = Node::start(vec![
        ("depositary.transfer", Err(refusal)),
        ("depositary.deposit", Err(RpcError::forbidden("unsafe methods are not answered"))),
    ]);
    let output = xln(&node.url, "--as alice reserve transfer bob 120usd");
    assert_eq!(output.status.code(), Some(65));
    assert_eq!(stderr(&output), "error: needs 120.00 USD, has 80.00 USD\n hint: deposit\n");
    assert_eq!(xln(&node.url, "reserve deposit 1usd").status.code(), Some(77));
    // A method that this node does not have.
    assert_eq!(xln(&node.url, "block").status.code(), Some(65));
}

#[test]
fn amounts_that_the_asset_cannot_express_never_reach_the_node() {
    let node = Node::start(vec![("payment.send", Ok(Value::Null))]);
    let output = xln(&node.url, "--as alice pay bob 0.001usd");
    assert_eq!(output.status.code(), Some(65));
    assert!(
        stderr(&output).contains("0.001 USD has 3 digits after the point, USD has 2"),
        "{}",
        stderr(&output)
    );
    for line in ["pay bob 5btc", "pay bob 5usd --asset eth"] {
        assert_eq!(xln(&node.url, line).status.code(), Some(65), "{line}");
    }
    for line in ["pay bob five", "pay bob", "pay 0x12 5usd"] {
        let code = xln(&node.url, line).status.code();
        assert!(matches!(code, Some(64 | 65)), "{line}: {code:?}");
    }
    assert_eq!(node.asked("payment.send"), Value::Null);
}

#[test]
fn channels_are_listed_as_table_csv_and_json() {
    let channels = json!([channel("alice", "hub", BAR), channel("bob", "hub", BAR)]);
    let node = Node::start(vec![("channel.list", Ok(channels.clone()))]);
    let table = stdout(&xln(&node.url, "--as alice channel list"));
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 3, "{table}");
    assert!(
        lines[0].contains("CAN SEND") && lines[1].contains("alice") && lines[1].contains("380.00"),
        "{table}"
    );
    let csv = stdout(&xln(&node.url, "--as alice listchannels -o csv"));
    let first = csv.lines().nth(1).unwrap();
    assert_eq!(first, format!("alice,hub,0x{},USD,open,380.00,120.00,{BAR}", "cd".repeat(32)));
    let read: Value =
        serde_json::from_str(&stdout(&xln(&node.url, "--as alice -o json channel list"))).unwrap();
    assert_eq!(read[0]["assets"][0]["offdelta"], "-12000");
    assert_eq!(read.as_array().map(Vec::len), channels.as_array().map(Vec::len));
}

#[test]
fn balances_add_up_over_reserve_and_channels() {
    let alice = party("alice");
    let reserve = json!({
        "entity": alice, "asset": usd(), "symbol": "USD", "decimals": 2,
        "reserve": "100000", "collateral": "0", "debt": "0",
    });
    let node = Node::start(vec![
        ("depositary.listReserves", Ok(json!([reserve]))),
        ("channel.list", Ok(json!([channel("alice", "hub", BAR), channel("alice", "shop", BAR)]))),
    ]);
    let csv = stdout(&xln(&node.url, "--as alice balance -o csv"));
    assert_eq!(csv.lines().nth(1), Some("alice,USD,1000.00,760.00,240.00,0.00,240.00"), "{csv}");
}

/// A node on which alice and the hub live, who have a channel with each other.
fn both_sides() -> Node {
    let of_entity: Answer = Box::new(|params| {
        let (alice, hubs) = (channel("alice", "hub", BAR), channel("hub", "alice", BAR));
        match &params["entity"] {
            Value::Null => Ok(json!([alice])),
            id if *id == party("alice")["id"] => Ok(json!([alice])),
            _ => Ok(json!([hubs])),
        }
    });
    Node::answering(vec![
        ("entity.list", Box::new(|_| Ok(json!([hosted("alice"), hosted("hub")])))),
        ("depositary.listReserves", Box::new(|_| Ok(json!([])))),
        ("channel.list", of_entity),
    ])
}

#[test]
fn without_a_name_each_entity_of_the_node_is_shown_from_its_own_side() {
    let node = both_sides();
    let csv = stdout(&xln(&node.url, "channel list -o csv"));
    let sides: Vec<&str> = csv.lines().skip(1).filter_map(|line| line.get(..9)).collect();
    assert_eq!(sides, ["alice,hub", "hub,alice"], "{csv}");
    assert_eq!(stdout(&xln(&node.url, "channel list --limit 1 -o csv")).lines().count(), 2);
    let csv = stdout(&xln(&node.url, "balance -o csv"));
    let names: Vec<&str> = csv.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
    assert_eq!(names.len(), 2, "{csv}");
    assert!(names.contains(&"alice") && names.contains(&"hub"), "{csv}");
}

#[test]
fn who_does_not_say_who_acts_learns_the_names_to_choose_from() {
    let refusal = RpcError::no_entity(&["alice".into(), "bob".into()]);
    let node = Node::start(vec![("payment.send", Err(refusal))]);
    let output = xln(&node.url, "pay bob 1usd");
    assert_eq!(output.status.code(), Some(65));
    let hint = "use --as NAME or XLN_AS; on this node live alice, bob";
    assert!(stderr(&output).contains(hint), "{}", stderr(&output));
}

#[test]
fn advice_of_the_node_names_commands() {
    let refusal = RpcError::new(4201, "UnknownChannel", "alice has no channel eve")
        .with_hint("channel.list names those that there are; channel.open opens one");
    let node = Node::start(vec![("channel.get", Err(refusal))]);
    let output = xln(&node.url, "--as alice channel show eve");
    assert!(
        stderr(&output).contains("xln channel list names those that there are; xln channel open opens one"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn closing_says_where_the_money_went() {
    let asked = std::sync::atomic::AtomicBool::new(false);
    let view: Answer = Box::new(move |_| {
        if asked.swap(true, std::sync::atomic::Ordering::Relaxed) {
            return Err(RpcError::new(4201, "UnknownChannel", "eve has no channel hub"));
        }
        let mut view = channel("eve", "hub", BAR);
        view["assets"][0]["outCollateral"] = "3000".into();
        Ok(view)
    });
    let node = Node::answering(vec![("channel.get", view), ("channel.close", Box::new(|_| Ok(submitted())))]);
    let output = xln(&node.url, "--as eve channel close hub");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let expected = "the channel with hub is closed; 30.00 USD went to the reserve of eve\n";
    assert!(stdout(&output).starts_with(expected), "{}", stdout(&output));
}

#[test]
fn a_request_for_collateral_says_whether_it_was_granted() {
    let policy = |most: &str| {
        json!({
            "feeBase": "0", "feePpm": 0, "minHtlc": "0", "maxHtlc": "1", "timelockDeltaMs": 1,
            "maxPending": 1, "autoCollateral": most,
        })
    };
    let start = |most: &'static str, granted: bool| {
        let asked = std::sync::atomic::AtomicBool::new(false);
        Node::answering(vec![
            (
                "channel.get",
                Box::new(move |_| {
                    let mut view = channel("bob", "hub", BAR);
                    if asked.swap(true, std::sync::atomic::Ordering::Relaxed) && granted {
                        view["assets"][0]["collateral"] = "10000".into();
                    }
                    Ok(view)
                }),
            ),
            ("channel.requestCollateral", Box::new(|_| Ok(submitted()))),
            (
                "entity.getState",
                Box::new(move |_| {
                    let mut hub = hosted("hub");
                    hub["policy"] = policy(most);
                    Ok(hub)
                }),
            ),
        ])
    };
    let line = "--as bob channel request-collateral hub 100usd";
    let granted = stdout(&xln(&start("10000", true).url, line));
    assert!(granted.starts_with("granted: hub locked 100.00 USD as collateral\n"), "{granted}");
    let refused = stdout(&xln(&start("500", false).url, line));
    let expected =
        "not granted: hub was asked for 100.00 USD of collateral, which locks at most 5.00 USD on request";
    assert!(refused.starts_with(expected), "{refused}");
}

#[test]
fn watching_goes_on_without_a_gap_after_being_too_slow() {
    let node = Node::start(Vec::new());
    let output = xln(&node.url, "watch --count 4 -o json");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = stdout(&output);
    let cursors: Vec<Value> =
        text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["cursor"].clone()).collect();
    assert_eq!(cursors, ["1", "2", "3", "4"]);
    let people = stdout(&xln(&node.url, "watch payments --count 1"));
    assert_eq!(people, "1 payment 120.00 USD alice → bob succeeded\n");
    let http = xln(&node.url.replace("ws://", "http://"), "watch");
    assert_eq!(http.status.code(), Some(64), "{}", stderr(&http));
}

#[test]
fn the_state_tree_is_shown_as_the_way_to_a_place_and_what_is_below_it() {
    let hash = |digits: &str| format!("0x{}", digits.repeat(32));
    let node = |kind: &str, name: &str, prefix: &str, entries: &str| json!({ "kind": kind, "name": name, "prefix": prefix, "entries": entries, "hash": null, "value": null });
    let mut entry = node("entry", "metadata", "0x0600", "1");
    entry["value"] = json!("0x0102");
    entry["hash"] = json!(hash("ab"));
    let tree = json!({
        "entity": party("hub"), "signer": hash("12"), "root": hash("cd"), "height": "7", "prefix": "0x",
        "entries": "30001", "next": "0x0600",
        "nodes": [node("storage", "channels", "0x03", "30000"), entry],
    });
    let server = Node::start(vec![("state.tree", Ok(tree))]);
    let output = xln(&server.url, "state tree hub --prefix 0300 --depth 32 --limit 2");
    let text = stdout(&output);
    let root = hash("cd");
    let expected = format!(
        "root › 0x12121212… › hub: 30001 keys, root hash {root}\n\
         there is more: --after 0x0600\n \
         NODE     NAME      KEY     KEYS   BYTES  HASH\n \
         storage  channels  0x03    30000  –      –\n \
         entry    metadata  0x0600  1      2      0xabababab…\n"
    );
    assert_eq!(text, expected);
    let asked = server.asked("state.tree");
    assert_eq!(asked, json!({ "entity": "hub", "prefix": "0x0300", "depth": 32, "after": null, "limit": 2 }));
    let json: serde_json::Value =
        serde_json::from_str(&stdout(&xln(&server.url, "state tree -o json"))).unwrap();
    assert_eq!(json["nodes"][1]["value"], "0x0102");
    let refused = xln(&server.url, "state tree hub --prefix zz");
    assert_eq!(refused.status.code(), Some(64), "{}", stderr(&refused));
}

//! What needs no node, and what happens where there is none.

use std::net::TcpListener;

use crate::{stderr, stdout, xln};

/// An address at which nothing listens.
fn dead() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("127.0.0.1:{}", listener.local_addr().unwrap().port())
}

#[test]
fn where_no_node_answers_the_exit_code_is_69_and_the_hint_says_how_to_start_one() {
    for scheme in ["ws", "http"] {
        let output = xln(&format!("{scheme}://{}", dead()), "info");
        assert_eq!(output.status.code(), Some(69), "{}", stderr(&output));
        assert!(stdout(&output).is_empty());
        assert!(stderr(&output).contains("xln-node --dev"), "{}", stderr(&output));
    }
}

#[test]
fn a_wrong_command_line_is_64() {
    for line in ["", "explode", "channel open", "--as 0x12 info", "--timeout never info", "-o yaml info"] {
        let output = xln("ws://127.0.0.1:1", line);
        assert_eq!(output.status.code(), Some(64), "{line}: {}", stderr(&output));
    }
    assert_eq!(xln("ftp://127.0.0.1:1", "info").status.code(), Some(64));
}

#[test]
fn help_teaches_with_examples_and_is_no_error() {
    let output = xln("", "--help");
    assert_eq!(output.status.code(), Some(0));
    assert!(stdout(&output).contains("xln --as bob channel open --with hub --credit 500usd"));
    for verb in ["pay", "channel open", "invoice create", "watch", "reserve deposit"] {
        let output = xln("", &format!("{verb} --help"));
        assert!(stdout(&output).contains("Example"), "{verb}");
    }
}

#[test]
fn completions_need_no_node() {
    let output = xln("", "completions bash");
    assert_eq!(output.status.code(), Some(0));
    assert!(stdout(&output).contains("request-collateral"));
}

#[test]
fn errors_are_json_where_answers_are() {
    let output = xln(&format!("ws://{}", dead()), "-o json info");
    let error: serde_json::Value = serde_json::from_str(&stderr(&output)).unwrap();
    assert_eq!(error["error"]["exitCode"], 69);
}

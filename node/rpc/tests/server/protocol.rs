//! Faults of the protocol, limits, and who may come near.

use std::{sync::atomic::Ordering, time::Duration};

use jsonrpsee::core::client::ClientT;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use xln_rpc::{Origins, ServeError, ServerConfig};

use crate::{
    client,
    memory::Memory,
    raw::{call, post, request, send},
    started,
};

#[tokio::test]
async fn malformed_requests_have_the_codes_of_json_rpc() {
    let (server, _) = started(|_| ()).await;
    let address = server.address();
    assert_eq!(post(address, "{").await.code(), -32700);
    assert_eq!(post(address, r#"{"jsonrpc":"2.0","id":1}"#).await.code(), -32600);
    assert_eq!(post(address, r#"{"jsonrpc":"1.0","id":1,"method":"server.getInfo"}"#).await.code(), -32600);
    assert_eq!(call(address, "server.explode", "{}").await.code(), -32601);
    assert_eq!(call(address, "server.getInfo", r#""text""#).await.code(), -32602);
    assert_eq!(call(address, "server.getInfo", r#"{"a":1}"#).await.code(), -32602);
    // Nesting that would exhaust a stack is refused like any other malformed text.
    assert!(call(address, "server.getInfo", &"[".repeat(100_000)).await.code() <= -32600);
    let binary = request(address, "POST /", "", "\u{0}\u{1}").await;
    assert_eq!(binary.code(), -32700);
    assert_eq!(call(address, "server.getInfo", "{}").await.json()["result"]["name"], "test");
}

#[tokio::test]
async fn sizes_are_limited_both_ways() {
    let (server, _) = started(|config| {
        config.max_request_bytes = 1_000;
        config.max_response_bytes = 500;
        config.max_batch = 2;
    })
    .await;
    let address = server.address();
    let oversized = call(address, "server.getInfo", &format!(r#"{{"a":"{}"}}"#, "x".repeat(2_000))).await;
    assert_eq!(oversized.status, 413);
    let one = r#"{"jsonrpc":"2.0","id":1,"method":"system.health"}"#;
    let two = post(address, &format!("[{one},{one}]")).await;
    assert_eq!(two.json().as_array().map(Vec::len), Some(2));
    let three = post(address, &format!("[{one},{one},{one}]")).await;
    assert!(three.json()["error"]["message"].as_str().unwrap().contains("batch"), "{}", three.body);
    assert_eq!(call(address, "entity.list", r#"{"limit":1000}"#).await.code(), -32008);
    let large = client(&server).await;
    let error = large.request::<serde_json::Value, _>("x", jsonrpsee::rpc_params!["y".repeat(2_000)]).await;
    assert!(error.is_err());
    assert_eq!(call(address, "system.health", "{}").await.json()["result"]["ready"], true);
}

#[tokio::test]
async fn who_calls_too_fast_is_told_when_to_come_back() {
    let (server, _) = started(|config| config.calls_per_minute = Some(3)).await;
    let address = server.address();
    let client = client(&server).await;
    for _ in 0..3 {
        assert!(
            client.request::<serde_json::Value, _>("system.health", jsonrpsee::rpc_params![]).await.is_ok()
        );
    }
    let error = client.request::<serde_json::Value, _>("system.health", jsonrpsee::rpc_params![]).await;
    let jsonrpsee::core::ClientError::Call(object) = error.unwrap_err() else { panic!("not refused") };
    let error = xln_rpc::RpcError::from(&object);
    assert_eq!(error.code, 4029);
    assert!(error.details["retryAfterSeconds"].as_u64().is_some_and(|seconds| (1..=20).contains(&seconds)));
    let answer = call(address, "system.health", "{}").await;
    assert_eq!(answer.status, 429);
    assert!(answer.head.contains("retry-after: "), "{}", answer.head);
}

#[tokio::test]
async fn a_connection_too_many_is_closed_and_the_others_go_on() {
    let (server, _) = started(|config| config.max_connections = 1).await;
    let first = client(&server).await;
    let mut second = tokio::net::TcpStream::connect(server.address()).await.unwrap();
    // The write may meet a closed socket already; what counts is that no answer comes.
    let _ = second.write_all(b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    assert!(!matches!(second.read(&mut [0; 16]).await, Ok(read) if read > 0));
    assert!(first.request::<serde_json::Value, _>("system.health", jsonrpsee::rpc_params![]).await.is_ok());
    drop(first);
    let free = async { while call(server.address(), "system.health", "{}").await.status != 200 {} };
    assert!(tokio::time::timeout(Duration::from_secs(10), free).await.is_ok());
}

#[tokio::test]
async fn pages_from_elsewhere_and_foreign_host_names_are_refused() {
    let (server, _) = started(|_| ()).await;
    let address = server.address();
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"system.health"}"#;
    assert_eq!(request(address, "POST /", "origin: https://evil.example\r\n", body).await.status, 403);
    assert_eq!(request(address, "POST /", "x-forwarded-for: 203.0.113.9\r\n", body).await.status, 403);
    let rebound = "POST / HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
    let rebound = send(address, rebound.as_bytes()).await;
    assert_eq!(rebound.status, 403);
    assert!(rebound.body.contains("evil.example"));
    let upgrade = format!(
        "GET / HTTP/1.1\r\nhost: {address}\r\norigin: https://evil.example\r\nupgrade: websocket\r\n\
         connection: upgrade, close\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         sec-websocket-version: 13\r\n\r\n"
    );
    assert_eq!(send(address, upgrade.as_bytes()).await.status, 403);
}

#[tokio::test]
async fn a_listed_page_may_ask_from_a_browser() {
    let page = "https://wallet.example";
    let (server, _) = started(|config| config.origins = Origins::List(vec![page.into()])).await;
    let headers = format!("origin: {page}\r\naccess-control-request-method: POST\r\n");
    let preflight = request(server.address(), "OPTIONS /", &headers, "").await;
    assert_eq!(preflight.status, 200);
    assert!(preflight.head.contains(&format!("access-control-allow-origin: {page}")), "{}", preflight.head);
}

#[tokio::test]
async fn health_is_503_with_the_reason_while_the_node_does_not_work() {
    let (server, backend) = started(|_| ()).await;
    let address = server.address();
    let healthy = request(address, "GET /health", "", "").await;
    assert_eq!((healthy.status, healthy.json()["ready"].clone()), (200, json!(true)));
    backend.ready.store(false, Ordering::Relaxed);
    let ill = request(address, "GET /health/readiness", "", "").await;
    assert_eq!((ill.status, ill.json()["reason"].clone()), (503, json!("the disk is full")));
    assert_eq!(request(address, "GET /health/liveness", "", "").await.status, 200);
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let (server, _) = started(|_| ()).await;
    let config = ServerConfig::at(server.address());
    let error = xln_rpc::serve(Memory::new(), config, "1").await.unwrap_err();
    assert!(matches!(&error, ServeError::Listen { address, .. } if *address == server.address()), "{error}");
}

#[tokio::test]
async fn a_stopped_server_lets_its_connections_and_its_port_go() {
    let (server, backend) = started(|_| ()).await;
    let address = server.address();
    let client = client(&server).await;
    server.stop().await;
    client.on_disconnect().await;
    let again = xln_rpc::serve(backend, ServerConfig::at(address), "1").await.unwrap();
    assert_eq!(again.address(), address);
}

#[tokio::test]
async fn whoever_sends_headers_or_a_body_too_slowly_is_cut_off() {
    let (server, _) = started(|config| {
        config.header_deadline = Duration::from_millis(50);
        config.request_deadline = Duration::from_millis(50);
    })
    .await;
    let headers = send(server.address(), b"POST / HTTP/1.1\r\nhost: localhost\r\n").await;
    assert!(matches!(headers.status, 0 | 408), "{}", headers.status);
    let head =
        "POST / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\n";
    let body = send(server.address(), format!("{head}content-length: 100\r\n\r\n{{").as_bytes()).await;
    assert_eq!(body.status, 408);
    let kept = format!("GET /health HTTP/1.1\r\nhost: {}\r\n\r\n", server.address());
    assert_eq!(send(server.address(), kept.as_bytes()).await.status, 200);
}

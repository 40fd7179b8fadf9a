//! A node that answers from a script and remembers what it was asked.

use std::sync::{Arc, Mutex};

use jsonrpsee::{
    PendingSubscriptionSink,
    server::{RpcModule, Server, ServerHandle},
    types::ErrorObjectOwned,
};
use serde_json::{Value, json};
use xln_rpc::RpcError;

/// A scripted node, stopped when it is dropped.
pub(crate) struct Node {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<(&'static str, Value)>>>,
    _runtime: tokio::runtime::Runtime,
    _server: ServerHandle,
}

pub(crate) fn party(name: &str) -> Value {
    json!({ "id": format!("0x{}", format!("{:02x}", name.len()).repeat(32)), "name": name })
}

/// A channel between two names as the first sees it.
pub(crate) fn channel(entity: &str, peer: &str, bar: &str) -> Value {
    let amount = |units: u32| Value::from(units.to_string());
    json!({
        "id": format!("0x{}", "cd".repeat(32)),
        "left": party(entity), "right": party(peer), "entity": party(entity), "peer": party(peer),
        "side": "left", "status": "open", "height": "3", "epoch": "0", "pendingHtlcs": 0, "queued": 0,
        "assets": [{
            "asset": usd(), "symbol": "USD", "decimals": 2,
            "collateral": amount(0), "ondelta": "0", "offdelta": "-12000", "delta": "-12000",
            "leftCreditLimit": amount(50_000), "rightCreditLimit": amount(0),
            "leftHold": amount(0), "rightHold": amount(0),
            "outCollateral": amount(0), "inCollateral": amount(0), "inOwnCredit": amount(12_000),
            "outOwnCredit": amount(38_000), "outPeerCredit": amount(0), "inPeerCredit": amount(0),
            "outCapacity": amount(38_000), "inCapacity": amount(12_000), "total": amount(50_000),
            "bar": bar,
        }],
    })
}

/// An entity that lives on the node and has channels.
pub(crate) fn hosted(name: &str) -> Value {
    let zero = format!("0x{}", "00".repeat(32));
    json!({
        "id": party(name)["id"], "name": name, "hosted": true, "depositary": false, "height": "1",
        "frame": zero, "stateRoot": zero, "board": null, "channels": 1, "policy": null, "nonces": [], "metadata": {},
    })
}

pub(crate) fn usd() -> String {
    xln_primitives::AssetId::named("USD").to_string()
}

pub(crate) fn payment(status: &str, failure: &Value) -> Value {
    json!({
        "number": "1", "hash": format!("0x{}", "ab".repeat(32)), "entity": party("alice"),
        "direction": "out", "direct": false, "from": party("alice"), "to": party("bob"),
        "route": [party("alice"), party("hubhub"), party("bob")], "asset": usd(), "symbol": "USD", "decimals": 2,
        "amount": "12000", "fee": "12", "status": status, "failure": failure, "description": null,
        "created": 1_000, "resolved": 1_010, "preimage": null,
    })
}

/// A feed that loses its reader after the second payment.
fn feed_after(cursor: Option<&str>) -> Vec<Value> {
    let payment = |cursor: &str| {
        let body = json!({ "kind": "payment", "data": payment("succeeded", &Value::Null) });
        json!({ "cursor": cursor, "channel": "payments", "body": body })
    };
    match cursor {
        Some("2") => vec![payment("3"), payment("4")],
        _ => vec![
            payment("1"),
            payment("2"),
            json!({ "cursor": "2", "channel": null, "body": { "kind": "lagged" } }),
        ],
    }
}

/// What a method answers to a request.
pub(crate) type Answer = Box<dyn Fn(&Value) -> Result<Value, RpcError> + Send + Sync>;

impl Node {
    /// Answers every method of the script with what stands there; assets are USD and ETH.
    pub(crate) fn start(script: Vec<(&'static str, Result<Value, RpcError>)>) -> Self {
        let always = |answer: Result<Value, RpcError>| -> Answer { Box::new(move |_| answer.clone()) };
        Self::answering(script.into_iter().map(|(method, answer)| (method, always(answer))).collect())
    }

    /// Answers every method of the script by its function; assets are USD and ETH.
    pub(crate) fn answering(script: Vec<(&'static str, Answer)>) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let mut module = RpcModule::new(());
        let asset = |symbol: &str, decimals: u8| {
            let id = xln_primitives::AssetId::named(symbol);
            json!({ "id": id, "symbol": symbol, "name": symbol, "decimals": decimals, "supply": "0", "faucet": true })
        };
        let list = json!([asset("USD", 2), asset("ETH", 18)]);
        let assets: (_, Answer) = ("depositary.listAssets", Box::new(move |_| Ok(list.clone())));
        for (method, answer) in script.into_iter().chain([assets]) {
            let asked = Arc::clone(&asked);
            let respond = move |params: jsonrpsee::types::Params<'_>, _: &(), _: &_| {
                let params: Value = params.parse().unwrap_or(Value::Null);
                let answer = answer(&params).map_err(ErrorObjectOwned::from);
                asked.lock().unwrap().push((method, params));
                answer
            };
            module.register_method(method, respond).unwrap();
        }
        let subscribed = move |params: jsonrpsee::types::Params<'static>,
                               pending: PendingSubscriptionSink,
                               _,
                               _| {
            let from =
                params.parse::<Value>().ok().and_then(|params| params["from"].as_str().map(str::to_owned));
            async move {
                let Ok(sink) = pending.accept().await else { return };
                for notification in feed_after(from.as_deref()) {
                    let json = jsonrpsee::core::to_json_raw_value(&notification).unwrap();
                    let _ = sink.send(json).await;
                }
            }
        };
        module.register_subscription("subscribe", "notification", "unsubscribe", subscribed).unwrap();
        let (url, server) = runtime.block_on(async {
            let server = Server::builder().build("127.0.0.1:0").await.unwrap();
            (format!("ws://{}", server.local_addr().unwrap()), server.start(module))
        });
        Self { url, asked, _runtime: runtime, _server: server }
    }

    /// What a method was asked last.
    pub(crate) fn asked(&self, method: &str) -> Value {
        let asked = self.asked.lock().unwrap();
        asked.iter().rev().find(|(name, _)| *name == method).map_or(Value::Null, |(_, params)| params.clone())
    }
}

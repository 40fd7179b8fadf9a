//! Methods through the typed client.

use jsonrpsee::core::client::ClientT;
use xln_primitives::{Amount, EntityId};
use xln_rpc::{
    Bytes, Calls, METHODS, MethodAccess, RpcError, U64,
    params::{Deposit, NoParams, StateKey},
};

use crate::{client, raw, started};

fn deposit(amount: u128) -> Deposit {
    Deposit { entity: None, asset: None, amount: Amount::new(amount), wait: true }
}

fn refusal(error: &jsonrpsee::core::ClientError) -> RpcError {
    match error {
        jsonrpsee::core::ClientError::Call(object) => RpcError::from(object),
        other => panic!("not refused: {other}"),
    }
}

#[tokio::test]
async fn the_typed_client_reads_what_the_backend_answered() {
    let (server, _) = started(|_| ()).await;
    let client = client(&server).await;
    let info = client.server_get_info(&NoParams {}).await.unwrap();
    assert_eq!(info.block, U64(u64::MAX));
    let done = client.depositary_deposit(&deposit(7)).await.unwrap();
    assert_eq!(done.receipt.unwrap().events[0]["amount"], "7");
    let done = client.depositary_deposit(&Deposit { wait: false, ..deposit(7) }).await.unwrap();
    assert_eq!(done.receipt, None);
    server.stop().await;
}

#[tokio::test]
async fn an_error_arrives_with_code_name_numbers_and_hint() {
    let (server, _) = started(|_| ()).await;
    let error = refusal(&client(&server).await.depositary_deposit(&deposit(1_001)).await.unwrap_err());
    assert_eq!((error.code, error.name.as_str()), (4200, "FaucetLimit"));
    assert_eq!(error.details["asked"], "1001");
    assert_eq!(error.hint.as_deref(), Some("deposit in parts"));
}

#[tokio::test]
async fn parameters_go_by_name_and_unknown_ones_are_refused() {
    let (server, _) = started(|_| ()).await;
    let address = server.address();
    let entity = EntityId::new([1; 32]);
    let known = raw::call(address, "state.get", &format!(r#"{{"entity":"{entity}","key":"0x0601"}}"#)).await;
    assert_eq!(known.json()["result"]["key"], "0x0601", "{}", known.body);
    for (params, word) in [
        (r#"{"amount":"5","ammount":"6"}"#, "ammount"),
        (r#"{}"#, "amount"),
        (r#"{"amount":5}"#, "string"),
        (r#"{"amount":"-5"}"#, "invalid digit"),
        (r#"{"amount":"1.5"}"#, "invalid digit"),
        (r#"{"amount":"340282366920938463463374607431768211456"}"#, "too large"),
        (r#"{"amount":"5","entity":"0x12"}"#, "64 hexadecimal digits"),
    ] {
        let answer = raw::call(address, "depositary.deposit", params).await;
        assert_eq!(answer.code(), -32602, "{params}");
        let error = &answer.json()["error"];
        assert!(error["message"].as_str().unwrap().contains(word), "{params}: {error}");
        assert_eq!(error["data"]["code"], 4100);
        assert_eq!(error["data"]["name"], "InvalidParams");
    }
    let none = raw::post(address, r#"{"jsonrpc":"2.0","id":1,"method":"server.getInfo"}"#).await;
    assert_eq!(none.json()["result"]["chainId"], "test");
    assert_eq!(none.json()["result"]["block"], "18446744073709551615");
    assert_eq!(raw::call(address, "server.getInfo", "[]").await.json()["result"]["name"], "test");
}

#[tokio::test]
async fn methods_that_use_keys_are_refused_where_they_are_not_allowed() {
    let (server, _) = started(|config| config.methods = MethodAccess::Safe).await;
    assert!(!server.unsafe_methods());
    let client = client(&server).await;
    let error = refusal(&client.depositary_deposit(&deposit(1)).await.unwrap_err());
    assert_eq!(error.code, 4003);
    assert!(error.hint.unwrap().contains("--rpc-methods unsafe"));
    assert!(client.server_get_info(&NoParams {}).await.is_ok());
    for method in METHODS {
        let answer = client.request::<serde_json::Value, _>(method.name, jsonrpsee::rpc_params![]).await;
        let forbidden = answer.is_err_and(|error| refusal(&error).code == 4003);
        assert_eq!(forbidden, method.uses_keys, "{}", method.name);
    }
}

#[tokio::test]
async fn the_api_describes_itself() {
    let (server, _) = started(|_| ()).await;
    let document = raw::call(server.address(), "rpc.discover", "{}").await.json();
    let document = &document["result"];
    assert_eq!(document["info"]["version"], "1.2.3");
    let methods = document["methods"].as_array().unwrap();
    assert_eq!(methods.len(), METHODS.len() + 1);
    let state = methods.iter().find(|method| method["name"] == "state.getProof").unwrap();
    assert_eq!(state["params"][1]["name"], "key");
    assert_eq!(state["params"][1]["required"], true);
    let pay = methods.iter().find(|method| method["name"] == "payment.send").unwrap();
    assert_eq!(pay["x-unsafe"], true);
    assert!(pay["params"].as_array().unwrap().iter().any(|member| member["name"] == "maxFee"));
}

#[tokio::test]
async fn what_a_request_says_is_what_the_backend_hears() {
    let (server, _) = started(|_| ()).await;
    let key = StateKey { entity: "alice".parse().unwrap(), key: Bytes(vec![6, 1]) };
    let error = refusal(&client(&server).await.state_get(&key).await.unwrap_err());
    assert_eq!((error.code, error.message.as_str()), (4004, "there is no entity alice"));
}

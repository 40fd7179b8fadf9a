//! The OpenRPC document that `rpc.discover` answers, made from the same table as the methods.

use serde_json::{Value, json};

use crate::{
    api::{Method, SUBSCRIBE},
    params::Subscribe,
};

/// A member of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// Its name in Rust; camelCase in JSON.
    pub field: &'static str,
    /// Its type in Rust.
    pub kind: &'static str,
    /// What it is.
    pub summary: &'static str,
}

/// A request that can list its members.
pub trait Described {
    /// The members in order.
    const MEMBERS: &'static [Member];
}

impl Member {
    /// Its name in JSON.
    #[must_use]
    pub fn name(&self) -> String {
        camel_case(self.field)
    }

    /// The type without `Option`, and whether the member must be there.
    fn inner(&self) -> (&'static str, bool) {
        let optional = self.kind.strip_prefix("Option<").and_then(|rest| rest.strip_suffix('>'));
        match optional {
            Some(inner) => (inner, false),
            // `wait` is the only truth value, and true by default.
            None => (self.kind, self.kind != "bool"),
        }
    }

    fn describe(&self) -> Value {
        let (kind, required) = self.inner();
        json!({
            "name": self.name(), "summary": self.summary.trim(), "required": required, "schema": schema(kind),
        })
    }
}

/// `field_name` as `fieldName`.
#[must_use]
pub fn camel_case(field: &str) -> String {
    let mut words = field.split('_');
    let mut name = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        name.push_str(letters.as_str());
    }
    name
}

/// JSON schema of a type.
fn schema(kind: &str) -> Value {
    if let Some(item) = kind.strip_prefix("Vec<").and_then(|rest| rest.strip_suffix('>')) {
        return json!({ "type": "array", "items": schema(item) });
    }
    match kind {
        "bool" => json!({ "type": "boolean", "default": true }),
        "u32" | "u64" => json!({ "type": "integer", "minimum": 0 }),
        "Amount" | "U64" => json!({ "type": "string", "title": kind, "pattern": "^[0-9]+$" }),
        "Bytes" => json!({ "type": "string", "title": kind, "pattern": "^0x([0-9a-fA-F]{2})*$" }),
        "Hash" | "CallHash" | "AssetId" | "ChannelId" | "EntityId" | "SignerId" => {
            json!({ "type": "string", "title": kind, "pattern": "^0x[0-9a-fA-F]{64}$" })
        }
        "PolicyChange" | "Action" | "Value" | "serde_json::Value" => {
            json!({ "type": "object", "title": kind })
        }
        _ => json!({ "type": "string", "title": kind }),
    }
}

/// The OpenRPC document of `methods` as `version` of the program answers them.
#[must_use]
pub fn openrpc(version: &str, methods: &[Method]) -> Value {
    let mut methods: Vec<Value> = methods
        .iter()
        .map(|method| {
            let answer = method.answer.strip_prefix("Vec<").and_then(|rest| rest.strip_suffix('>'));
            let result = match answer {
                Some(item) => json!({ "type": "array", "items": { "title": item, "type": "object" } }),
                None => json!({ "title": method.answer, "type": "object" }),
            };
            json!({
                "name": method.name,
                "summary": method.summary.trim(),
                "paramStructure": "by-name",
                "params": method.members.iter().map(Member::describe).collect::<Vec<_>>(),
                "result": { "name": method.answer, "schema": result },
                "x-unsafe": method.uses_keys,
            })
        })
        .collect();
    methods.push(json!({
        "name": SUBSCRIBE,
        "summary": "Delivers what happens to the topics blocks, payments, proposals, events, entity:0x… and channel:0x…, over \
            WebSocket. Every notification has a cursor; from a cursor a later subscription goes on without a gap.",
        "paramStructure": "by-name",
        "params": Subscribe::MEMBERS.iter().map(Member::describe).collect::<Vec<_>>(),
        "result": { "name": "subscription", "schema": { "title": "SubscriptionId" } },
    }));
    json!({
        "openrpc": "1.3.2",
        "info": {
            "title": "XLN",
            "version": version,
            "description": "Amounts, deltas and 64-bit numbers are decimal strings; bytes and hashes are 0x and \
                hexadecimal digits; times are Unix milliseconds. Methods marked x-unsafe use keys of the node.",
        },
        "methods": methods,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_named_as_in_json_and_know_whether_they_must_be_there() {
        let member = |field, kind| Member { field, kind, summary: " Text." };
        let described = member("max_fee", "Option<Amount>").describe();
        assert_eq!(described["name"], "maxFee");
        assert_eq!(described["required"], false);
        assert_eq!(described["summary"], "Text.");
        assert_eq!(member("wait", "bool").describe()["required"], false);
        assert_eq!(member("via", "Option<Vec<EntityRef>>").describe()["schema"]["type"], "array");
        assert_eq!(member("hash", "Hash").describe()["required"], true);
    }
}

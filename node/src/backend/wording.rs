//! Errors in the words of people: sums in the unit of their asset, names in the place of identifiers, dates in the place
//! of milliseconds. The pallets know neither symbols nor names; `details` keep what programs need.

use serde_json::{Value, json};
use xln_primitives::{Amount, AssetId, ChannelId, EntityId, Side, Timestamp};
use xln_rpc::{
    RpcError,
    words::{moment, readable},
};

use super::directory::Directory;

/// Which numbers of which errors are sums.
const SUMS: [(&str, &[&str]); 10] = [
    ("InsufficientCapacity", &["needed", "available", "collateral", "credit", "held"]),
    ("FeeAboveLimit", &["needed", "maxFee"]),
    ("DebtOutstanding", &["owed"]),
    ("InsufficientReserve", &["needs", "has"]),
    ("InsufficientCollateral", &["needs", "has"]),
    ("FaucetLimit", &["asked", "limit"]),
    ("SupplyTooLarge", &["supply", "amount", "limit"]),
    ("FeeTooLow", &["needed", "offered"]),
    ("WrongAmount", &["expected", "found"]),
    ("OutsideLimits", &["min", "max", "found"]),
];
/// Digits of milliseconds since the Unix epoch, from 2001 on.
const MOMENT_DIGITS: usize = 13;

fn field<'a>(details: &'a Value, name: &str) -> Option<&'a str> {
    details.get(name).and_then(Value::as_str)
}

/// Words of a text: letters and digits together, with points within. Everything between them is a word too.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    core::iter::from_fn(move || {
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '.';
        let first = rest.chars().next()?;
        let end = rest.find(|c| is_part(c) != is_part(first)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        // A point at the end of a word ends the sentence.
        let trimmed = word.trim_end_matches('.');
        let (word, after) =
            if trimmed.is_empty() { (word, after) } else { (trimmed, rest.get(trimmed.len()..)?) };
        rest = after;
        Some(word)
    })
}

impl Directory {
    /// A sum as people read it, such as `120.00 usd`.
    pub(super) fn money(&self, asset: &AssetId, amount: Amount) -> String {
        let (symbol, decimals) = self.unit(asset);
        format!("{} {symbol}", readable(amount, decimals))
    }

    /// The same error in the words of people. Sums without an asset in `details` are of `asset`. What is worded already
    /// stays.
    pub(super) fn worded(&self, mut error: RpcError, asset: Option<AssetId>) -> RpcError {
        let named = field(&error.details, "asset").and_then(|id| id.parse().ok());
        let asset = named.or(asset);
        if let Some(known) = asset.and_then(|id| self.known(&id)) {
            if error.details.get("symbol").is_some() {
                return error;
            }
            error.message = self.spelled(&error.message, &error.name, &error.details, Some(known.id));
            if error.details.is_null() {
                error.details = json!({});
            }
            if let Value::Object(details) = &mut error.details {
                details.insert("asset".into(), json!(known.id));
                details.insert("symbol".into(), json!(known.symbol));
                details.insert("decimals".into(), json!(known.decimals));
            }
        } else {
            error.message = self.spelled(&error.message, "", &error.details, None);
        }
        error
    }

    /// A sentence about the numbers in `details`, worded.
    pub(super) fn spelled(
        &self,
        sentence: &str,
        name: &str,
        details: &Value,
        asset: Option<AssetId>,
    ) -> String {
        let fields =
            SUMS.iter().find(|(error, _)| *error == name).map_or(&[] as &[&str], |(_, fields)| *fields);
        let sums: Vec<&str> = fields.iter().filter_map(|name| field(details, name)).collect();
        let mut text = String::with_capacity(sentence.len());
        let mut spelled_moment = false;
        for word in words(sentence) {
            // A moment is written as "1795251750774 ms".
            if spelled_moment && word == "ms" {
                text.truncate(text.trim_end().len());
                spelled_moment = false;
                continue;
            }
            match self.spelled_word(word, &sums, asset) {
                Some((worded, is_moment)) => {
                    text.push_str(&worded);
                    spelled_moment = is_moment;
                }
                None => {
                    spelled_moment &= word == " ";
                    text.push_str(word);
                }
            }
        }
        match asset.map(|asset| self.unit(&asset).0) {
            Some(symbol) => text.replace(&format!("{symbol} of {symbol}"), &symbol),
            None => text,
        }
    }

    /// What stands for a word, and whether it is a moment; `None` if the word stays.
    fn spelled_word(&self, word: &str, sums: &[&str], asset: Option<AssetId>) -> Option<(String, bool)> {
        if let Some(asset) = asset.filter(|_| sums.contains(&word)) {
            return Some((self.money(&asset, word.parse().ok()?), false));
        }
        if word.len() == MOMENT_DIGITS && word.bytes().all(|byte| byte.is_ascii_digit()) {
            return Some((moment(Timestamp::from_millis(word.parse().ok()?)), true));
        }
        let id = word.strip_prefix("0x").filter(|digits| digits.len() == 64)?;
        let is_asset = word.parse::<AssetId>().ok().and_then(|id| self.known(&id));
        let name = word.parse::<EntityId>().ok().and_then(|id| self.name(&id));
        let short = || format!("0x{}…", id.get(..8).unwrap_or(id));
        Some((is_asset.map(|asset| asset.symbol.clone()).or(name).unwrap_or_else(short), false))
    }

    /// An error about one side of a channel, which is named.
    pub(super) fn with_side(&self, mut error: RpcError, left: EntityId, right: EntityId) -> RpcError {
        let sides = [(Side::Left, left), (Side::Right, right)];
        let meant = sides.into_iter().find(|(side, _)| error.details.get("side") == Some(&json!(side)));
        if let Some((side, entity)) = meant {
            error.message = error.message.replacen(&format!("{side:?}"), &self.party(entity).label(), 1);
            if let Value::Object(details) = &mut error.details {
                details.insert("entity".into(), json!(entity));
                details.insert("channel".into(), json!(ChannelId::between(&left, &right)));
            }
        }
        error
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::{codes::error_of, directory::tests::directory_with_usd};

    const USD: AssetId = AssetId::new([3; 32]);

    #[test]
    fn sums_are_worded_in_the_unit_of_their_asset_once() {
        let directory = directory_with_usd(USD, &[]);
        let error = pallet_channels::TransitionError::InsufficientCapacity {
            needed: Amount::new(90_000),
            available: Amount::new(33_746),
            collateral: Amount::new(13_746),
            credit: Amount::new(20_000),
            held: Amount::ZERO,
        };
        let worded = directory.worded(error_of(&error), Some(USD));
        let expected = "needs 900.00 usd, can send 337.46 usd: 137.46 usd collateral + 200.00 usd credit − 0.00 usd held";
        assert_eq!(worded.message, expected);
        assert_eq!(worded.details["needed"], "90000", "programs read smallest units");
        assert_eq!((&worded.details["symbol"], &worded.details["decimals"]), (&json!("usd"), &json!(2)));
        assert_eq!(directory.worded(worded.clone(), Some(USD)), worded);
        // Of an asset that is not known here nothing can be said.
        assert_eq!(directory.worded(error_of(&error), None).message, error.to_string());
    }

    #[test]
    fn the_debtor_of_a_channel_is_named() {
        let (left, right) = (EntityId::new([1; 32]), EntityId::new([2; 32]));
        let directory = directory_with_usd(USD, &[(1, "bob"), (2, "hub")]);
        let error = pallet_channels::TransitionError::DebtOutstanding {
            asset: USD,
            side: Side::Right,
            owed: Amount::new(1_249),
        };
        let worded = directory.worded(directory.with_side(error_of(&error), left, right), None);
        let expected = "hub owes 12.49 usd beyond the collateral; pay or collateralise it first";
        assert_eq!(worded.message, expected);
        assert_eq!(worded.details["entity"], json!(right));
    }

    #[test]
    fn identifiers_become_names_and_milliseconds_dates() {
        let directory = directory_with_usd(USD, &[(1, "bob")]);
        let spelled = |sentence: &str| directory.spelled(sentence, "", &Value::Null, None);
        let (bob, stranger) = (EntityId::new([1; 32]), EntityId::new([9; 32]));
        assert_eq!(spelled(&format!("{bob} owes {stranger} {USD}.")), "bob owes 0x09090909… usd.");
        assert_eq!(
            spelled("the deadline was 1795251750774 ms, it is 1795251751774 ms"),
            "the deadline was 2026-11-21 09:02:30 UTC, it is 2026-11-21 09:02:31 UTC"
        );
        assert_eq!(spelled("50 ms is outside of 10 to 20 ms…"), "50 ms is outside of 10 to 20 ms…");
    }
}

//! Amounts as people write them: `120usd`, `1.5 eth`, `0.01`. Exact, without floating point.

use core::str::FromStr;

use xln_primitives::Amount;
use xln_rpc::{view::AssetView, words::exact};

/// A number with at most one point and, if written, the symbol of its asset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quantity {
    /// Digits before the point.
    whole: String,
    /// Digits after it, without zeros at the end.
    fraction: String,
    /// The symbol, as written.
    pub symbol: Option<String>,
}

/// Why a text is no amount, or none of an asset.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// No number.
    #[error("expected an amount such as 120usd or 0.5, found {0:?}")]
    NotANumber(String),
    /// More digits after the point than the asset has.
    #[error(
        "{text} {symbol} has {found} digits after the point, {symbol} has {decimals}: the smallest amount is {smallest}"
    )]
    TooFine {
        /// The number.
        text: String,
        /// Symbol of the asset.
        symbol: String,
        /// Digits after the point.
        found: usize,
        /// Digits that the asset has.
        decimals: u8,
        /// One smallest unit.
        smallest: String,
    },
    /// More than an amount can hold.
    #[error("{text} {symbol} is too large: the largest amount is {largest}")]
    TooLarge {
        /// The number.
        text: String,
        /// Symbol of the asset.
        symbol: String,
        /// What still fits.
        largest: String,
    },
    /// An asset that the network does not have.
    #[error("the network has no asset {symbol:?}; it has {known}")]
    UnknownAsset {
        /// What was asked for.
        symbol: String,
        /// What there is.
        known: String,
    },
    /// Two assets at once.
    #[error("the amount is in {written}, but {asked} is asked for")]
    TwoAssets {
        /// Symbol in the amount.
        written: String,
        /// Symbol of what the amount is for.
        asked: String,
    },
}

impl FromStr for Quantity {
    type Err = AmountError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || AmountError::NotANumber(text.to_owned());
        let trimmed = text.trim();
        let end = trimmed.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(trimmed.len());
        let (number, symbol) = trimmed.split_at(end);
        let symbol = symbol.trim();
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let written_without_digits = whole.is_empty() || (number.contains('.') && fraction.is_empty());
        let odd_symbol =
            symbol.starts_with(|c: char| !c.is_alphabetic()) || symbol.contains(char::is_whitespace);
        if written_without_digits || fraction.contains('.') || odd_symbol {
            return Err(error());
        }
        Ok(Self {
            whole: whole.to_owned(),
            fraction: fraction.trim_end_matches('0').to_owned(),
            symbol: (!symbol.is_empty()).then(|| symbol.to_owned()),
        })
    }
}

impl Quantity {
    /// The number without its symbol.
    fn number(&self) -> String {
        if self.fraction.is_empty() {
            self.whole.clone()
        } else {
            format!("{}.{}", self.whole, self.fraction)
        }
    }

    /// In smallest units of `asset`.
    pub fn units(&self, asset: &AssetView) -> Result<Amount, AmountError> {
        let decimals = usize::from(asset.decimals);
        let zeros = decimals.checked_sub(self.fraction.len()).ok_or_else(|| AmountError::TooFine {
            text: self.number(),
            symbol: asset.symbol.clone(),
            found: self.fraction.len(),
            decimals: asset.decimals,
            smallest: exact(Amount::new(1), asset.decimals),
        })?;
        let digits = format!("{}{}{}", self.whole, self.fraction, "0".repeat(zeros));
        digits.parse().map_err(|_| AmountError::TooLarge {
            text: self.number(),
            symbol: asset.symbol.clone(),
            largest: exact(Amount::MAX, asset.decimals),
        })
    }
}

/// The asset that an amount or an option names; the network's first if neither does.
pub fn choose<'a>(
    assets: &'a [AssetView],
    written: Option<&str>,
    asked: Option<&str>,
) -> Result<&'a AssetView, AmountError> {
    let find = |name: &str| {
        let named = |asset: &&AssetView| {
            asset.symbol.eq_ignore_ascii_case(name) || asset.id.to_string().eq_ignore_ascii_case(name)
        };
        assets.iter().find(named).ok_or_else(|| unknown(assets, name))
    };
    match (written, asked) {
        (None, None) => assets.first().ok_or_else(|| unknown(assets, "")),
        (Some(name), None) | (None, Some(name)) => find(name),
        (Some(written), Some(asked)) => {
            let (one, other) = (find(written)?, find(asked)?);
            if one.id == other.id {
                return Ok(one);
            }
            Err(AmountError::TwoAssets { written: one.symbol.clone(), asked: other.symbol.clone() })
        }
    }
}

fn unknown(assets: &[AssetView], name: &str) -> AmountError {
    let known: Vec<&str> = assets.iter().map(|asset| asset.symbol.as_str()).collect();
    AmountError::UnknownAsset { symbol: name.to_owned(), known: known.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use xln_primitives::AssetId;

    fn asset(symbol: &str, decimals: u8) -> AssetView {
        AssetView {
            id: AssetId::named(symbol),
            symbol: symbol.into(),
            name: symbol.into(),
            decimals,
            supply: Amount::ZERO,
            faucet: false,
        }
    }

    fn units(text: &str, decimals: u8) -> Result<Amount, AmountError> {
        text.parse::<Quantity>()?.units(&asset("USD", decimals))
    }

    #[test]
    fn amounts_are_exact_in_every_usual_spelling() {
        for (text, expected) in [
            ("120usd", 12_000),
            ("120", 12_000),
            ("1.5 usd", 150),
            (" 0.01USD ", 1),
            ("2.500", 250),
            ("007", 700),
        ] {
            assert_eq!(units(text, 2), Ok(Amount::new(expected)), "{text}");
        }
        assert_eq!(units("1.000000000000000001", 18), Ok(Amount::new(1_000_000_000_000_000_001)));
        assert_eq!(units("340282366920938463463374607431768211455", 0), Ok(Amount::MAX));
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for text in ["", "usd", "-5", "+5", "1,5", ".5", "5.", "1.2.3", "1 2", "5 us d", "٣"] {
            assert!(units(text, 2).is_err(), "{text}");
        }
        // A letter after the digits is a symbol, which then is not an asset's.
        for text in ["1e3", "0x10"] {
            let symbol = text.parse::<Quantity>().unwrap().symbol.unwrap();
            assert!(choose(&[asset("USD", 2)], Some(&symbol), None).is_err(), "{text}");
        }
    }

    #[test]
    fn digits_beyond_the_assets_are_an_error_with_numbers() {
        let error = units("0.001usd", 2).unwrap_err();
        assert_eq!(
            error.to_string(),
            "0.001 USD has 3 digits after the point, USD has 2: the smallest amount is 0.01"
        );
        let error = units("3402823669209384634633746074317682114.56", 2).unwrap_err();
        assert!(
            error.to_string().ends_with("the largest amount is 3402823669209384634633746074317682114.55")
        );
    }

    #[test]
    fn the_asset_is_the_one_named_or_the_first() {
        let assets = [asset("USD", 2), asset("ETH", 18)];
        assert_eq!(choose(&assets, None, None).unwrap().symbol, "USD");
        assert_eq!(choose(&assets, Some("eth"), None).unwrap().symbol, "ETH");
        assert_eq!(choose(&assets, None, Some("Eth")).unwrap().symbol, "ETH");
        let id = assets[1].id.to_string();
        assert_eq!(choose(&assets, Some("eth"), Some(&id)).unwrap().symbol, "ETH");
        assert_eq!(
            choose(&assets, Some("btc"), None).unwrap_err().to_string(),
            "the network has no asset \"btc\"; it has USD, ETH"
        );
        assert!(matches!(choose(&assets, Some("usd"), Some("eth")), Err(AmountError::TwoAssets { .. })));
    }
}

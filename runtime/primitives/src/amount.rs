//! Money: unsigned amounts and signed deltas, in an asset's smallest unit, with checked arithmetic only.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};

/// A sum that does not fit: the operation has no effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, Encode, Decode, DecodeWithMemTracking)]
#[error("arithmetic overflow")]
pub struct ArithmeticError;

/// A quantity of an asset in its smallest unit, `0 ..= 2¹²⁸ − 1`. A decimal string in JSON.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
)]
pub struct Amount(u128);

/// A signed balance of an asset in its smallest unit, `−2¹²⁷ ..= 2¹²⁷ − 1`. A decimal string in JSON.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
)]
pub struct Delta(i128);

macro_rules! quantity {
    ($name:ident, $inner:ty) => {
        impl $name {
            /// Nothing.
            pub const ZERO: Self = Self(0);
            /// The largest value.
            pub const MAX: Self = Self(<$inner>::MAX);

            /// From smallest units.
            #[must_use]
            pub const fn new(units: $inner) -> Self {
                Self(units)
            }
            /// In smallest units.
            #[must_use]
            pub const fn get(self) -> $inner {
                self.0
            }
            /// Whether it is nothing.
            #[must_use]
            pub const fn is_zero(self) -> bool {
                self.0 == 0
            }
            /// The sum, or an error if it does not fit.
            #[allow(clippy::should_implement_trait, reason = "the operator must not fail; this can")]
            pub fn add(self, other: Self) -> Result<Self, ArithmeticError> {
                self.0.checked_add(other.0).map(Self).ok_or(ArithmeticError)
            }
            /// The difference, or an error if it does not fit.
            #[allow(clippy::should_implement_trait, reason = "the operator must not fail; this can")]
            pub fn sub(self, other: Self) -> Result<Self, ArithmeticError> {
                self.0.checked_sub(other.0).map(Self).ok_or(ArithmeticError)
            }
        }
        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                self.0.fmt(f)
            }
        }
        impl core::str::FromStr for $name {
            type Err = core::num::ParseIntError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(&self.0)
            }
        }
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
quantity!(Amount, u128);
quantity!(Delta, i128);

impl Amount {
    /// The difference, or zero where it would be negative.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// As a positive delta.
    pub fn to_delta(self) -> Result<Delta, ArithmeticError> {
        i128::try_from(self.0).map(Delta).map_err(|_| ArithmeticError)
    }

    /// `self · parts / whole`, rounded down, without overflow in between. Fails if `whole` is zero or the
    /// result does not fit.
    pub fn mul_div(self, parts: u128, whole: u128) -> Result<Self, ArithmeticError> {
        use sp_core::U512;
        U512::from(self.0)
            .checked_mul(U512::from(parts))
            .and_then(|product| product.checked_div(U512::from(whole)))
            .and_then(|quotient| u128::try_from(quotient).ok())
            .map(Self)
            .ok_or(ArithmeticError)
    }
}

impl Delta {
    /// Its distance from zero.
    #[must_use]
    pub const fn magnitude(self) -> Amount {
        Amount(self.0.unsigned_abs())
    }

    /// The value if positive, else nothing.
    #[must_use]
    pub fn positive_part(self) -> Amount {
        u128::try_from(self.0).map_or(Amount::ZERO, Amount)
    }

    /// With the other sign.
    pub fn negated(self) -> Result<Self, ArithmeticError> {
        self.0.checked_neg().map(Self).ok_or(ArithmeticError)
    }

    /// Raised by an amount.
    pub fn raised(self, amount: Amount) -> Result<Self, ArithmeticError> {
        self.0.checked_add_unsigned(amount.0).map(Self).ok_or(ArithmeticError)
    }

    /// Lowered by an amount.
    pub fn lowered(self, amount: Amount) -> Result<Self, ArithmeticError> {
        self.0.checked_sub_unsigned(amount.0).map(Self).ok_or(ArithmeticError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_that_do_not_fit_are_errors() {
        assert_eq!(Amount::MAX.add(Amount::new(1)), Err(ArithmeticError));
        assert_eq!(Amount::ZERO.sub(Amount::new(1)), Err(ArithmeticError));
        assert_eq!(Delta::MAX.raised(Amount::new(1)), Err(ArithmeticError));
        assert_eq!(Delta::new(i128::MIN).negated(), Err(ArithmeticError));
        assert_eq!(Delta::new(i128::MIN).lowered(Amount::new(1)), Err(ArithmeticError));
        assert_eq!(Amount::MAX.to_delta(), Err(ArithmeticError));
        assert_eq!(Amount::new(1).mul_div(1, 0), Err(ArithmeticError));
    }

    #[test]
    fn proportions_do_not_overflow_in_between() {
        assert_eq!(Amount::MAX.mul_div(1_000_000, 1_000_000), Ok(Amount::MAX));
        assert_eq!(Amount::new(1_000_001).mul_div(100, 1_000_000), Ok(Amount::new(100)));
        assert_eq!(Amount::MAX.mul_div(2, 1), Err(ArithmeticError));
    }

    #[test]
    fn json_writes_amounts_as_decimal_strings() {
        assert_eq!(
            serde_json::to_string(&Amount::MAX).unwrap(),
            "\"340282366920938463463374607431768211455\""
        );
        assert_eq!(serde_json::from_str::<Delta>("\"-5\"").unwrap(), Delta::new(-5));
        assert!(serde_json::from_str::<Amount>("\"-5\"").is_err());
    }
}

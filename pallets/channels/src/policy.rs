//! What an entity asks of those whose payments it carries.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use xln_primitives::{Amount, ArithmeticError, Storage, StorageType, StorageValue};

use crate::{Error, conditions::MAX_CONDITIONS, storage::tag};

const POLICY: StorageValue<Policy> = StorageValue::new(StorageType::Channels, tag::POLICY);

/// Fees and limits of an entity as a forwarder and payee, for all of its channels.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen)]
pub struct Policy {
    /// Fee per forwarded payment, in the asset's smallest unit.
    pub fee_base: Amount,
    /// Fee in millionths of the forwarded sum.
    pub fee_ppm: u32,
    /// Smallest HTLC taken.
    pub min_htlc: Amount,
    /// Largest HTLC taken.
    pub max_htlc: Amount,
    /// Time between the deadlines of an incoming and an outgoing HTLC: enough to publish a preimage.
    pub timelock_delta_ms: u64,
    /// Most pending HTLCs per channel, of both directions together.
    pub max_pending: u16,
    /// Collateral that is locked on request without asking, in total per channel, asset and life.
    pub auto_collateral: Amount,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            fee_base: Amount::ZERO,
            fee_ppm: 0,
            min_htlc: Amount::new(1),
            max_htlc: Amount::MAX,
            timelock_delta_ms: 40_000,
            max_pending: MAX_CONDITIONS,
            auto_collateral: Amount::ZERO,
        }
    }
}

impl Policy {
    /// The fee for forwarding `amount`, rounded down.
    pub fn fee(&self, amount: Amount) -> Result<Amount, ArithmeticError> {
        self.fee_base.add(amount.mul_div(u128::from(self.fee_ppm), 1_000_000)?)
    }

    /// Makes it the policy of the entity with this state.
    pub fn store(&self, storage: &mut impl Storage) -> Result<(), Error> {
        if self.min_htlc > self.max_htlc {
            return Err(Error::InvalidPolicy { min: self.min_htlc, max: self.max_htlc });
        }
        POLICY.put(storage, self);
        Ok(())
    }

    /// The entity's policy; the default one if it never set any.
    pub fn load(storage: &impl Storage) -> Result<Self, Error> {
        Ok(POLICY.get(storage)?.unwrap_or_default())
    }
}

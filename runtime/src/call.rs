//! What can be asked of an entity: the calls of all pallets under one list of codes.

use codec::{Decode, DecodeWithMemTracking, Encode, Input, Output};
use xln_primitives::Kind;

macro_rules! union {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident($inner:ty) = $codes:pat),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum $name { $($(#[$variant_doc])* $variant($inner)),+ }

        impl Encode for $name {
            fn size_hint(&self) -> usize {
                match self { $(Self::$variant(inner) => inner.size_hint()),+ }
            }
            fn encode_to<O: Output + ?Sized>(&self, output: &mut O) {
                match self { $(Self::$variant(inner) => inner.encode_to(output)),+ }
            }
        }
        impl Decode for $name {
            fn decode<I: Input>(input: &mut I) -> Result<Self, codec::Error> {
                let code = input.read_byte()?;
                let mut input = Again { first: Some(code), rest: input };
                match code {
                    $($codes => <$inner>::decode(&mut input).map(Self::$variant)),+,
                    _ => Err("no such code".into()),
                }
            }
        }
        impl DecodeWithMemTracking for $name {}
        $(impl From<$inner> for $name {
            fn from(inner: $inner) -> Self { Self::$variant(inner) }
        })+
    };
}

/// An input whose first byte has been looked at and is read again.
struct Again<'a, I> {
    first: Option<u8>,
    rest: &'a mut I,
}

impl<I: Input> Input for Again<'_, I> {
    fn remaining_len(&mut self) -> Result<Option<usize>, codec::Error> {
        let seen = usize::from(self.first.is_some());
        Ok(self.rest.remaining_len()?.map(|rest| rest.saturating_add(seen)))
    }

    fn read(&mut self, into: &mut [u8]) -> Result<(), codec::Error> {
        match (self.first, into.split_first_mut()) {
            (Some(byte), Some((place, rest))) => {
                *place = byte;
                self.first = None;
                self.rest.read(rest)
            }
            _ => self.rest.read(into),
        }
    }

    fn descend_ref(&mut self) -> Result<(), codec::Error> {
        self.rest.descend_ref()
    }

    fn ascend_ref(&mut self) {
        self.rest.ascend_ref();
    }

    fn on_before_alloc_mem(&mut self, size: usize) -> Result<(), codec::Error> {
        self.rest.on_before_alloc_mem(size)
    }
}

union! {
    /// A call. On the wire it is the call of its pallet, whose first byte tells which: the pallets share one list of
    /// codes (protocol, "Transaction type codes"), and none of them uses another's.
    RuntimeCall {
        /// Boards, names and the registry.
        Entities(pallet_entities::Call) = 0x01..=0x0f,
        /// Channels and payments.
        Channels(pallet_channels::Call) = 0x10..=0x2f,
        /// Proposals, votes and policies.
        Governance(pallet_governance::Call) = 0x30..=0x3f,
        /// Reserves and collateral at the depositary.
        Reserves(pallet_reserves::Call) = 0x40..=0x4f,
    }
}

impl RuntimeCall {
    /// Its code: the first byte on the wire.
    #[must_use]
    pub fn code(&self) -> u8 {
        self.using_encoded(|bytes| bytes.first().copied().unwrap_or_default())
    }
}

/// What entities say to each other.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
#[allow(clippy::cast_possible_truncation, reason = "the derive of Encode casts variant numbers")]
pub enum RuntimeMessage {
    /// A request to the depositary: to its ledger or to its registry.
    #[codec(index = 0x02)]
    Request(RuntimeCall),
    /// From one side of a channel to the other.
    #[codec(index = 0x03)]
    Channel(pallet_channels::PeerMessage),
    /// What the depositary tells those whom an event there concerns.
    #[codec(index = 0x04)]
    Notice(pallet_reserves::Notice),
    /// What an entity and the entities on its board say to each other.
    #[codec(index = 0x05)]
    Member(pallet_governance::MemberLetter),
}

impl Kind for RuntimeMessage {
    fn kind(&self) -> u8 {
        match self {
            Self::Request(_) => 0x02,
            Self::Channel(message) => message.kind(),
            Self::Notice(_) => 0x04,
            Self::Member(_) => 0x05,
        }
    }
}

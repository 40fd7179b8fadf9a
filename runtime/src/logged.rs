//! The messages of a slice as its log entry has them: without what follows from the rest.
//!
//! | left out | because |
//! |---|---|
//! | sender | it is the entity of the frame |
//! | receiver | receivers are listed once per slice; a hub receives nearly everything |
//! | board of a lazy sender | its hash is the sender's identifier |
//!
//! Numbers are compact. A message of a single signer takes about 115 bytes less than on the wire.

use std::sync::Arc;

use codec::{Compact, Decode, Encode, Error, Input, Output};
use xln_primitives::{
    BoundedVec, Certificate, CertifiedMessage, EntityId, FrameHash, FrameHeader, Hash, Message, Timestamp,
    outputs::MerklePath,
};

use crate::RuntimeMessage;

/// A certified message.
type Certified = CertifiedMessage<RuntimeMessage>;

/// Writes messages down.
pub(crate) fn encode(messages: &[Arc<Certified>], out: &mut (impl Output + ?Sized)) {
    let mut receivers: Vec<EntityId> = messages.iter().map(|certified| certified.message.to).collect();
    receivers.sort_unstable();
    receivers.dedup();
    receivers.encode_to(out);
    // A slice has fewer than 2³² messages.
    Compact(u32::try_from(messages.len()).unwrap_or(u32::MAX)).encode_to(out);
    for certified in messages {
        let receiver = receivers.binary_search(&certified.message.to).unwrap_or_default();
        Compact(u32::try_from(receiver).unwrap_or(u32::MAX)).encode_to(out);
        encode_one(certified, out);
    }
}

fn encode_one(certified: &Certified, out: &mut (impl Output + ?Sized)) {
    let Certified { message, path, header, certificate } = certified;
    Compact(message.sequence).encode_to(out);
    message.call.encode_to(out);
    Compact(path.index).encode_to(out);
    Compact(path.count).encode_to(out);
    path.siblings.encode_to(out);
    header.entity.encode_to(out);
    Compact(header.height).encode_to(out);
    header.parent.encode_to(out);
    Compact(header.timestamp.as_millis()).encode_to(out);
    let board = (EntityId::from(header.board_hash) != header.entity).then_some(header.board_hash);
    board.encode_to(out);
    header.inputs_root.encode_to(out);
    header.state_root.encode_to(out);
    header.outputs_root.encode_to(out);
    certificate.encode_to(out);
}

/// Reads what [`encode`] wrote.
pub(crate) fn decode(input: &mut impl Input) -> Result<Vec<Arc<Certified>>, Error> {
    let receivers = Vec::<EntityId>::decode(input)?;
    let count = Compact::<u32>::decode(input)?.0;
    let mut messages = Vec::new();
    for _ in 0..count {
        let receiver = usize::try_from(Compact::<u32>::decode(input)?.0).unwrap_or(usize::MAX);
        let to = *receivers.get(receiver).ok_or("a message to nobody")?;
        messages.push(Arc::new(decode_one(to, input)?));
    }
    Ok(messages)
}

fn decode_one(to: EntityId, input: &mut impl Input) -> Result<Certified, Error> {
    let sequence = Compact::<u64>::decode(input)?.0;
    let call = RuntimeMessage::decode(input)?;
    let path = MerklePath {
        index: Compact::<u32>::decode(input)?.0,
        count: Compact::<u32>::decode(input)?.0,
        siblings: BoundedVec::decode(input)?,
    };
    let entity = EntityId::decode(input)?;
    let header = FrameHeader {
        entity,
        height: Compact::<u64>::decode(input)?.0,
        parent: FrameHash::decode(input)?,
        timestamp: Timestamp::from_millis(Compact::<u64>::decode(input)?.0),
        board_hash: Option::<Hash>::decode(input)?.unwrap_or_else(|| Hash::new(*entity.as_bytes())),
        inputs_root: Hash::decode(input)?,
        state_root: Hash::decode(input)?,
        outputs_root: Hash::decode(input)?,
    };
    let certificate = Certificate::decode(input)?;
    let message = Arc::new(Message { from: entity, to, sequence, call });
    Ok(Certified { message, path, header, certificate })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RuntimeCall;
    use xln_primitives::{Board, PublicKey, Signature};

    fn message(from: u8, to: u8, lazy: bool) -> Arc<Certified> {
        let board = Board::single(PublicKey::Ed25519([from; 32]));
        let entity = if lazy { board.entity() } else { EntityId::new([from; 32]) };
        let call = RuntimeCall::Entities(pallet_entities::Call::Create { board: board.clone() });
        let call = RuntimeMessage::Request(call);
        let to = EntityId::new([to; 32]);
        Arc::new(CertifiedMessage {
            message: Arc::new(Message { from: entity, to, sequence: 7, call }),
            path: MerklePath {
                index: 1,
                count: 2,
                siblings: BoundedVec::truncate_from(vec![Hash::new([1; 32])]),
            },
            header: FrameHeader {
                entity,
                height: 300,
                parent: FrameHash::new([3; 32]),
                timestamp: Timestamp::from_millis(1_700_000_000_000),
                board_hash: board.hash(),
                inputs_root: Hash::new([4; 32]),
                state_root: Hash::new([5; 32]),
                outputs_root: Hash::new([6; 32]),
            },
            certificate: Certificate::Single(Signature::Ed25519([8; 64])),
        })
    }

    #[test]
    fn what_was_logged_is_read_again_whoever_sent_it_to_whomever() {
        let messages: Vec<_> = [(1, 9, true), (2, 9, false), (3, 8, true), (1, 8, true)]
            .map(|(f, t, l)| message(f, t, l))
            .into();
        let mut bytes = Vec::new();
        encode(&messages, &mut bytes);
        assert_eq!(decode(&mut bytes.as_slice()), Ok(messages));
        for length in 0..bytes.len() {
            assert!(decode(&mut bytes.get(..length).unwrap()).is_err(), "{length} bytes of it");
        }
    }

    #[test]
    fn a_lazy_senders_message_takes_a_hundred_bytes_less_than_on_the_wire() {
        let one = message(1, 9, true);
        let mut bytes = Vec::new();
        encode(&[Arc::clone(&one), Arc::clone(&one)], &mut bytes);
        let wire = 2 * one.encoded_size();
        assert!(wire - bytes.len() > 2 * 90, "{wire} bytes became {}", bytes.len());
    }
}

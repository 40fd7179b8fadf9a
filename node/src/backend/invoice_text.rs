//! The text of an invoice: what a payee hands to a payer.
//!
//! `xln1…` in bech32m over the SCALE encoding of [`Content`] and a signature of the payee's board over it. The board
//! travels with the text and must be the payee's: of a lazy payee the identifier is the board's hash; a registered payee
//! is looked up. So a text can be checked off-line.

use codec::{Decode, DecodeWithMemTracking, Encode};
use pallet_channels::PaymentHash;
use xln_primitives::{
    Amount, AssetId, Board, BoundedVec, ConstU32, EntityId, Network, Signature, Timestamp, decode_exact,
    keccak256,
};

use super::bech32m::{self, Bech32Error};

/// What the text begins with, before the separator `1`.
pub(super) const PREFIX: &str = "xln";
/// Longest text that is looked at.
const TEXT_MAX: usize = 16 * 1024;
/// What a signature of an invoice covers first, so that it can be taken for nothing else.
const DOMAIN: &[u8; 16] = b"XLN invoice text";

/// Hops by which a payee can be reached, from far to near.
pub(super) type Hint = BoundedVec<EntityId, ConstU32<{ pallet_channels::MAX_HOPS }>>;

/// What an invoice says.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
pub(super) struct Content {
    /// The network for which it is meant.
    pub(super) network: Network,
    /// Who is to be paid.
    pub(super) payee: EntityId,
    /// Who speaks for the payee.
    pub(super) board: Board,
    /// Which asset.
    pub(super) asset: AssetId,
    /// How much; absent if the payer decides.
    pub(super) amount: Option<Amount>,
    /// SHA-256 of the preimage.
    pub(super) hash: PaymentHash,
    /// What for, UTF-8.
    pub(super) description: BoundedVec<u8, ConstU32<{ pallet_channels::MAX_DESCRIPTION }>>,
    /// When it was made.
    pub(super) created: Timestamp,
    /// Until when it can be paid.
    pub(super) expires: Timestamp,
    /// Hops by which the payee can be reached.
    pub(super) hints: BoundedVec<Hint, ConstU32<8>>,
}

#[derive(Encode, Decode, DecodeWithMemTracking)]
struct Signed {
    content: Content,
    signature: Signature,
}

/// A text that is no invoice.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum InvoiceError {
    /// Not bech32m.
    #[error("the invoice cannot be read: {0}")]
    Text(#[from] Bech32Error),
    /// Too long.
    #[error("an invoice has at most {TEXT_MAX} characters, found {found}")]
    TooLong {
        /// Its length.
        found: usize,
    },
    /// Something else in bech32m.
    #[error("an invoice begins with {PREFIX}1, this one with {found}1")]
    Prefix {
        /// Its prefix.
        found: String,
    },
    /// The bytes say nothing.
    #[error("the invoice does not decode: {0}")]
    Malformed(String),
    /// The board in it is another entity's.
    #[error("the invoice names {payee}, but carries the board of {found}")]
    OtherBoard {
        /// Whom it names.
        payee: EntityId,
        /// Whose board it carries.
        found: EntityId,
    },
    /// Nobody who may speak for the payee signed it.
    #[error("the invoice is not signed by its payee")]
    Signature,
}

/// What is signed.
pub(super) fn sign_bytes(content: &Content) -> Vec<u8> {
    [DOMAIN.as_slice(), content.using_encoded(keccak256).as_ref()].concat()
}

/// The text of an invoice.
pub(super) fn write(content: Content, signature: Signature) -> String {
    bech32m::encode(PREFIX, &Signed { content, signature }.encode())
}

/// Reads a text and checks its signature. `registered` knows the boards of registered entities.
pub(super) fn read(
    text: &str,
    registered: impl FnOnce(&EntityId) -> Option<Board>,
) -> Result<Content, InvoiceError> {
    let text = text.trim();
    if text.len() > TEXT_MAX {
        return Err(InvoiceError::TooLong { found: text.len() });
    }
    let (prefix, bytes) = bech32m::decode(text)?;
    if prefix != PREFIX {
        return Err(InvoiceError::Prefix { found: prefix });
    }
    let Signed { content, signature } =
        decode_exact(&bytes, TEXT_MAX).map_err(|error| InvoiceError::Malformed(error.to_string()))?;
    let found = content.board.entity();
    if content.payee != found && registered(&content.payee).as_ref() != Some(&content.board) {
        return Err(InvoiceError::OtherBoard { payee: content.payee, found });
    }
    let key = content.board.sole_signer().ok_or(InvoiceError::Signature)?;
    key.verify(&sign_bytes(&content), &signature).map_err(|_| InvoiceError::Signature)?;
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use xln_primitives::SecretKey;
    use zeroize::Zeroizing;

    fn key(seed: u8) -> SecretKey {
        SecretKey::Ed25519(Zeroizing::new([seed; 32]))
    }

    fn content() -> Content {
        let board = Board::single(key(1).public().unwrap());
        Content {
            network: Network::new([9; 32]),
            payee: board.entity(),
            board,
            asset: AssetId::new([3; 32]),
            amount: Some(Amount::new(120)),
            hash: PaymentHash::new([4; 32]),
            description: b"a coffee".to_vec().try_into().unwrap(),
            created: Timestamp::from_millis(1),
            expires: Timestamp::from_millis(2),
            hints: BoundedVec::new(),
        }
    }

    #[test]
    fn an_invoice_reads_back_what_its_payee_signed() {
        let signature = key(1).sign(&sign_bytes(&content())).unwrap();
        let text = write(content(), signature);
        assert!(text.starts_with("xln1"), "{text}");
        assert_eq!(read(&text, |_| None), Ok(content()));
        assert_eq!(read(&text.to_uppercase(), |_| None), Ok(content()));
    }

    #[test]
    fn an_invoice_that_somebody_else_signed_is_refused() {
        let signature = key(2).sign(&sign_bytes(&content())).unwrap();
        assert_eq!(read(&write(content(), signature), |_| None), Err(InvoiceError::Signature));
    }

    #[test]
    fn a_board_that_is_not_the_payees_is_refused_unless_the_registry_knows_it() {
        let registered = Content { payee: EntityId::registered(5), ..content() };
        let text = write(registered.clone(), key(1).sign(&sign_bytes(&registered)).unwrap());
        assert!(matches!(read(&text, |_| None), Err(InvoiceError::OtherBoard { .. })));
        assert_eq!(read(&text, |_| Some(content().board)), Ok(registered));
    }

    #[test]
    fn other_texts_are_no_invoices() {
        assert!(matches!(read("hello", |_| None), Err(InvoiceError::Text(_))));
        assert!(matches!(read("a1lqfn3a", |_| None), Err(InvoiceError::Prefix { .. })));
        assert!(matches!(read(&"q".repeat(TEXT_MAX + 1), |_| None), Err(InvoiceError::TooLong { .. })));
        assert!(matches!(read(&bech32m::encode(PREFIX, b"x"), |_| None), Err(InvoiceError::Malformed(_))));
    }
}

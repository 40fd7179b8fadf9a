//! `chain.*`: blocks of the server, frames of its entities, receipts.
//!
//! Of frames the node keeps the latest of each entity; blocks and receipts are kept until they are pruned.

use codec::{Decode, Encode};
use xln_primitives::{BlockHeader, Board, CallHash, Certificate, EntityId, FrameHeader, Height, Member};
use xln_rpc::{
    Bytes, RpcError, U64,
    params::{GetBlock, GetFrame, GetReceipt},
    view::{BlockView, CertificateView, FrameHeaderView, FrameView, ReceiptView},
};
use xln_runtime::{Entity, Slice};
use xln_store::Store;

use super::{
    NodeBackend,
    codes::{Refused, storage},
    directory::Directory,
    receipts::stored_receipt,
};

/// How many slices are looked through for the calls of a frame.
const SEARCH_MAX: u64 = 1_000;

/// A frame header as the API shows it.
pub(super) fn header_view(directory: &Directory, header: &FrameHeader) -> FrameHeaderView {
    FrameHeaderView {
        hash: header.hash(),
        entity: directory.party(header.entity),
        height: U64(header.height),
        parent: header.parent,
        timestamp: header.timestamp,
        board_hash: header.board_hash,
        inputs_root: header.inputs_root,
        state_root: header.state_root,
        outputs_root: header.outputs_root,
    }
}

/// A block as the API shows it, with the calls in its slices.
pub(super) fn block_view(store: &Store, header: &BlockHeader) -> Result<BlockView, RpcError> {
    let mut calls = Vec::new();
    for number in header.first_slice..header.first_slice.saturating_add(u64::from(header.slices)) {
        if let Some(slice) = stored_slice(store, number)? {
            calls.extend(slice.calls.iter().map(xln_runtime::SignedCall::hash));
        }
    }
    Ok(BlockView {
        number: U64(header.number),
        hash: header.hash(),
        parent: header.parent,
        timestamp: header.timestamp,
        first_slice: U64(header.first_slice),
        slices: header.slices,
        inputs_root: header.inputs_root,
        state_root: header.state_root,
        receipts_root: header.receipts_root,
        calls,
    })
}

fn stored_slice(store: &Store, number: u64) -> Result<Option<Slice>, RpcError> {
    let Some(bytes) = store.slice(number).map_err(|error| storage(&error))? else { return Ok(None) };
    Slice::decode(&mut bytes.as_slice())
        .map(Some)
        .map_err(|error| RpcError::storage(format!("slice {number} on the disk does not decode: {error}")))
}

/// Weight of those who made a certificate.
fn weight(board: &Board, certificate: &Certificate) -> u32 {
    match certificate {
        Certificate::Single(_) => board.total_weight(),
        Certificate::Aggregate { signers, .. } => {
            let signed =
                |place: usize| signers.get(place / 8).is_some_and(|byte| byte >> (place % 8) & 1 == 1);
            let members = board.members.iter().enumerate().filter(|(place, _)| signed(*place));
            members.map(|(_, member): (usize, &Member)| member.weight).fold(0, u32::saturating_add)
        }
    }
}

impl NodeBackend {
    /// The block that holds a slice, if it is sealed and kept.
    pub(super) fn block_of(&self, slice: u64) -> Result<Option<u64>, RpcError> {
        let (mut low, mut high) = (0, self.read().head().number);
        while low < high {
            let middle = low + (high - low) / 2;
            let block = self.store.block_by_number(middle).map_err(|error| storage(&error))?;
            // Pruned blocks are the oldest.
            let ends_before =
                block.is_none_or(|block| block.first_slice.saturating_add(u64::from(block.slices)) <= slice);
            if ends_before { low = middle + 1 } else { high = middle }
        }
        let block = self.store.block_by_number(low).map_err(|error| storage(&error))?;
        let holds = |block: &BlockHeader| {
            (block.first_slice..block.first_slice.saturating_add(u64::from(block.slices))).contains(&slice)
        };
        Ok(block.filter(holds).map(|block| block.number))
    }

    pub(super) fn chain_get_block(&self, params: GetBlock) -> Result<BlockView, RpcError> {
        let head = self.read().head().clone();
        let found = match (params.number, params.hash) {
            (Some(_), Some(_)) => {
                return Err(RpcError::invalid_params(
                    "a block is named by its number or by its hash, not by both",
                ));
            }
            (None, None) => Ok(Some(head.clone())),
            (Some(U64(number)), None) if number == head.number => Ok(Some(head.clone())),
            (Some(U64(number)), None) => self.store.block_by_number(number),
            (None, Some(hash)) => self.store.block_by_hash(&hash),
        };
        let header = found.map_err(|error| storage(&error))?.ok_or_else(|| {
            let which = params.number.map(|number| number.to_string());
            let which = which.or(params.hash.map(|hash| hash.to_string())).unwrap_or_default();
            let hint = format!("the last block is {}; old ones may have been pruned", head.number);
            RpcError::not_found("block", which).with_hint(hint)
        })?;
        block_view(&self.store, &header)
    }

    /// The latest frame of an entity, if that is the one that is meant.
    fn frame<'a>(&self, entity: &'a Entity, height: Option<U64>) -> Result<&'a FrameHeader, RpcError> {
        let label = self.directory.party(entity.id()).label();
        let Some(head) = entity.head() else {
            return Err(
                RpcError::not_found("frame of", label).with_hint("the entity has not made a frame yet")
            );
        };
        match height {
            Some(U64(height)) if height != head.header.height => {
                Err(RpcError::not_found("frame", format!("{height} of {label}")).with_hint(format!(
                    "the latest frame of each entity is kept; that is {} here",
                    head.header.height
                )))
            }
            _ => Ok(&head.header),
        }
    }

    /// The latest frame of an entity and its certificate.
    pub(super) fn certified<'a>(
        &self,
        entity: &'a Entity,
    ) -> Result<(&'a FrameHeader, &'a Certificate), RpcError> {
        let header = self.frame(entity, None)?;
        let certificate = entity.head().and_then(|head| head.certificate.as_ref()).ok_or_else(|| {
            let label = self.directory.party(entity.id()).label();
            RpcError::not_found("certificate of", label)
                .with_hint("it stands as the chain spec made it, and has made no frame of its own yet")
        })?;
        Ok((header, certificate))
    }

    pub(super) fn chain_get_header(&self, params: GetFrame) -> Result<FrameHeaderView, RpcError> {
        let entity = self.acting(Some(&params.entity))?;
        Ok(header_view(&self.directory, self.frame(&entity, params.height)?))
    }

    pub(super) fn chain_get_certificate(&self, params: GetFrame) -> Result<CertificateView, RpcError> {
        let entity = self.acting(Some(&params.entity))?;
        self.frame(&entity, params.height)?;
        let (header, certificate) = self.certified(&entity)?;
        // If the board changed in this frame, the one before it has certified it.
        let then = pallet_entities::board_at(&entity.state(), header.height).refused()?;
        let board = then.as_ref().unwrap_or_else(|| entity.board());
        Ok(CertificateView {
            header: header_view(&self.directory, header),
            certificate: Bytes(certificate.encode()),
            board: Bytes(board.encode()),
            weight: weight(board, certificate),
            quorum: board.quorum(),
        })
    }

    pub(super) fn chain_get_frame(&self, params: GetFrame) -> Result<FrameView, RpcError> {
        let entity = self.acting(Some(&params.entity))?;
        let header = self.frame(&entity, params.height)?;
        let (slice, calls) = self.made_by(entity.id(), header.height)?;
        Ok(FrameView { header: header_view(&self.directory, header), slice: slice.map(U64), calls })
    }

    /// The slice that made a frame and the signed calls in the frame, as far as receipts of the latest slices tell: a
    /// frame that executed no signed call is found in none.
    fn made_by(&self, entity: EntityId, height: Height) -> Result<(Option<u64>, Vec<CallHash>), RpcError> {
        let last = self.read().slice();
        for number in (last.saturating_sub(SEARCH_MAX).max(1)..=last).rev() {
            let Some(slice) = stored_slice(&self.store, number)? else { continue };
            let mut calls = Vec::new();
            for call in slice.calls.iter().filter(|call| call.body.entity == entity) {
                let hash = call.hash();
                if stored_receipt(&self.store, &hash)?.is_some_and(|receipt| receipt.height == height) {
                    calls.push(hash);
                }
            }
            if !calls.is_empty() {
                return Ok((Some(number), calls));
            }
        }
        Ok((None, Vec::new()))
    }

    pub(super) fn chain_get_receipt(&self, params: GetReceipt) -> Result<ReceiptView, RpcError> {
        match stored_receipt(&self.store, &params.hash)? {
            Some(receipt) => Ok(self.receipt_view(&receipt)),
            None => {
                let hint = if self.pool.watch(params.hash).is_some() {
                    "the call waits for inclusion: ask again in a moment"
                } else {
                    "no such call was executed here, or its receipt has been pruned"
                };
                Err(RpcError::not_found("receipt of call", params.hash).with_hint(hint))
            }
        }
    }
}

//! `invoice.*`: requests to be paid.

use pallet_channels::{Call, Event, Invoice, InvoiceStatus as Stored, PaymentHash, view as read};
use xln_keystore::Keystore;
use xln_primitives::{Amount, Board, BoundedVec, EntityId, Timestamp};
use xln_primitives::{Hash, Network};
use xln_rpc::{
    RpcError,
    params::{InvoiceCancel, InvoiceCreate, InvoiceDecode, InvoiceGet, InvoiceList, page_size},
    view::{DecodedInvoice, InvoiceStatus, InvoiceView},
};
use xln_runtime::{Entity, RuntimeEvent};

use super::{
    NodeBackend,
    codes::Refused,
    directory::Directory,
    invoice_text::{self, Content},
    json::text,
};
use crate::author::system_time;

/// How long an invoice can be paid unless it says otherwise.
const EXPIRES_MS: u64 = 3_600_000;
/// Invoices that are read at once.
const PAGE: usize = 1_000;

/// What is needed to show an invoice.
pub(super) struct InvoiceBook<'a> {
    pub(super) directory: &'a Directory,
    pub(super) keystore: &'a Keystore,
    pub(super) network: Network,
}

impl InvoiceBook<'_> {
    /// An invoice as the API shows it.
    pub(super) fn view(&self, entity: &Entity, invoice: &Invoice, now: Timestamp) -> InvoiceView {
        let (symbol, decimals) = self.directory.unit(&invoice.asset);
        let status = status_of(invoice, now);
        let (received, settled) = match invoice.status {
            Stored::Paid { amount, at } => (amount, Some(at)),
            _ => (Amount::ZERO, None),
        };
        let preimage = invoice.preimage.filter(|_| status == InvoiceStatus::Settled);
        InvoiceView {
            hash: (*invoice.hash.as_bytes()).into(),
            payee: self.directory.party(entity.id()),
            asset: invoice.asset,
            symbol,
            decimals,
            amount: invoice.amount,
            received,
            description: text(&invoice.description),
            status,
            invoice: self.text(entity, invoice).unwrap_or_default(),
            created: invoice.created,
            expires: invoice.expires,
            settled,
            preimage: preimage.map(|preimage| (*preimage.as_bytes()).into()),
        }
    }

    /// The text to hand to a payer; none if the node does not hold the payee's key.
    fn text(&self, entity: &Entity, invoice: &Invoice) -> Option<String> {
        let signer = self.keystore.signer(&entity.board().sole_signer()?.signer_id())?;
        let content = Content {
            network: self.network,
            payee: entity.id(),
            board: entity.board().clone(),
            asset: invoice.asset,
            amount: invoice.amount,
            hash: invoice.hash,
            description: invoice.description.clone(),
            created: invoice.created,
            expires: invoice.expires,
            hints: BoundedVec::new(),
        };
        let signature = signer.sign(&invoice_text::sign_bytes(&content)).ok()?;
        Some(invoice_text::write(content, signature))
    }
}

/// A payment hash as the API writes it.
pub(super) fn payment_hash(hash: Hash) -> PaymentHash {
    PaymentHash::new(*hash.as_bytes())
}

impl NodeBackend {
    fn invoice_view(&self, entity: &Entity, invoice: &Invoice) -> InvoiceView {
        let network = self.read().facts().network;
        let book = InvoiceBook { directory: &self.directory, keystore: &self.keystore, network };
        book.view(entity, invoice, system_time())
    }

    /// The hosted entity with an invoice of this hash, and the invoice.
    fn find_invoice(&self, hash: Hash) -> Result<(Entity, Invoice), RpcError> {
        for entity in self.selected(None)? {
            let invoice = read::invoice(&entity.state(), payment_hash(hash)).refused()?;
            if let Some(invoice) = invoice {
                return Ok((entity, invoice));
            }
        }
        Err(RpcError::not_found("invoice", hash).with_hint("invoice.list names those of hosted entities"))
    }

    pub(super) async fn invoice_create(&self, params: InvoiceCreate) -> Result<InvoiceView, RpcError> {
        let entity = self.acting(params.entity.as_ref())?;
        let asset = self.directory.asset(params.asset.as_ref())?;
        let description = params.description.unwrap_or_default().into_bytes();
        let description = BoundedVec::try_from(description).map_err(|bytes| {
            let most = pallet_channels::MAX_DESCRIPTION;
            RpcError::invalid_params(format!("a description has at most {most} bytes, not {}", bytes.len()))
        })?;
        let expires = system_time().saturating_add(params.expires_in_ms.unwrap_or(EXPIRES_MS));
        let call = Call::CreateInvoice { asset, amount: params.amount, hash: None, description, expires };
        let sent = self.send(entity.id(), self.board_key(&entity)?, vec![call.into()])?;
        let included = self.included(sent).await?;
        let issued = included.receipt.events.iter().find_map(|event| match event {
            RuntimeEvent::Channels(Event::InvoiceIssued { hash, .. }) => Some(*hash),
            _ => None,
        });
        let hash = issued.ok_or_else(|| RpcError::internal("the call made no invoice"))?;
        self.invoice_get(InvoiceGet { hash: (*hash.as_bytes()).into() })
    }

    pub(super) fn invoice_get(&self, params: InvoiceGet) -> Result<InvoiceView, RpcError> {
        let (entity, invoice) = self.find_invoice(params.hash)?;
        Ok(self.invoice_view(&entity, &invoice))
    }

    pub(super) fn invoice_list(&self, params: InvoiceList) -> Result<Vec<InvoiceView>, RpcError> {
        let mut found: Vec<(Entity, Invoice)> = Vec::new();
        let limit = page_size(params.limit);
        let now = system_time();
        for entity in self.selected(params.entity.as_ref())? {
            let is_wanted = |invoice: &Invoice| {
                params.before.is_none_or(|before| invoice.created < before)
                    && params.status.is_none_or(|status| status_of(invoice, now) == status)
            };
            found.extend(invoices(&entity, is_wanted)?.into_iter().map(|invoice| (entity.clone(), invoice)));
            newest_first(&mut found, limit, |(_, invoice)| invoice.created);
        }
        Ok(found.iter().map(|(entity, invoice)| self.invoice_view(entity, invoice)).collect())
    }

    pub(super) async fn invoice_cancel(&self, params: InvoiceCancel) -> Result<InvoiceView, RpcError> {
        let (entity, invoice) = self.find_invoice(params.hash)?;
        self.act(&entity, Call::CancelInvoice { hash: invoice.hash }, true).await?;
        self.invoice_get(InvoiceGet { hash: params.hash })
    }

    /// Reads the text of an invoice.
    pub(super) fn invoice_content(&self, text: &str) -> Result<Content, RpcError> {
        let board = |id: &EntityId| -> Option<Board> {
            self.hosted(id).map(|entity| entity.board().clone()).or_else(|| {
                let depositary = self.read().depositary().cloned()?;
                pallet_entities::registered_board(&depositary.state(), id.registry_number()?).ok()?
            })
        };
        invoice_text::read(text, board).map_err(|error| RpcError::invalid_params(error.to_string()))
    }

    pub(super) fn invoice_decode(&self, params: InvoiceDecode) -> Result<DecodedInvoice, RpcError> {
        let content = self.invoice_content(&params.invoice)?;
        let asset = self.directory.known(&content.asset);
        Ok(DecodedInvoice {
            network: content.network,
            payee: self.directory.party(content.payee),
            asset: content.asset,
            symbol: asset.map(|asset| asset.symbol.clone()),
            decimals: asset.map(|asset| asset.decimals),
            amount: content.amount,
            hash: (*content.hash.as_bytes()).into(),
            description: text(&content.description),
            created: content.created,
            expires: content.expires,
            hints: content.hints.iter().map(|hint| hint.to_vec()).collect(),
        })
    }
}

fn status_of(invoice: &Invoice, now: Timestamp) -> InvoiceStatus {
    match invoice.status {
        Stored::Open if now > invoice.expires => InvoiceStatus::Expired,
        Stored::Open => InvoiceStatus::Open,
        Stored::Accepted { .. } => InvoiceStatus::Accepted,
        Stored::Paid { .. } => InvoiceStatus::Settled,
        Stored::Cancelled => InvoiceStatus::Cancelled,
    }
}

/// The invoices of an entity that are wanted.
pub(super) fn invoices(
    entity: &Entity,
    is_wanted: impl Fn(&Invoice) -> bool,
) -> Result<Vec<Invoice>, RpcError> {
    let state = entity.state();
    let (mut wanted, mut after) = (Vec::new(), None);
    loop {
        let page = read::invoices(&state, after, PAGE).refused()?;
        after = page.last().map(|invoice| invoice.hash);
        let full = page.len() == PAGE;
        wanted.extend(page.into_iter().filter(|invoice| is_wanted(invoice)));
        if !full {
            return Ok(wanted);
        }
    }
}

/// Keeps the newest `limit`, newest first.
pub(super) fn newest_first<T>(items: &mut Vec<T>, limit: usize, created: impl Fn(&T) -> Timestamp) {
    items.sort_by_key(|item| std::cmp::Reverse(created(item)));
    items.truncate(limit);
}

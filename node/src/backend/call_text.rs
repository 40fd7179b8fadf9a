//! Calls in the words of people: what a proposal would do.

use core::fmt::Write as _;

use pallet_channels::Call as Channels;
use pallet_entities::{BoardChange, Call as Entities};
use pallet_governance::{Call as Governance, EncodedCall, Listing, MemberAct, Preset};
use pallet_reserves::Call as Reserves;
use xln_primitives::{AssetId, Board, EntityId, Member, Principal, Profile, Side, decode_exact};
use xln_rpc::words::moment;
use xln_runtime::RuntimeCall;

use super::{directory::Directory, json::text, policies::preset_name};

/// Most calls that are spelled out inside of another call.
const INNER_MAX: usize = 8;
/// How deep calls that stand in each other are spelled out.
const DEPTH_MAX: usize = 4;

impl Directory {
    /// What a call does if `own` makes it, as the rest of a sentence that begins with "it will".
    fn call_text(&self, own: EntityId, call: &RuntimeCall, depth: usize) -> String {
        match call {
            RuntimeCall::Entities(call) => self.of_entities(own, call),
            RuntimeCall::Channels(call) => self.of_channels(call),
            RuntimeCall::Governance(call) => self.of_governance(own, call, depth),
            RuntimeCall::Reserves(call) => self.of_reserves(call),
        }
    }

    /// The same of an encoded call; of bytes that are none, that they are none.
    pub(super) fn encoded_call_text(&self, own: EntityId, call: &[u8]) -> String {
        self.encoded_call_text_at(own, call, DEPTH_MAX)
    }

    fn encoded_call_text_at(&self, own: EntityId, call: &[u8], depth: usize) -> String {
        match decode_exact::<RuntimeCall>(call, call.len()) {
            Ok(call) => self.call_text(own, &call, depth),
            Err(_) => "fail: these bytes are no call of this network".to_owned(),
        }
    }

    fn name_or_id(&self, id: EntityId) -> String {
        self.party(id).label()
    }

    /// A member of a board.
    pub(super) fn principal_text(&self, who: &Principal) -> String {
        match who {
            Principal::Signer(signer) => {
                let id = signer.to_string();
                format!("the key {}…", id.get(..10).unwrap_or(&id))
            }
            Principal::Entity(entity) => self.name_or_id(*entity),
        }
    }

    pub(super) fn member_text(&self, member: &Member) -> String {
        let delegate = if member.delegate().is_some() { ", whose frames a server orders" } else { "" };
        format!("{} with weight {}{delegate}", self.principal_text(&member.principal()), member.weight)
    }

    pub(super) fn board_text(&self, board: &Board) -> String {
        let members: Vec<String> = board.members.iter().map(|member| self.member_text(member)).collect();
        format!("threshold {} of {}: {}", board.threshold, board.total_weight(), members.join("; "))
    }

    fn of_entities(&self, own: EntityId, call: &Entities) -> String {
        match call {
            Entities::Create { board } if board.entity() == own => "declare itself created".to_owned(),
            Entities::Create { board } => {
                format!("register a new entity with {}", self.board_text(board))
            }
            Entities::SetMetadata(metadata) => match text(&metadata.name) {
                name if name.is_empty() => "give up its name".to_owned(),
                name => format!("call itself {name}"),
            },
            Entities::ChangeBoard(change) => self.board_change_text(change),
            Entities::Update { board } => {
                format!("tell the registry that its board is now {}", self.board_text(board))
            }
        }
    }

    fn board_change_text(&self, change: &BoardChange) -> String {
        match change {
            BoardChange::Add(member) => format!("take {} onto its board", self.member_text(member)),
            BoardChange::Remove(who) => format!("remove {} from its board", self.principal_text(who)),
            BoardChange::Replace { who, with } if with.principal() == *who => {
                format!("change a member of its board: {}", self.member_text(with))
            }
            BoardChange::Replace { who, with } => {
                format!(
                    "put {} in the place of {} on its board",
                    self.member_text(with),
                    self.principal_text(who)
                )
            }
            BoardChange::SetThreshold(threshold) => format!("let weight {threshold} decide for its board"),
            BoardChange::SetProfile(Profile::Byzantine) => {
                "let its board survive members that lie, of less than a third of the weight".to_owned()
            }
            BoardChange::SetProfile(Profile::CrashFault) => {
                "let its board survive crashes only, and decide by more than half of the weight".to_owned()
            }
            BoardChange::SetBoard(board) => format!("have another board, with {}", self.board_text(board)),
        }
    }

    fn of_channels(&self, call: &Channels) -> String {
        let name = |id: &EntityId| self.name_or_id(*id);
        match call {
            Channels::Open { peer, credits } => {
                let mut text = format!("open a channel with {}", name(peer));
                for credit in credits {
                    // Writing to a string does not fail.
                    let _ = write!(text, ", who may owe {}", self.money(&credit.asset, credit.limit));
                }
                text
            }
            Channels::SetCreditLimit { peer, credit } => {
                format!("let {} owe up to {}", name(peer), self.money(&credit.asset, credit.limit))
            }
            Channels::Close { peer } => format!("close the channel with {}", name(peer)),
            Channels::RequestCollateral { peer, asset, amount } => {
                format!("ask {} for {} of collateral", name(peer), self.money(asset, *amount))
            }
            Channels::SetPolicy { .. } => "change its terms for forwarding payments".to_owned(),
            Channels::PayDirect { to, asset, amount } => {
                format!("pay {} to {} without a condition", self.money(asset, *amount), name(to))
            }
            Channels::Pay { to, asset, amount, max_fee, route, .. } => {
                let via: Vec<String> = route.iter().map(|hop| name(&hop.via)).collect();
                let way = if via.is_empty() { String::new() } else { format!(" over {}", via.join(", ")) };
                let (sum, fee) = (self.money(asset, *amount), self.money(asset, *max_fee));
                format!("pay {sum} to {}{way}, for a fee of at most {fee}", name(to))
            }
            Channels::Fulfil { .. } => "take a payment by its preimage".to_owned(),
            Channels::Cancel { hash } => format!("give back the payment held for {hash}"),
            Channels::CreateInvoice { asset, amount, .. } => match amount {
                Some(amount) => format!("ask to be paid {}", self.money(asset, *amount)),
                None => format!("ask to be paid any sum of {}", self.unit(asset).0),
            },
            Channels::CancelInvoice { hash } => format!("withdraw the invoice {hash}"),
            Channels::CancelPayment { payment } => format!("give up its payment {payment}"),
        }
    }

    fn of_reserves(&self, call: &Reserves) -> String {
        let money = |asset: &AssetId, amount| self.money(asset, amount);
        match call {
            Reserves::Deposit { asset, to, amount, .. } => {
                format!("add {} to the reserve of {}", money(asset, *amount), self.name_or_id(*to))
            }
            Reserves::Withdraw { asset, amount, .. } => {
                format!("take {} out of the network", money(asset, *amount))
            }
            Reserves::Allocate { left, right, in_favour, asset, amount } => {
                let (favoured, other) = if *in_favour == Side::Left { (left, right) } else { (right, left) };
                let (favoured, other) = (self.name_or_id(*favoured), self.name_or_id(*other));
                format!("lock {} as collateral of {favoured} with {other}", money(asset, *amount))
            }
            Reserves::Transfer { to, asset, amount } => {
                format!("transfer {} to {}", money(asset, *amount), self.name_or_id(*to))
            }
            Reserves::Settle(_) => "settle a channel as both sides agreed".to_owned(),
            Reserves::Reveal { .. } => "publish a preimage".to_owned(),
            Reserves::ConfirmWithdrawal { id } => format!("confirm withdrawal {id}"),
            Reserves::RejectWithdrawal { id } => format!("give back withdrawal {id}"),
        }
    }

    fn of_governance(&self, own: EntityId, call: &Governance, depth: usize) -> String {
        match call {
            Governance::Propose { calls, .. } => format!("propose to {}", self.calls_text(own, calls, depth)),
            Governance::Vote { proposal, approve } => vote_text(*proposal, *approve),
            Governance::Withdraw { proposal } => format!("take proposal {proposal} back"),
            Governance::Delegate { to: Some(to), until } => {
                format!("delegate its weight to {} until {}", self.principal_text(to), moment(*until))
            }
            Governance::Delegate { to: None, .. } => "end its delegation".to_owned(),
            Governance::SetPolicy(policy) => match Preset::named(policy) {
                Some(preset) => format!("adopt the policy of a {}", preset_name(preset)),
                None => format!(
                    "adopt a policy of {} rules and {} limits",
                    policy.rules.len(),
                    policy.limits.len()
                ),
            },
            Governance::SetListing { entity, listing } => {
                let name = self.name_or_id(*entity);
                match listing {
                    Some(Listing::Blocked) => format!("deal with {name} no more"),
                    Some(Listing::Watched) => format!("report what it has to do with {name}"),
                    None => format!("take {name} off its list"),
                }
            }
            Governance::Instruct { entity, act } => {
                let text = match act {
                    MemberAct::Propose { calls, .. } => {
                        format!("propose to {}", self.calls_text(*entity, calls, depth))
                    }
                    MemberAct::Vote { proposal, approve } => vote_text(*proposal, *approve),
                    MemberAct::Withdraw { proposal } => format!("take proposal {proposal} back"),
                    MemberAct::Delegate { to: Some(to), until } => {
                        format!("delegate to {} until {}", self.principal_text(to), moment(*until))
                    }
                    MemberAct::Delegate { to: None, .. } => "end its delegation".to_owned(),
                };
                format!("as a member of {}, {text}", self.name_or_id(*entity))
            }
        }
    }

    /// Calls that stand in another call.
    fn calls_text(&self, own: EntityId, calls: &[EncodedCall], depth: usize) -> String {
        let Some(depth) = depth.checked_sub(1) else { return format!("make {} calls", calls.len()) };
        let shown = calls.iter().take(INNER_MAX);
        let mut texts: Vec<String> = shown.map(|call| self.encoded_call_text_at(own, call, depth)).collect();
        if let Some(more) = calls.len().checked_sub(INNER_MAX).filter(|more| *more > 0) {
            texts.push(format!("{more} more"));
        }
        texts.join("; ")
    }
}

fn vote_text(proposal: u64, approves: bool) -> String {
    format!("vote {} proposal {proposal}", if approves { "for" } else { "against" })
}

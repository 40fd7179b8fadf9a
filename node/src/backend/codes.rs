//! Every refusal of the runtime and of the pool as an error of the API: one table of codes, names, numbers and hints.
//!
//! A code never changes its meaning. New variants take the next free number of their block:
//! 4200 and 4201 are shared by all pallets, 4202–4209 routing, 4210–4239 entities, 4240–4279 channels,
//! 4280–4309 transitions of channels, 4310–4339 reserves, 4340–4349 runtime, 4350–4359 signed calls.

use serde_json::{Value, json};
use xln_primitives::{ArithmeticError, BoardError, CallError, Corrupt, DecodeError, SignatureError};
use xln_rpc::{RpcError, error::ErrorCode, error::code};
use xln_runtime::{Refusal, RuntimeError};
use xln_store::StoreError;

use super::json::{Json, object};
use crate::pool::PoolError;

/// What the table says of an error.
pub(super) struct Row {
    code: ErrorCode,
    name: &'static str,
    details: Value,
    hint: Option<&'static str>,
}

/// An error with a row in the table.
pub(super) trait Coded: core::fmt::Display {
    /// Its row.
    fn row(&self) -> Row;
}

/// An error of the API: its row, and its own words with the numbers.
pub(super) fn error_of(error: &impl Coded) -> RpcError {
    let Row { code, name, details, hint } = error.row();
    let error = RpcError::new(code, name, error.to_string()).with_details(details);
    match hint {
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}

/// Rows of an enum: code, variant, its fields, and a hint where one helps. Variants after `inner` wrap another error
/// that has rows of its own. A variant or a field that is missing here does not compile.
macro_rules! table {
    ($type:ty {
        $($code:literal $variant:ident $({ $($field:ident),* $(,)? })? $(($value:ident))? $(=> $hint:literal)?;)*
        $(inner $wrapping:ident;)*
    }) => {
        impl Coded for $type {
            fn row(&self) -> Row {
                type Variants = $type;
                match self {
                    $(Variants::$variant $({ $($field),* })? $(($value))? => Row {
                        code: $code,
                        name: stringify!($variant),
                        details: object([
                            $($((stringify!($field), Json::json($field)),)*)?
                            $((stringify!($value), Json::json($value)),)?
                        ]),
                        hint: None $(.or(Some($hint)))?,
                    },)*
                    $(Variants::$wrapping(error) => error.row(),)*
                }
            }
        }
    };
}

table! {
    pallet_entities::Error {
        4210 CannotAgree { voting, quorum } => "name a BLS key of a server as delegate for the other members";
        4211 AlreadyFounded;
        4212 AlreadyCreated { entity } => "one key makes one lazy entity: use another key for another entity";
        4213 NotFounded => "create the entity first";
        4214 OtherBoard { expected, found };
        4215 OriginNotAllowed { origin };
        4216 NotAMember { signer } => "sign with the key of the entity's board";
        4218 NonceTooLow { expected, found } => "ask author.nonce for the next nonce";
        4219 NonceGap { expected, found } => "ask author.nonce for the next nonce";
        4220 Repeated { from, last, found };
        4221 SequenceGap { from, expected, found };
        4222 NotText;
        4390 LazyBoard { entity } => "register an entity whose board shall change";
        4391 NoSuchMember { who };
        4392 BoardIsFull;
        4393 NothingChanges;
        4394 LosesQuorum { staying, quorum } => "change the board in smaller steps";
        4395 NobodyProposes => "give one of those who stay the permission to propose";
        4396 Cycle { entity };
        4397 TooDeep { max };
        4398 TooWide { max };
        4399 NotRegistered { entity };
        4400 Outdated { last, found };
        inner Board;
        inner Arithmetic;
        inner Corrupt;
    }
}

table! {
    BoardError {
        4230 Empty;
        4231 WeightlessMember(position);
        4232 TooHeavy;
        4233 Threshold { threshold, total };
        4234 DuplicateMember(position);
        4235 Possession(position);
        4236 Delegate(position);
    }
}

table! {
    pallet_governance::Error {
        4360 NeedsVote { code } => "propose it: entity.propose";
        4361 NotPermitted { member, lacks };
        4362 NoSuchMember { member };
        4363 OriginNotAllowed { origin };
        4364 SpendingLimit { asset, limit, spent, asked, until } => "propose it: entity.propose";
        4365 NoLimit { asset } => "propose it: entity.propose";
        4366 Screened { party } => "entity.setListing takes it off the list";
        4367 TooManyListed { max };
        4368 UnknownProposal { proposal } => "entity.proposals lists them";
        4369 Decided { proposal, status };
        4370 NotTheProposer { proposal, proposer };
        4371 TooManyOpen { open, own, max, own_max };
        4372 TooLarge { size, size_max };
        4373 NotACall { place };
        4374 NotByBoard { code };
        4375 Lifetime { found_ms, min_ms, max_ms };
        4376 OutOfReach { votable, needed };
        4377 DelegatesToItself;
        4378 DelegationIsOver { until, now };
        4379 NothingExpired { now };
        inner UnsoundPolicy;
        inner Arithmetic;
        inner Corrupt;
    }
}

table! {
    pallet_governance::PolicyError {
        4380 EmptyRule(position);
        4381 ShareTooLarge { points };
        4382 Limit(position);
        4383 Report(position);
        4384 Lifetime { found_ms, min_ms, max_ms };
    }
}

table! {
    pallet_channels::Error {
        4201 UnknownChannel { peer } => "open one with channel.open";
        4240 NoSuchChannel { channel };
        4241 OwnEntity;
        4242 Closing { expires } => "wait until it is settled, then open it again";
        4243 Frozen { height };
        4244 QueueFull { queued, limit } => "try again in a moment";
        4245 NothingToDo;
        4246 FeeAboveLimit { needed, max_fee } => "raise the limit, or choose other hops";
        4247 TimeoutOutOfRange { found_ms, min_ms, max_ms };
        4248 DuplicatePayment { hash } => "ask the payee for a new invoice";
        4249 DuplicateInvoice { hash };
        4250 UnknownPayment { hash };
        4251 UnknownRequest { request };
        4252 TooLate { deadline, now };
        4253 InvalidPolicy { min, max };
        4254 ForeignChannel { channel, from };
        4255 WrongProposer { proposer };
        4256 OtherEpoch { current, found };
        4257 UnexpectedHeight { current, found };
        4258 TwoFramesInFlight { height };
        4259 InvalidFirstFrame(fault);
        4260 UnexpectedAck { height, state };
        4261 InvalidProof;
        4262 ProofTooLarge { size, size_max };
        4263 UnknownSlot { slot };
        4264 ClosedWithConditions { pending };
        inner Transition;
        inner Arithmetic;
        inner Corrupt;
    }
}

table! {
    pallet_channels::TransitionError {
        4200 InsufficientCapacity { needed, available, collateral, credit, held }
            => "receive something first, ask the peer for credit, or lock collateral with depositary.allocate";
        4280 UnknownAsset { asset } => "add the asset with channel.open";
        4281 AssetExists { asset };
        4282 TooManyAssets { limit };
        4283 ZeroAmount;
        4284 TooManyConditions { limit } => "try again when pending payments are resolved";
        4285 EmptySlot { slot };
        4286 SlotReused { slot, added };
        4287 NotBeneficiary { slot };
        4288 NotPayer { slot };
        4289 WrongPreimage { slot, hash };
        4290 ExpiryProven { slot, deadline };
        4291 TooLate { slot, deadline, now };
        4292 InvalidProof;
        4293 ForeignSettlement;
        4294 SettlementOutOfOrder { applied, found };
        4295 Closing { expires };
        4296 NotClosing;
        4297 ConditionsPending { pending };
        4298 DebtOutstanding { asset, side, owed };
        inner Arithmetic;
        inner Corrupt;
    }
}

table! {
    pallet_reserves::Error {
        4200 InsufficientReserve { entity, asset, needs, has } => "deposit more first";
        4310 UnknownAsset { asset } => "depositary.listAssets names those that there are";
        4311 AssetExists { asset };
        4312 NotText { asset };
        4313 ZeroAmount;
        4314 NotTheBridge { asset, bridge, origin };
        4315 FaucetLimit { asset, asked, limit } => "ask for less, several times";
        4316 InsufficientCollateral { channel, asset, needs, has };
        4317 SupplyTooLarge { asset, supply, amount, limit };
        4318 UnknownWithdrawal { id };
        4319 SidesOutOfOrder { left, right };
        4320 WrongChannel { expected, found };
        4321 NotASide { channel, origin };
        4322 WrongEpoch { channel, expected, found };
        4323 WrongNonce { channel, expected, found };
        4324 Expired { expires, now };
        4325 DuplicateAsset { asset };
        4326 Unbalanced { asset, left, right, collateral };
        4327 TooManyRows { channel };
        4328 CloseLeaves { asset, collateral, ondelta };
        inner Arithmetic;
        inner Corrupt;
    }
}

table! {
    RuntimeError {
        4340 NotTheDepositary { entity, depositary };
        4341 ForgedNotice { from };
        4342 NotByMessage { code };
        inner Entities;
        inner Channels;
        inner Reserves;
        inner Governance;
    }
}

table! {
    Refusal {
        4343 UnknownEntity { entity } => "send the call to the server that hosts the entity";
        4344 NoKey { entity } => "insert the board's key into the node's keystore";
        inner Form;
        inner Unauthorised;
        inner Pointless;
    }
}

table! {
    CallError {
        4350 Version { found };
        4351 Network { found, expected } => "sign for the network that server.getInfo names";
        4352 Empty;
        4353 Expired { valid_until, now } => "sign it again with a later validUntil";
        inner Signature;
    }
}

impl Coded for SignatureError {
    fn row(&self) -> Row {
        Row { code: 4354, name: "Signature", details: Value::Null, hint: None }
    }
}

impl Coded for ArithmeticError {
    fn row(&self) -> Row {
        Row { code: 4206, name: "Overflow", details: Value::Null, hint: None }
    }
}

impl Coded for Corrupt {
    fn row(&self) -> Row {
        let hint = Some("check the node's database with xln-node db verify");
        Row { code: code::STORAGE, name: "Corrupt", details: json!({ "key": hex::encode(&self.key) }), hint }
    }
}

/// Turns the error of a pallet into one of the API.
pub(super) trait Refused<T> {
    /// The value, or the error of the API.
    fn refused(self) -> Result<T, RpcError>;
}

impl<T, E: Coded> Refused<T> for Result<T, E> {
    fn refused(self) -> Result<T, RpcError> {
        self.map_err(|error| error_of(&error))
    }
}

/// What the disk says.
pub(super) fn storage(error: &StoreError) -> RpcError {
    RpcError::storage(error.to_string())
}

/// Bytes that are no value of the expected type.
pub(super) fn undecodable(what: &str, error: &DecodeError) -> RpcError {
    RpcError::invalid_params(format!("{what}: {error}"))
}

impl From<PoolError> for RpcError {
    fn from(error: PoolError) -> Self {
        match &error {
            PoolError::Refused(refusal) => error_of(refusal),
            PoolError::Busy { what, used, limit } => RpcError::busy(error.to_string())
                .with_details(json!({ "what": what, "used": used, "limit": limit })),
            PoolError::Stopped => RpcError::new(code::INTERNAL, "Stopped", error.to_string())
                .with_hint("system.health tells why"),
        }
    }
}

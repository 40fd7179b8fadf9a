//! Random calls: mostly such as people make, some that must fail.
//!
//! The generator reads the state to find something worth doing (an open invoice, a held payment, the last unit of a
//! channel's capacity) and never looks at the outcome: whether a call succeeds is the runtime's business, that nothing
//! breaks is the model's.

use std::collections::BTreeMap;

use pallet_channels::{
    Call as Channels, Credit, Invoice, InvoiceStatus, PaymentHash, PaymentStatus, Policy, Preimage, RouteHop,
    view::{self, ChannelView},
};
use pallet_reserves::Call as Reserves;
use xln_integration::{Actor, Random};
use xln_primitives::{Amount, AssetId, BoundedVec, ChannelId, EntityId, Side, Storage, Timestamp};
use xln_runtime::{RuntimeCall, Server};

use crate::genesis::{Cast, assets};

/// What the actors keep to themselves.
#[derive(Default)]
pub(crate) struct Secrets {
    /// Preimages of invoices that were made with a hash only.
    preimages: BTreeMap<PaymentHash, Preimage>,
}

pub(crate) struct Moves<'a> {
    pub(crate) server: &'a Server,
    pub(crate) cast: &'a Cast,
    pub(crate) random: &'a mut Random,
    pub(crate) secrets: &'a mut Secrets,
    pub(crate) now: Timestamp,
}

impl Moves<'_> {
    /// Something that `who` may want.
    pub(crate) fn choose(&mut self, who: &Actor) -> RuntimeCall {
        if self.server.entity(&who.id).is_none() {
            return pallet_entities::Call::Create { board: who.board.clone() }.into();
        }
        if self.channels(who).is_empty() && self.random.chance(50) {
            return self.open(who);
        }
        match self.random.below(100) {
            0..8 => self.open(who),
            8..15 => self.set_credit_limit(who),
            15..30 => self.pay_direct(who),
            30..55 => self.pay(who),
            55..65 => self.create_invoice(),
            65..72 => self.decide_held(who),
            72..76 => self.withdraw_offer(who),
            76..79 => Channels::Close { peer: self.peer(who) }.into(),
            79..81 => self.request_collateral(who),
            81..82 => self.set_policy(),
            82..84 => self.metadata(),
            _ => self.at_the_depositary(who),
        }
    }

    fn entity(&mut self) -> EntityId {
        let cast = self.cast;
        let groups: [&[Actor]; 5] =
            [&cast.hubs, &cast.users, &cast.users, &cast.newcomers, core::slice::from_ref(&cast.depositary)];
        let group = *self.random.pick(&groups).unwrap();
        self.random.pick(group).unwrap_or(&cast.users[0]).id
    }

    fn hub(&mut self) -> EntityId {
        self.random.pick(&self.cast.hubs).unwrap().id
    }

    fn user(&mut self) -> EntityId {
        self.random.pick(&self.cast.users).unwrap().id
    }

    fn asset(&mut self) -> AssetId {
        match self.random.below(60) {
            0 => AssetId::named("unheard of"),
            n => assets()[usize::from(n % 5 == 1)],
        }
    }

    /// Small sums are frequent, absurd ones are rare.
    fn amount(&mut self) -> Amount {
        Amount::new(match self.random.below(40) {
            0 => 0,
            1 => u128::MAX,
            2 => 1 << 126,
            3..20 => self.random.between(1, 100).into(),
            _ => self.random.between(1, 5_000).into(),
        })
    }

    fn channels(&self, who: &Actor) -> Vec<ChannelView> {
        let entity = self.server.entity(&who.id).unwrap();
        view::channels(&entity.state(), None, 32).unwrap()
    }

    /// The other side of one of the channels, or anybody.
    fn peer(&mut self, who: &Actor) -> EntityId {
        let channels = self.channels(who);
        match self.random.pick(&channels) {
            Some(view) if self.random.chance(90) => {
                view.channel.entity(view.channel.side_of(&who.id).other())
            }
            _ => self.entity(),
        }
    }

    fn open(&mut self, who: &Actor) -> RuntimeCall {
        let peer = if self.random.chance(80) { self.hub() } else { self.peer(who) };
        let count = if self.random.chance(95) { self.random.between(1, 2) } else { 0 };
        let credits = (0..count).map(|_| self.credit()).collect();
        Channels::Open { peer, credits: BoundedVec::truncate_from(credits) }.into()
    }

    fn credit(&mut self) -> Credit {
        Credit { asset: self.asset(), limit: self.amount() }
    }

    fn set_credit_limit(&mut self, who: &Actor) -> RuntimeCall {
        Channels::SetCreditLimit { peer: self.peer(who), credit: self.credit() }.into()
    }

    /// A peer, an asset and a sum that the channel may just carry, or just not.
    fn sendable(&mut self, who: &Actor) -> (EntityId, AssetId, Amount) {
        let channels = self.channels(who);
        let (to, asset, amount) = (self.peer(who), self.asset(), self.amount());
        let Some(view) = self.random.pick(&channels) else { return (to, asset, amount) };
        let own = view.channel.side_of(&who.id);
        let Some(row) = self.random.pick(&view.channel.subchannels) else { return (to, asset, amount) };
        let all = row.out_capacity(own).get();
        let sum = match self.random.below(8) {
            0 => all,
            1 => all.saturating_add(1),
            2 => return (to, asset, amount),
            _ => (all / u128::from(self.random.between(2, 200))).max(1),
        };
        (view.channel.entity(own.other()), row.asset, Amount::new(sum))
    }

    fn pay_direct(&mut self, who: &Actor) -> RuntimeCall {
        let (to, asset, amount) = self.sendable(who);
        Channels::PayDirect { to, asset, amount }.into()
    }

    fn pay(&mut self, who: &Actor) -> RuntimeCall {
        let mut to = if self.random.chance(80) { self.user() } else { self.entity() };
        if to == who.id && self.random.chance(90) {
            to = self.peer(who);
        }
        let (via, asset, most) = self.way(who, to);
        let mut asset = asset.unwrap_or_else(|| self.asset());
        let mut amount = match self.random.below(10) {
            0 => Amount::new(most.get().saturating_add(1)),
            1 => self.amount(),
            _ => Amount::new((most.get() / u128::from(self.random.between(2, 200))).max(1)),
        };
        let mut hash = None;
        if self.random.chance(60)
            && let Some(invoice) = self.invoice_of(to)
        {
            (asset, hash) = (invoice.asset, Some(invoice.hash));
            amount = invoice.amount.unwrap_or(amount);
            if self.random.chance(5) {
                amount = Amount::new(amount.get().wrapping_add(1));
            }
        } else if self.random.chance(10) {
            hash = Some(PaymentHash::new(self.random.bytes()));
        }
        let route = self.route(via, amount);
        let fee = route.iter().fold(0_u128, |sum, hop| sum.saturating_add(hop.fee.get()));
        let max_fee = if self.random.chance(95) { Amount::new(fee) } else { Amount::ZERO };
        let timeout_ms = match self.random.below(40) {
            0 => 1,
            1 => 5_000,
            2..30 => 90_000,
            _ => 600_000,
        };
        let route = BoundedVec::truncate_from(route);
        Channels::Pay { to, asset, amount, route, hash, max_fee, timeout_ms }.into()
    }

    /// Hubs that connect `who` with `to`, an asset of the first channel, and what that channel can carry of it;
    /// sometimes hubs that connect nobody.
    fn way(&mut self, who: &Actor, to: EntityId) -> (Vec<EntityId>, Option<AssetId>, Amount) {
        let own = self.channels(who);
        let open = |server: &Server, one: EntityId, other: EntityId| {
            let channel = ChannelId::between(&one, &other);
            server.entity(&one).is_some_and(|one| view::channel(&one.state(), channel).unwrap().is_some())
        };
        let hubs: Vec<EntityId> = self.cast.hubs.iter().map(|hub| hub.id).collect();
        let mut ways = vec![vec![]];
        ways.extend(hubs.iter().map(|hub| vec![*hub]));
        if let [one, other] = hubs[..] {
            ways.extend([vec![one, other], vec![other, one]]);
        }
        let connects = |way: &Vec<EntityId>| {
            let stops: Vec<_> = [who.id].iter().chain(way).chain([&to]).copied().collect();
            stops.windows(2).all(|pair| pair[0] != pair[1] && open(self.server, pair[0], pair[1]))
        };
        let (good, bad): (Vec<_>, Vec<_>) = ways.into_iter().partition(connects);
        let any = good.is_empty() || self.random.chance(5);
        let way = self.random.pick(if any { &bad } else { &good }).cloned().unwrap_or_default();
        let first = way.first().copied().unwrap_or(to);
        let view = own.iter().find(|view| [view.channel.left, view.channel.right].contains(&first));
        let side = |view: &ChannelView| view.channel.side_of(&who.id);
        let row = view.and_then(|view| Some((side(view), self.random.pick(&view.channel.subchannels)?)));
        match row {
            Some((side, row)) => (way, Some(row.asset), row.out_capacity(side)),
            None => (way, None, Amount::new(1_000)),
        }
    }

    /// An invoice that can be paid, now and then one that cannot.
    fn invoice_of(&mut self, payee: EntityId) -> Option<Invoice> {
        let invoices = view::invoices(&self.server.entity(&payee)?.state(), None, 64).unwrap();
        let any = self.random.chance(10);
        let open = |invoice: &Invoice| invoice.status == InvoiceStatus::Open && invoice.expires > self.now;
        let chosen: Vec<Invoice> = invoices.into_iter().filter(|invoice| any || open(invoice)).collect();
        self.random.pick(&chosen).cloned()
    }

    /// The forwarders with the fees that they ask for; sometimes less, or too little time.
    fn route(&mut self, via: Vec<EntityId>, amount: Amount) -> Vec<RouteHop> {
        let mut hops = Vec::new();
        let mut carried = amount;
        for via in via.into_iter().rev() {
            let policy = self.server.entity(&via).map(|hub| Policy::load(&hub.state()).unwrap());
            let policy = policy.unwrap_or_default();
            let mut fee = policy.fee(carried).unwrap_or_default();
            let mut timelock_delta_ms = policy.timelock_delta_ms;
            match self.random.below(30) {
                0 => fee = fee.saturating_sub(Amount::new(1)),
                1 => timelock_delta_ms = timelock_delta_ms.saturating_sub(1),
                2 => fee = self.amount(),
                _ => {}
            }
            carried = Amount::new(carried.get().saturating_add(fee.get()));
            hops.insert(0, RouteHop { via, fee, timelock_delta_ms });
        }
        hops
    }

    fn create_invoice(&mut self) -> RuntimeCall {
        let amount = if self.random.chance(70) { Some(self.amount()) } else { None };
        let hash = self.random.chance(50).then(|| {
            let preimage = Preimage::new(self.random.bytes());
            self.secrets.preimages.insert(preimage.hash(), preimage);
            preimage.hash()
        });
        let expires = match self.random.below(10) {
            0 => self.now,
            1..4 => self.now.saturating_add(self.random.below(120_000)),
            _ => self.now.saturating_add(3_600_000),
        };
        let description = BoundedVec::truncate_from(b"for something".to_vec());
        Channels::CreateInvoice { asset: self.asset(), amount, hash, description, expires }.into()
    }

    /// Takes or gives up a payment that waits, with the right preimage or with another.
    fn decide_held(&mut self, who: &Actor) -> RuntimeCall {
        let entity = self.server.entity(&who.id).unwrap();
        let invoices = view::invoices(&entity.state(), None, 64).unwrap();
        let held: Vec<PaymentHash> = invoices
            .iter()
            .filter(|invoice| matches!(invoice.status, InvoiceStatus::Accepted { .. }))
            .map(|invoice| invoice.hash)
            .collect();
        if held.is_empty() && self.random.chance(80) {
            return self.pay(who);
        }
        let any = PaymentHash::new(self.random.bytes());
        let hash = self.random.pick(&held).copied().unwrap_or(any);
        let preimage = self.secrets.preimages.get(&hash).copied();
        match (self.random.below(10), preimage) {
            (0..6, Some(preimage)) => Channels::Fulfil { preimage }.into(),
            (6, Some(preimage)) => Reserves::Reveal { preimage: *preimage.as_bytes() }.into(),
            (7, _) => Channels::Fulfil { preimage: Preimage::new(self.random.bytes()) }.into(),
            _ => Channels::Cancel { hash }.into(),
        }
    }

    fn withdraw_offer(&mut self, who: &Actor) -> RuntimeCall {
        let entity = self.server.entity(&who.id).unwrap();
        if self.random.chance(50) {
            let payments = view::payments(&entity.state(), None, 1_000).unwrap();
            let waiting: Vec<u64> = payments
                .iter()
                .filter(|payment| payment.status == PaymentStatus::Requested)
                .map(|payment| payment.number)
                .collect();
            let payment = self.random.pick(&waiting).copied().unwrap_or(1);
            return Channels::CancelPayment { payment }.into();
        }
        let invoices = view::invoices(&entity.state(), None, 64).unwrap();
        let hash = self.random.pick(&invoices).map_or_else(PaymentHash::default, |invoice| invoice.hash);
        Channels::CancelInvoice { hash }.into()
    }

    fn request_collateral(&mut self, who: &Actor) -> RuntimeCall {
        let (peer, asset, amount) = (self.peer(who), self.asset(), self.amount());
        Channels::RequestCollateral { peer, asset, amount }.into()
    }

    fn set_policy(&mut self) -> RuntimeCall {
        let policy = Policy {
            fee_base: Amount::new(self.random.below(5).into()),
            fee_ppm: u32::try_from(self.random.below(20_000)).unwrap(),
            max_pending: u16::try_from(self.random.below(20)).unwrap(),
            auto_collateral: Amount::new(self.random.below(5_000).into()),
            ..Policy::default()
        };
        Channels::SetPolicy { policy }.into()
    }

    fn metadata(&mut self) -> RuntimeCall {
        let name = if self.random.chance(80) { b"somebody".to_vec() } else { vec![0xff] };
        let metadata = pallet_entities::Metadata {
            name: BoundedVec::truncate_from(name),
            description: BoundedVec::default(),
        };
        pallet_entities::Call::SetMetadata(metadata).into()
    }

    fn at_the_depositary(&mut self, who: &Actor) -> RuntimeCall {
        let (to, asset, amount) = (self.entity(), self.asset(), self.amount());
        let state = self.server.depositary().unwrap();
        match self.random.below(12) {
            0..3 => Reserves::Deposit { asset, to, amount, reference: BoundedVec::default() },
            3..5 => Reserves::Transfer { to, asset, amount },
            5..8 => {
                let channels = self.channels(who);
                let view = self.random.pick(&channels);
                let (left, right) = match view {
                    Some(view) if self.random.chance(90) => (view.channel.left, view.channel.right),
                    _ => (who.id.min(to), who.id.max(to)),
                };
                let in_favour = if self.random.chance(50) { Side::Left } else { Side::Right };
                Reserves::Allocate { left, right, in_favour, asset, amount }
            }
            8 => Reserves::Withdraw { asset, amount, destination: BoundedVec::default() },
            9 => Reserves::Settle(self.half(who, to)),
            n => {
                let pending = pallet_reserves::withdrawals(&state.state(), None, 64).unwrap();
                let id = self.random.pick(&pending).map_or(1, |(id, _)| *id);
                if n == 10 { Reserves::ConfirmWithdrawal { id } } else { Reserves::RejectWithdrawal { id } }
            }
        }
        .into()
    }

    /// Half of a settlement that the other side will not send.
    fn half(&mut self, who: &Actor, other: EntityId) -> pallet_reserves::Settlement {
        let (left, right) = (who.id.min(other), who.id.max(other));
        let channel = ChannelId::between(&left, &right);
        let state = self.server.depositary().unwrap();
        let info = pallet_reserves::channel(&state.state(), &channel).unwrap();
        let amount = Amount::new(self.random.between(1, 100).into()).to_delta().unwrap();
        let row = pallet_reserves::SettlementRow {
            asset: self.asset(),
            left_reserve_diff: amount,
            right_reserve_diff: xln_primitives::Delta::ZERO,
            collateral_diff: amount.negated().unwrap(),
            ondelta_diff: amount.negated().unwrap(),
        };
        pallet_reserves::Settlement {
            channel,
            left,
            right,
            epoch: info.epoch,
            nonce: info.nonce.saturating_add(self.random.between(0, 2)),
            expires: self.now.saturating_add(self.random.below(1_000)),
            close: self.random.chance(20),
            rows: BoundedVec::truncate_from(vec![row]),
        }
    }
}

/// The nonce that `signer` must use next for `entity`.
pub(crate) fn next_nonce(server: &Server, actor: &Actor) -> u64 {
    let signer = actor.board.sole_signer().unwrap().signer_id();
    server.entity(&actor.id).map_or(0, |entity| nonce(&entity.state(), &signer))
}

fn nonce(state: &impl Storage, signer: &xln_primitives::SignerId) -> u64 {
    pallet_entities::nonce(state, signer).unwrap()
}

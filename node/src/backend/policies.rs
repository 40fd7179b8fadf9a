//! Policies of entities: as people read them, and as they write them.

use pallet_governance::{
    LIMITS_MAX, Need, Policy, Preset, RULES_MAX, ReportFrom, Rule, Share, SpendingLimit, set_by_itself,
};
use serde::Deserialize;
use serde_json::{Value, json};
use xln_chain_spec::Permission;
use xln_primitives::{Amount, AssetId, BoundedVec, ConstU32};
use xln_rpc::{
    AssetRef, RpcError,
    view::{LimitView, RuleView},
};
use xln_runtime::Entity;

use super::{
    NodeBackend,
    codes::{Refused, error_of},
    directory::Directory,
};

/// What a preset is called.
pub(super) const fn preset_name(preset: Preset) -> &'static str {
    match preset {
        Preset::Wallet => "wallet",
        Preset::Company => "company",
        Preset::Hub => "hub",
        Preset::Consortium => "consortium",
    }
}

/// A policy as people write it: what differs from a preset, or from the policy that holds.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Draft {
    preset: Option<Preset>,
    rules: Option<Vec<Rule>>,
    otherwise: Option<Need>,
    limits: Option<Vec<DraftLimit>>,
    report_from: Option<Vec<DraftReport>>,
    proposal_ms: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct DraftLimit {
    asset: AssetRef,
    amount: Amount,
    period_ms: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct DraftReport {
    asset: AssetRef,
    amount: Amount,
}

fn bounded<T, const MAX: u32>(what: &str, items: Vec<T>) -> Result<BoundedVec<T, ConstU32<MAX>>, RpcError> {
    BoundedVec::try_from(items)
        .map_err(|items| RpcError::invalid_params(format!("{} {what}, at most {MAX} fit", items.len())))
}

/// What a call needs, as the rest of a sentence that begins with "needs".
fn need_text(need: Need) -> String {
    match need {
        Need::Member => "any member".to_owned(),
        Need::Permission(permissions) => {
            let names: Vec<String> =
                Permission::all_of(permissions).iter().map(|one| may_text(*one)).collect();
            format!("a member who may {}", names.join(" and "))
        }
        Need::Vote(Share::THRESHOLD) => "a vote".to_owned(),
        Need::Vote(share) => {
            let points = share.basis_points();
            format!("a vote with {}.{:02} % of the weight", points / 100, points % 100)
        }
    }
}

/// What somebody with a permission may do.
fn may_text(permission: Permission) -> String {
    match permission {
        Permission::All => "do everything".to_owned(),
        Permission::AddValidator => "propose new members".to_owned(),
        Permission::RemoveValidator => "propose that members leave".to_owned(),
        Permission::Compliance => "keep the list of entities".to_owned(),
        Permission::Custom(_) => format!("do what {permission} allows"),
        Permission::Propose | Permission::Vote | Permission::Execute => permission.to_string(),
    }
}

/// Groups of calls, each from its first code to the next group.
const GROUPS: [(u8, &str); 9] = [
    (0x01, "creation and registration"),
    (0x02, "name"),
    (0x03, "board"),
    (0x10, "channels"),
    (0x20, "payments"),
    (0x22, "preimages and invoices"),
    (0x30, "proposals and votes"),
    (0x34, "policy, listings and votes elsewhere"),
    (0x40, "reserves"),
];
/// Calls that rules name alone.
const SINGLE: [(u8, &str); 6] = [
    (0x35, "listings"),
    (0x40, "deposits"),
    (0x41, "withdrawals"),
    (0x42, "collateral"),
    (0x43, "transfers"),
    (0x44, "settlements"),
];

/// The calls with these codes.
fn calls_text(first: u8, last: u8) -> String {
    if first == last
        && let Some((_, name)) = SINGLE.iter().find(|(code, _)| *code == first)
    {
        return (*name).to_owned();
    }
    let end = |place: usize| GROUPS.get(place.saturating_add(1)).map_or(0xff, |next| next.0 - 1);
    let touched = GROUPS.iter().enumerate().filter(|(place, group)| group.0 <= last && first <= end(*place));
    let names: Vec<&str> = touched.map(|(_, group)| group.1).collect();
    if names.is_empty() { "no call of this version".to_owned() } else { names.join(", ") }
}

/// What calls need, the last row standing for all that no rule fits.
pub(super) fn rule_views(policy: &Policy) -> Vec<RuleView> {
    let view = |first, last, calls, need| RuleView { first, last, calls, need: need_text(need) };
    let rules = policy.rules.iter();
    let named = rules.map(|rule| view(rule.first, rule.last, calls_text(rule.first, rule.last), rule.need));
    let rest = if policy.rules.is_empty() { "everything" } else { "everything else" };
    named.chain([view(0, u8::MAX, rest.to_owned(), policy.otherwise)]).collect()
}

impl Directory {
    fn limit_view(&self, asset: AssetId, amount: Amount, period_ms: Option<u64>) -> LimitView {
        let (symbol, decimals) = self.unit(&asset);
        LimitView { asset, symbol, decimals, amount, period_ms }
    }

    /// Limits and reports of a policy.
    pub(super) fn limit_views(&self, policy: &Policy) -> (Vec<LimitView>, Vec<LimitView>) {
        let limits = policy.limits.iter();
        let reports = policy.report_from.iter();
        (
            limits.map(|row| self.limit_view(row.asset, row.amount, Some(row.period_ms))).collect(),
            reports.map(|row| self.limit_view(row.asset, row.amount, None)).collect(),
        )
    }
}

/// The policy as it can be edited and handed in again.
pub(super) fn policy_json(policy: &Policy) -> Value {
    json!(policy)
}

impl NodeBackend {
    /// The policy of a hosted entity, and whether it decided that itself.
    pub(super) fn policy_of(&self, entity: &Entity) -> Result<(Policy, bool), RpcError> {
        let own = set_by_itself(&entity.state()).refused()?;
        let decided = own.is_some();
        let otherwise = || {
            let server = self.read();
            xln_runtime::default_policy(server.facts(), &entity.id(), entity.board())
        };
        Ok((own.unwrap_or_else(otherwise), decided))
    }

    /// The policy that a caller describes for an entity whose policy is `present`.
    pub(super) fn policy_from(&self, present: Policy, described: &Value) -> Result<Policy, RpcError> {
        let draft = Draft::deserialize(described).map_err(|error| {
            RpcError::invalid_params(format!("policy: {error}")).with_hint(
                "a policy is {\"preset\": \"company\", \"limits\": [{\"asset\": \"usd\", \"amount\": \"100000\", \"periodMs\": 86400000}]}",
            )
        })?;
        let mut policy = draft.preset.map_or(present, Preset::policy);
        if let Some(rules) = draft.rules {
            policy.rules = bounded::<_, RULES_MAX>("rules", rules)?;
        }
        if let Some(otherwise) = draft.otherwise {
            policy.otherwise = otherwise;
        }
        if let Some(limits) = draft.limits {
            let limit = |DraftLimit { asset, amount, period_ms }| {
                Ok::<_, RpcError>(SpendingLimit {
                    asset: self.directory.asset(Some(&asset))?,
                    amount,
                    period_ms,
                })
            };
            let limits = limits.into_iter().map(limit).collect::<Result<Vec<_>, _>>()?;
            policy.limits = bounded::<_, LIMITS_MAX>("limits", limits)?;
        }
        if let Some(reports) = draft.report_from {
            let report = |DraftReport { asset, amount }| {
                Ok::<_, RpcError>(ReportFrom { asset: self.directory.asset(Some(&asset))?, amount })
            };
            let reports = reports.into_iter().map(report).collect::<Result<Vec<_>, _>>()?;
            policy.report_from = bounded::<_, LIMITS_MAX>("reports", reports)?;
        }
        policy.proposal_ms = draft.proposal_ms.unwrap_or(policy.proposal_ms);
        policy.validate().map_err(|error| error_of(&error))?;
        Ok(policy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_reads_as_sentences() {
        let company = rule_views(&Preset::Company.policy());
        let texts: Vec<(&str, &str)> =
            company.iter().map(|rule| (rule.calls.as_str(), rule.need.as_str())).collect();
        assert_eq!(
            texts,
            [
                ("board", "a vote"),
                ("listings", "a member who may keep the list of entities"),
                ("policy, listings and votes elsewhere", "a vote"),
                ("withdrawals", "a vote"),
                ("transfers", "a vote"),
                ("everything else", "a member who may execute"),
            ]
        );
        assert_eq!(rule_views(&Preset::Wallet.policy()).len(), 1);
        assert_eq!(
            need_text(Need::Vote(Share::from_basis_points(6_667))),
            "a vote with 66.67 % of the weight"
        );
        assert_eq!(need_text(Need::Member), "any member");
    }

    #[test]
    fn a_preset_is_read_back_from_what_it_writes() {
        for preset in Preset::ALL {
            let policy: Policy = serde_json::from_value(policy_json(&preset.policy())).unwrap();
            assert_eq!(Preset::named(&policy), Some(preset));
        }
    }
}

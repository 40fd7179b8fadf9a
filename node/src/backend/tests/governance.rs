//! How members decide for an entity, on a node of its own.

use codec::{Decode, Encode};
use serde_json::json;
use xln_rpc::{
    MemberRef, U64,
    params::{
        Action, EntityBoards, EntityDelegate, EntityGet, EntityGetBoardProof, EntityGetProposal,
        EntityProposals, EntityPropose, EntityRegister, EntitySetListing, EntitySetPolicy, EntityVote,
        EntityWithdraw, GetFrame, ListReserves, Transfer,
    },
    view::{Choice, DecisionView, ListingKind, ProposalStatus},
};
use xln_runtime::BoardProof;

use super::*;

fn transfer(amount: u128) -> Action {
    Action::Transfer { to: named("hub"), asset: None, amount: Amount::new(amount) }
}

impl Node {
    /// Alice, who is a board of one, proposes.
    async fn propose(&self, actions: Vec<Action>) -> Result<DecisionView, super::super::RpcError> {
        let (lifetime_ms, signer, member) = (None, None, None);
        let request = EntityPropose { entity: None, actions, lifetime_ms, signer, member, wait: true };
        self.backend.entity_propose(request).await
    }

    async fn set_policy(&self, policy: serde_json::Value) -> Result<DecisionView, super::super::RpcError> {
        let request = EntitySetPolicy { entity: None, policy, signer: None, wait: true };
        self.backend.entity_set_policy(request).await
    }

    fn alices_reserve(&self) -> Amount {
        let request = ListReserves { entity: Some(named("alice")), asset: None };
        self.backend.depositary_list_reserves(request).unwrap()[0].reserve
    }
}

#[tokio::test]
async fn a_board_of_one_decides_by_proposing_and_subscribers_are_told() {
    let node = Node::start();
    let mut told = node.feed.subscribe(vec![Topic::Proposals], None).unwrap();
    let decision = node.propose(vec![transfer(1_000), transfer(500)]).await.unwrap();
    let proposal = decision.proposal.unwrap();
    assert_eq!((proposal.number, proposal.status), (U64(1), ProposalStatus::Executed));
    assert_eq!((proposal.approving, proposal.needed, proposal.missing), (1, 1, 0));
    let texts: Vec<&str> = proposal.actions.iter().map(|action| action.text.as_str()).collect();
    assert_eq!(texts, ["transfer 10.00 usd to hub", "transfer 5.00 usd to hub"]);
    assert_eq!(proposal.votes.len(), 1);
    assert_eq!(proposal.votes[0].choice, Some(Choice::Approve));
    assert_eq!(node.alices_reserve(), Amount::new(3_500));
    let Body::Proposal(published) = told.next().await.unwrap().body else { panic!("another kind") };
    assert_eq!((published.number, published.status), (U64(1), ProposalStatus::Executed));

    let list = |open| EntityProposals { open, ..EntityProposals::default() };
    assert_eq!(node.backend.entity_proposals(list(Some(true))).unwrap(), []);
    assert_eq!(node.backend.entity_proposals(list(None)).unwrap(), [proposal]);
    let vote = EntityVote {
        entity: None,
        proposal: U64(1),
        choice: Choice::Reject,
        signer: None,
        member: None,
        wait: true,
    };
    assert_eq!(node.backend.entity_vote(vote).await.unwrap_err().name, "Decided");
    let unknown = EntityGetProposal { entity: None, proposal: U64(7) };
    assert_eq!(node.backend.entity_get_proposal(unknown).unwrap_err().name, "NotFound");
    let withdraw = EntityWithdraw { entity: None, proposal: U64(1), signer: None, member: None, wait: true };
    assert_eq!(node.backend.entity_withdraw(withdraw).await.unwrap_err().name, "Decided");
}

#[tokio::test]
async fn a_proposal_that_fails_says_why_and_changes_nothing() {
    let node = Node::start();
    let odd = Action::Rename { name: "a\u{7}b".into(), description: String::new() };
    let decision = node.propose(vec![transfer(1_000), odd]).await.unwrap();
    let proposal = decision.proposal.unwrap();
    assert_eq!(proposal.status, ProposalStatus::Failed);
    assert!(proposal.reason.is_some_and(|reason| !reason.is_empty()));
    assert_eq!(node.alices_reserve(), Amount::new(5_000));
    let nothing = node.propose(vec![]).await.unwrap_err();
    assert_eq!(nothing.name, "TooLarge");
    let own = vec![Action::Call(Bytes(vec![0x31, 1, 0, 0, 0, 0, 0, 0, 0, 1]))];
    assert_eq!(node.propose(own).await.unwrap_err().name, "NotByBoard");
    assert!(node.propose(vec![Action::Call(Bytes(vec![0xff]))]).await.is_err());
}

#[tokio::test]
async fn a_policy_is_shown_as_sentences_and_written_as_what_differs() {
    let node = Node::start();
    let shown = || {
        let request = EntityGet { entity: named("alice") };
        node.backend.entity_get_state(request).unwrap().governance.unwrap()
    };
    let first = shown();
    assert_eq!((first.preset.as_deref(), first.decided), (Some("wallet"), false));
    assert_eq!(
        (first.rules[0].calls.as_str(), first.rules[0].need.as_str()),
        ("everything", "a member who may execute")
    );

    let limits = json!({ "limits": [{ "asset": "usd", "amount": "1000", "periodMs": 86_400_000 }] });
    let decision = node.set_policy(limits).await.unwrap();
    assert!(decision.proposal.is_none(), "whoever may execute decides alone in a wallet");
    let second = shown();
    assert_eq!((second.preset.as_deref(), second.decided), (Some("wallet"), true));
    assert_eq!((second.limits[0].amount, second.limits[0].symbol.as_str()), (Amount::new(1_000), "usd"));
    let more =
        Transfer { entity: None, to: named("hub"), asset: None, amount: Amount::new(1_001), wait: true };
    assert_eq!(node.backend.depositary_transfer(more).await.unwrap_err().name, "SpendingLimit");

    // A company's policy needs a vote from then on: the next change is a proposal, decided by the only member.
    node.set_policy(json!({ "preset": "company" })).await.unwrap();
    let back = node.set_policy(json!({ "preset": "wallet" })).await.unwrap().proposal.unwrap();
    assert_eq!(
        (back.status, back.actions[0].text.as_str()),
        (ProposalStatus::Executed, "adopt the policy of a wallet")
    );
    let again: serde_json::Value = shown().policy;
    node.set_policy(again).await.unwrap();
    assert_eq!(shown().preset.as_deref(), Some("wallet"));
    for wrong in [
        json!({ "prest": "hub" }),
        json!({ "limits": [{ "asset": "eur", "amount": "1", "periodMs": 1_000 }] }),
    ] {
        assert!(node.set_policy(wrong).await.is_err());
    }
}

#[tokio::test]
async fn listed_entities_are_not_dealt_with_and_members_are_named() {
    let node = Node::start();
    let listing = Some(ListingKind::Blocked);
    let request = EntitySetListing { entity: None, party: named("hub"), listing, signer: None, wait: true };
    node.backend.entity_set_listing(request).await.unwrap();
    let pay = Transfer { entity: None, to: named("hub"), asset: None, amount: Amount::new(1), wait: true };
    assert_eq!(node.backend.depositary_transfer(pay).await.unwrap_err().name, "Screened");
    let delegate = |to: &str, until| EntityDelegate {
        entity: None,
        to: Some(MemberRef::Name(to.into())),
        until,
        signer: None,
        member: None,
        wait: true,
    };
    assert_eq!(node.backend.entity_delegate(delegate("carl", None)).await.unwrap_err().name, "NotFound");
    let by_entity = EntityVote {
        entity: None,
        proposal: U64(1),
        choice: Choice::Approve,
        signer: None,
        member: Some(named("hub")),
        wait: true,
    };
    let error = node.backend.entity_vote(by_entity).await.unwrap_err();
    assert_eq!(error.message, "there is no member hub of the board of alice");
}

#[tokio::test]
async fn a_board_is_registered_and_gets_a_number() {
    let node = Node::start();
    let key = dev_key("bob").public().unwrap().to_string();
    let board = json!({ "members": [{ "key": key }] });
    let request = |board| EntityRegister { entity: None, board, wait: true };
    let registered = node.backend.entity_register(request(board)).await.unwrap().entity.unwrap();
    assert_eq!(registered.registry_number, Some(U64(1)));
    assert_eq!(registered.board.unwrap().threshold, 1);
    let nested = json!({ "threshold": 2, "members": [{ "key": key }, { "entity": "hub" }] });
    let second = node.backend.entity_register(request(nested)).await.unwrap().entity.unwrap();
    assert_eq!(second.registry_number, Some(U64(2)));
    assert!(second.board.unwrap().members[1].entity.is_some());
    let wrong = json!({ "members": [{ "entity": "nobody" }] });
    let error = node.backend.entity_register(request(wrong)).await.unwrap_err();
    assert!(
        error.message.contains("board.members[0].entity: no entity is called nobody"),
        "{}",
        error.message
    );
    let own = json!({ "members": [{ "key": dev_key("alice").public().unwrap().to_string() }] });
    assert!(node.backend.entity_register(request(own)).await.is_err());
}

#[tokio::test]
async fn board_changes_are_described_like_boards_of_a_chain_spec() {
    let node = Node::start();
    let change = |entity: Option<&str>, action| {
        let (entity, lifetime_ms, signer, member) = (entity.map(named), None, None, None);
        let request =
            EntityPropose { entity, actions: vec![action], lifetime_ms, signer, member, wait: true };
        node.backend.entity_propose(request)
    };
    let bob = json!({ "key": dev_key("bob").public().unwrap().to_string() });
    // Alice is the hash of her board.
    let proposal = change(None, Action::AddMember { member: bob }).await.unwrap().proposal.unwrap();
    assert_eq!(proposal.status, ProposalStatus::Failed);
    assert!(proposal.actions[0].text.starts_with("take the key 0x"), "{}", proposal.actions[0].text);
    // The depositary may change its board.
    let key = dev_key("depositary").public().unwrap();
    let member = MemberRef::Id(Hash::new(*key.signer_id().as_bytes()));
    let with = json!({ "key": key.to_string(), "weight": 2 });
    let replace = Action::ReplaceMember { member, with };
    let proposal = change(Some("depositary"), replace).await.unwrap().proposal.unwrap();
    assert_eq!((proposal.status, proposal.reason), (ProposalStatus::Executed, None));
    let request = EntityGet { entity: named("depositary") };
    let board = node.backend.entity_get_state(request).unwrap().board.unwrap();
    assert_eq!(board.members[0].weight, 2);
    // Each of both boards is shown with its heights, and proven.
    let whose = || named("depositary");
    let terms =
        node.backend.entity_boards(EntityBoards { entity: whose(), after: None, limit: None }).unwrap();
    let weights: Vec<u32> = terms.iter().map(|term| term.board.members[0].weight).collect();
    assert_eq!(weights, [1, 2]);
    let (last, first) = (terms[0].last.unwrap(), terms[1].first);
    assert_eq!((terms[0].first, last.0 + 1, terms[1].last), (U64(1), first.0, None));
    let certificate = GetFrame { entity: whose(), height: None };
    let trusted = node.backend.chain_get_certificate(certificate).unwrap().board.0;
    let trusted = xln_primitives::Board::decode(&mut trusted.as_slice()).unwrap();
    for (height, term) in [(Some(last), &terms[0]), (Some(first), &terms[1]), (None, &terms[1])] {
        let asked = EntityGetBoardProof { entity: whose(), height };
        let proof = node.backend.entity_get_board_proof(asked).unwrap();
        assert_eq!(&proof.term, term);
        let encoded = proof.encoded.unwrap().0;
        let proven = BoardProof::decode(&mut encoded.as_slice()).unwrap();
        let network = node.backend.read().facts().network;
        assert_eq!(proven.verify(network, &trusted).unwrap().board.encode(), proof.board.0);
    }
    // The identifier of a lazy entity is the hash of its board.
    let asked = EntityGetBoardProof { entity: named("alice"), height: None };
    let alice = node.backend.entity_get_board_proof(asked).unwrap();
    assert!(alice.proof.is_none() && alice.encoded.is_none());
    assert_eq!(
        alice.entity.id,
        xln_primitives::Board::decode(&mut alice.board.0.as_slice()).unwrap().entity()
    );
    let nobody = EntityId::registered(77);
    let asked = EntityGetBoardProof { entity: nobody.into(), height: None };
    assert!(node.backend.entity_get_board_proof(asked).is_err());
    for wrong in [
        Action::AddMember { member: json!({ "entity": "nobody" }) },
        Action::RemoveMember { member: MemberRef::Name("carl".into()) },
        Action::SetBoard { board: json!({ "members": [] }) },
    ] {
        assert!(change(Some("depositary"), wrong).await.is_err());
    }
}

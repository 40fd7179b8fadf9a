//! Which command does what a method of the API does, for advice that a node gives in the words of its API.

/// Methods and the commands that call them.
const COMMANDS: [(&str, &str); 45] = [
    ("channel.close", "xln channel close"),
    ("channel.get", "xln channel show"),
    ("channel.list", "xln channel list"),
    ("channel.open", "xln channel open"),
    ("channel.pay", "xln pay --direct"),
    ("channel.requestCollateral", "xln channel request-collateral"),
    ("channel.setCredit", "xln channel credit set"),
    ("channel.setPolicy", "xln channel policy set"),
    ("chain.getBlock", "xln block"),
    ("chain.getReceipt", "xln receipt"),
    ("consensus.evidence", "xln consensus evidence"),
    ("consensus.status", "xln consensus status"),
    ("depositary.allocate", "xln reserve allocate"),
    ("depositary.deposit", "xln reserve deposit"),
    ("depositary.listReserves", "xln reserve list"),
    ("depositary.transfer", "xln reserve transfer"),
    ("depositary.withdraw", "xln reserve withdraw"),
    ("entity.boards", "xln entity boards"),
    ("entity.create", "xln entity create"),
    ("entity.delegate", "xln entity delegate"),
    ("entity.getBoardProof", "xln entity board-proof"),
    ("entity.getProposal", "xln entity proposal"),
    ("entity.getState", "xln entity show"),
    ("entity.list", "xln entity list"),
    ("entity.proposals", "xln entity proposals"),
    ("entity.propose", "xln entity propose"),
    ("entity.register", "xln entity register"),
    ("entity.setListing", "xln entity listing"),
    ("entity.setPolicy", "xln entity policy set"),
    ("entity.vote", "xln entity vote"),
    ("entity.withdraw", "xln entity withdraw"),
    ("invoice.create", "xln invoice create"),
    ("invoice.decode", "xln invoice decode"),
    ("invoice.list", "xln invoice list"),
    ("payment.list", "xln payment list"),
    ("payment.send", "xln pay"),
    ("route.query", "xln route query"),
    ("server.getInfo", "xln info"),
    ("signer.create", "xln signer create"),
    ("signer.list", "xln signer list"),
    ("system.addPeer", "xln peer add"),
    ("system.allowPeer", "xln peer allow"),
    ("system.disallowPeer", "xln peer disallow"),
    ("system.peers", "xln peer list"),
    ("system.removePeer", "xln peer remove"),
];

/// The same advice with commands in the place of methods. Methods without a command stay.
pub(super) fn in_commands(advice: &str) -> String {
    let mut text = String::with_capacity(advice.len());
    let is_end = |c: char| !(c.is_ascii_alphanumeric() || c == '.');
    for word in advice.split_inclusive(is_end) {
        let name = word.trim_end_matches(is_end).trim_end_matches('.');
        match COMMANDS.iter().find(|(method, _)| *method == name) {
            Some((_, command)) => {
                text.push_str(command);
                text.push_str(word.get(name.len()..).unwrap_or_default());
            }
            None => text.push_str(word),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn advice_names_commands_instead_of_methods() {
        assert_eq!(
            in_commands("channel.list names those that there are; channel.open opens one"),
            "xln channel list names those that there are; xln channel open opens one"
        );
        assert_eq!(
            in_commands("bob can grant more with channel.setCredit, or use entity.list."),
            "bob can grant more with xln channel credit set, or use xln entity list."
        );
        assert_eq!(in_commands("hand it in with author.submit"), "hand it in with author.submit");
        assert_eq!(in_commands("channel.listHtlcs … channel.list"), "channel.listHtlcs … xln channel list");
    }

    #[test]
    fn every_method_of_the_table_exists_and_so_does_its_command() {
        for (method, command) in COMMANDS {
            assert!(xln_rpc::METHODS.iter().any(|known| known.name == method), "{method}");
            let mut at = super::super::Arguments::command();
            for word in command.split(' ').skip(1).filter(|word| !word.starts_with('-')) {
                let found = at.find_subcommand(word).cloned();
                at = found.unwrap_or_else(|| panic!("{command}: no {word}"));
            }
        }
    }
}

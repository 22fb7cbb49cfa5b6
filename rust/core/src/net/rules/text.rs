//! Rules as text: one line each, in the words of `iptables-restore`.

use std::fmt::{self, Write};

use super::{Addresses, Chain, Match, Rule, Target};

/// Appends the line that makes, or empties, a chain.
pub fn write_chain(text: &mut String, chain: Chain) {
    text.push(':');
    chain.write(text);
    text.push_str(" - [0:0]\n");
}

/// Appends the line of a rule.
pub fn write_rule(text: &mut String, rule: &Rule) {
    write_bare(text, rule);
    text.push('\n');
}

/// Appends the lines of several rules.
pub fn write_rules<'a>(text: &mut String, rules: impl IntoIterator<Item = &'a Rule>) {
    for rule in rules {
        write_rule(text, rule);
    }
}

/// The rule without the end of its line.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let mut text = String::new();
        write_bare(&mut text, self);
        f.write_str(&text)
    }
}

fn write_bare(text: &mut String, rule: &Rule) {
    text.push_str("-A ");
    rule.chain.write(text);
    for condition in &rule.matches {
        text.push(' ');
        write_match(text, condition);
    }
    write_target(text, &rule.target);
}

fn not(text: &mut String, negated: bool) {
    if negated {
        text.push_str("! ");
    }
}

fn add(text: &mut String, arguments: fmt::Arguments) {
    text.write_fmt(arguments).expect("a String takes everything");
}

fn write_match(text: &mut String, condition: &Match) {
    match condition {
        Match::Comment(comment) => {
            text.push_str("-m comment --comment ");
            // What has blanks must be quoted, and only that is.
            let quote = if comment.contains(' ') { "\"" } else { "" };
            text.push_str(quote);
            text.push_str(comment);
            text.push_str(quote);
        }
        Match::Protocol(protocol) => {
            for word in ["-m ", protocol.name(), " -p ", protocol.name()] {
                text.push_str(word);
            }
        }
        Match::Source { negated, addresses } => {
            not(text, *negated);
            text.push_str("-s ");
            write_addresses(text, *addresses);
        }
        Match::Destination { negated, addresses } => {
            not(text, *negated);
            text.push_str("-d ");
            write_addresses(text, *addresses);
        }
        Match::DestinationPort(port) => add(text, format_args!("--dport {port}")),
        Match::SourceLocal => text.push_str("-m addrtype --src-type LOCAL"),
        Match::DestinationLocal => text.push_str("-m addrtype --dst-type LOCAL"),
        Match::InInterface { negated, name } => {
            not(text, *negated);
            text.push_str("-i ");
            text.push_str(name);
        }
        Match::ConnectionState { negated, states } => {
            text.push_str("-m conntrack ");
            not(text, *negated);
            text.push_str("--ctstate ");
            text.push_str(states);
        }
        Match::Marked { negated, mark } => {
            text.push_str("-m mark ");
            not(text, *negated);
            add(text, format_args!("--mark {mark}/{mark}"));
        }
        Match::Counter(name) => {
            text.push_str("-m nfacct --nfacct-name ");
            text.push_str(name);
        }
        Match::OneIn(packets) => {
            text.push_str("-m statistic --mode random --probability ");
            add(text, format_args!("{:.10}", 1.0 / f64::from(*packets)));
        }
        Match::SeenWithin { list, seconds } => {
            text.push_str("-m recent --name ");
            list.write(text);
            add(text, format_args!(" --rcheck --seconds {seconds} --reap"));
        }
        Match::Note(list) => {
            text.push_str("-m recent --name ");
            list.write(text);
            text.push_str(" --set");
        }
    }
}

fn write_addresses(text: &mut String, addresses: Addresses) {
    match addresses {
        Addresses::One(address) => add(text, format_args!("{address}")),
        Addresses::Block(block) => add(text, format_args!("{block}")),
    }
}

fn write_target(text: &mut String, target: &Target) {
    match target {
        Target::Nothing => {}
        Target::Jump(chain) => {
            text.push_str(" -j ");
            chain.write(text);
        }
        Target::Accept => text.push_str(" -j ACCEPT"),
        Target::Drop => text.push_str(" -j DROP"),
        Target::Reject => text.push_str(" -j REJECT"),
        Target::Return => text.push_str(" -j RETURN"),
        Target::SetMark(mark) => add(text, format_args!(" -j MARK --or-mark {mark}")),
        Target::ClearMark(mark) => add(text, format_args!(" -j MARK --xor-mark {mark}")),
        Target::Masquerade { random_fully } => {
            text.push_str(" -j MASQUERADE");
            if *random_fully {
                text.push_str(" --random-fully");
            }
        }
        Target::Dnat(to) => add(text, format_args!(" -j DNAT --to-destination {to}")),
    }
}

//! All that may become of one packet, as [`crate::net::walk`] answers it from the rules.

use std::net::SocketAddr;

use super::decide::{Flow, Missing, Way};
use super::{RouteTable, View};
use crate::net::walk::{Outcome, Packet, Verdict};

impl RouteTable {
    /// Every end a packet may come to on a node, in the order of the rules; the steps are not
    /// told. The view gets the lists it lacks.
    pub fn outcome(&mut self, view: &mut View, packet: &Packet) -> Outcome {
        let flow = Flow {
            source: self.addresses.number(packet.source),
            destination: self.addresses.number(packet.destination),
            port: packet.port,
            protocol: packet.protocol,
        };
        loop {
            match self.outcome_of(view, flow) {
                Ok(outcome) => return outcome,
                Err(Missing(port)) => view.make(self, port),
            }
        }
    }

    fn outcome_of(&self, view: &View, flow: Flow) -> Result<Outcome, Missing> {
        let mut outcome = Outcome::default();
        match self.decide(view, flow)? {
            Way::Endpoints { list, masquerade, .. } => {
                outcome.masquerade = masquerade;
                for endpoint in list.iter() {
                    let hot = self.arena.hot(endpoint);
                    let address = self.addresses.address(hot.address);
                    outcome.masquerade |= hot.address == flow.source;
                    outcome.verdicts.push(Verdict::Endpoint(SocketAddr::new(address, hot.port)));
                }
                let first = self.arena.hot(list.at(0));
                let flow = Flow { destination: first.address, port: first.port, ..flow };
                match self.after(view, flow)? {
                    Some(Way::Drop) => outcome.verdicts.push(Verdict::Drop),
                    Some(_) => outcome.verdicts.push(Verdict::Reject),
                    None => {}
                }
            }
            Way::Pass => {}
            Way::Accept => outcome.verdicts.push(Verdict::Accept),
            Way::Drop => outcome.verdicts.push(Verdict::Drop),
            Way::Reject => outcome.verdicts.push(Verdict::Reject),
        }
        Ok(outcome)
    }
}

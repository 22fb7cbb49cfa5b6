//! The tables of both families with the views of the nodes that were asked for.

use std::sync::Arc;

use super::{RouteTable, Touched, View};
use crate::base::{FastMap, StrId};
use crate::net::rules::{Config, Node};
use crate::net::service_ports::Family;
use crate::net::table::ServiceTable;

/// What routes in a cluster. None of it is state but the numbers of addresses.
#[derive(Debug)]
pub struct Router {
    tables: [RouteTable; 2],
    views: FastMap<(Family, Option<StrId>), View>,
    config: Arc<Config>,
}

/// A fork makes its own views.
impl Clone for Router {
    fn clone(&self) -> Self {
        let (tables, config) = (self.tables.clone(), Arc::clone(&self.config));
        Self { tables, views: FastMap::default(), config }
    }
}

impl Default for Router {
    fn default() -> Self {
        Self {
            tables: Family::BOTH.map(RouteTable::new),
            views: FastMap::default(),
            config: Arc::default(),
        }
    }
}

impl Router {
    /// The table of a family, as up to date as it was last made.
    pub fn table(&self, family: Family) -> &RouteTable {
        &self.tables[family as usize]
    }

    /// The same, to number addresses.
    pub fn table_mut(&mut self, family: Family) -> &mut RouteTable {
        &mut self.tables[family as usize]
    }

    /// Takes in what changed; `touched` is told which service ports of each family did.
    pub fn follow(&mut self, services: &ServiceTable, touched: Option<&mut [Vec<Touched>; 2]>) {
        let mut touched = touched.map(|touched| touched.iter_mut());
        for table in &mut self.tables {
            table.follow(services, touched.as_mut().and_then(Iterator::next));
        }
    }

    /// How kube-proxies are set up from now on.
    pub fn set_config(&mut self, config: Config) {
        if *self.config != config {
            self.config = Arc::new(config);
            self.views = FastMap::default();
        }
    }

    /// The view of a node and the table it is of. Views are kept until the node becomes another.
    pub fn view(&mut self, family: Family, node: Node) -> (&RouteTable, &mut View) {
        let table = &mut self.tables[family as usize];
        let key = (family, node.place.node);
        if self.views.get(&key).is_none_or(|known| known.node != node) {
            self.views.insert(key, View::new(table, &self.config, node));
        }
        (table, self.views.get_mut(&key).expect("just made sure"))
    }

    /// How kube-proxies are set up.
    pub fn config(&self) -> &Arc<Config> {
        &self.config
    }
}

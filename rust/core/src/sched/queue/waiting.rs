//! Rejected pods by the plugins that rejected them and by content, so that an event asks each
//! kind of pod once and nobody whom it cannot concern.

use crate::base::CowMap;
use crate::labels::Posting;
use crate::sched::plugins::PluginId;
use crate::sched::pod_info::InfoId;
use crate::sched::status::PluginSet;

/// Rejected pods by plugin and content; see the module header.
#[derive(Clone, Debug, Default)]
pub struct Waiting {
    /// The contents each plugin rejected, by the plugin's number.
    contents: Vec<Posting>,
    pods: CowMap<(PluginId, InfoId), Posting>,
}

impl Waiting {
    /// Adds a pod.
    pub fn add(&mut self, number: u32, rejectors: PluginSet, info: Option<InfoId>) {
        let Some(info) = info else { return };
        for plugin in rejectors.iter() {
            if let Some(pods) = self.pods.get_mut(&(plugin, info)) {
                pods.insert(number);
            } else {
                self.pods.insert((plugin, info), Posting::One(number));
                self.contents_mut(plugin).insert(info.index() as u32);
            }
        }
    }

    /// Removes a pod.
    pub fn remove(&mut self, number: u32, rejectors: PluginSet, info: Option<InfoId>) {
        let Some(info) = info else { return };
        for plugin in rejectors.iter() {
            let key = (plugin, info);
            let Some(pods) = self.pods.get_mut(&key) else { continue };
            pods.remove(number);
            if pods.is_empty() {
                self.pods.remove(&key);
                self.contents_mut(plugin).remove(info.index() as u32);
            }
        }
    }

    /// The contents a plugin rejected.
    pub fn contents(&self, plugin: PluginId) -> impl Iterator<Item = InfoId> {
        let contents = self.contents.get(usize::from(plugin.0));
        contents.into_iter().flat_map(Posting::iter).map(|number| InfoId::new(number as usize))
    }

    /// The pods of one content a plugin rejected.
    pub fn pods(&self, plugin: PluginId, info: InfoId) -> impl Iterator<Item = u32> {
        self.pods.get(&(plugin, info)).into_iter().flat_map(Posting::iter)
    }

    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.pods.is_empty()
    }

    fn contents_mut(&mut self, plugin: PluginId) -> &mut Posting {
        let at = usize::from(plugin.0);
        if at >= self.contents.len() {
            self.contents.resize(at + 1, Posting::default());
        }
        &mut self.contents[at]
    }
}

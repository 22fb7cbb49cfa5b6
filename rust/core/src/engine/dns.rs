//! DNS of a cluster: names follow its objects, memories its clock.

use super::World;
use crate::api::ApiResult;
use crate::base::{Value, hash_of};
use crate::net::dns::Dns;
use crate::net::dns::recursor::Step;
use crate::net::dns::resolv::{self, ResolvConf};
use crate::net::dns::server::Settings;
use crate::net::dns::stub::{Library, Resolution, Stub};
use crate::store::ObjectId;

impl World {
    /// The servers of the cluster, up to date.
    pub fn dns(&mut self) -> &mut Dns {
        self.dns.follow(&self.store);
        &mut self.dns
    }

    /// Sets DNS up anew; what resolvers remembered is forgotten.
    ///
    /// # Errors
    /// One sentence when the zone's name is none or a zone file is malformed.
    pub fn set_dns(&mut self, settings: Settings) -> Result<(), String> {
        self.dns = Dns::new(settings)?;
        Ok(())
    }

    /// A pod's resolv.conf, and what the kubelet warns of.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn resolv_conf(
        &mut self,
        namespace: &str,
        pod: &str,
    ) -> ApiResult<(ResolvConf, Vec<String>)> {
        let id: ObjectId = self.store.require(self.store.kinds.pod, Some(namespace), pod)?;
        let body = self.store.body(id).expect("it was just found").clone();
        Ok(self.resolv_conf_in(namespace, body.doc.get("spec").unwrap_or(&Value::Null)))
    }

    /// The resolv.conf a pod of a spec would have in a namespace.
    pub fn resolv_conf_in(&mut self, namespace: &str, spec: &Value) -> (ResolvConf, Vec<String>) {
        let dns = self.dns();
        let servers = dns.addresses();
        let settings = dns.settings();
        resolv::of_pod(spec, namespace, &settings.zone, &servers, &settings.node)
    }

    /// What a C library with this resolv.conf makes of a name, and the queries the recursive
    /// resolver sent for it.
    ///
    /// # Errors
    /// When the text is no name.
    pub fn resolve_name(
        &mut self,
        name: &str,
        kind: Option<u16>,
        conf: &ResolvConf,
        library: Library,
    ) -> Result<(Resolution, Vec<Step>), String> {
        let now = self.now();
        // Another order of addresses for another name or time, and the same for the same.
        let turn = hash_of(&(name, now));
        let dns = self.dns();
        dns.take_steps();
        let resolution = Stub { dns, conf, library, now, turn }.resolve(name, kind)?;
        Ok((resolution, dns.take_steps()))
    }
}

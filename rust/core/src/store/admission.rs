//! The API server's admission plugins that change or refuse what engine and scheduler act on:
//! Priority, DefaultTolerationSeconds, DefaultIngressClass.

use std::cmp::Reverse;

use super::Store;
use crate::api::{ApiError, ApiResult, KindId};
use crate::base::Value;

/// Priority classes that exist without being created.
const SYSTEM_CLASSES: [(&str, i64); 2] =
    [("system-cluster-critical", 2_000_000_000), ("system-node-critical", 2_000_001_000)];

/// Taints for which a pod gets five minutes unless it says otherwise.
const TOLERATED: [&str; 2] = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"];
const TOLERATION_SECONDS: i64 = 300;

/// What named an Ingress's class before there was a field, and what marks the default class.
const CLASS_ANNOTATION: &str = "kubernetes.io/ingress.class";
const DEFAULT_CLASS: &str = "ingressclass.kubernetes.io/is-default-class";

impl Store {
    /// Runs admission on a new object, after defaulting and before validation.
    ///
    /// # Errors
    /// 403 in the plugin's words.
    pub(super) fn admit(&self, kind: KindId, object: &mut Value) -> ApiResult<()> {
        if kind == self.kinds.pod {
            if self.priority_admission {
                self.admit_priority(object)?;
            }
            add_default_tolerations(object);
        } else if kind == self.kinds.ingress {
            self.admit_ingress(object);
        }
        Ok(())
    }

    /// Runs admission on an object that replaces another.
    pub(super) fn admit_update(&self, kind: KindId, object: &mut Value, old: &Value) {
        if kind != self.kinds.pod {
            return;
        }
        for field in ["priority", "preemptionPolicy"] {
            if object.at(&["spec", field]).is_none()
                && let Some(known) = old.at(&["spec", field])
            {
                object.set(&["spec", field], known.clone());
            }
        }
        add_default_tolerations(object);
    }

    /// There is one default priority class at most.
    ///
    /// # Errors
    /// 403 in the plugin's words.
    pub(super) fn check_default_class(&self, kind: KindId, object: &Value) -> ApiResult<()> {
        let is_default = object.get("globalDefault") == Some(&Value::Bool(true));
        if kind != self.kinds.priority_class || !is_default {
            return Ok(());
        }
        let name = object.str_at(&["metadata", "name"]).unwrap_or_default();
        match self.default_priority_class().0 {
            Some(known) if known != name => {
                let why = format!(
                    "PriorityClass {known} is already marked as default. Only one default can exist"
                );
                Err(ApiError::forbidden(self.resource(kind), name, why))
            }
            _ => Ok(()),
        }
    }

    /// Whether this is a priority class that exists without having been created.
    pub(super) fn is_system_class(&self, kind: KindId, name: &str) -> bool {
        kind == self.kinds.priority_class && SYSTEM_CLASSES.iter().any(|(class, _)| *class == name)
    }

    /// Times that the API server writes itself: when the phase of a persistent volume changed
    /// last, and since when a new pod is held back.
    pub(super) fn stamp_status(&self, kind: KindId, object: &mut Value, old: Option<&Value>) {
        const CHANGED: [&str; 2] = ["status", "lastPhaseTransitionTime"];
        if kind == self.kinds.pod && old.is_none() {
            let mut conditions = object.list_at(&["status", "conditions"]).to_vec();
            for condition in &mut conditions {
                condition.set(&["lastTransitionTime"], self.now.to_second().to_string());
            }
            if !conditions.is_empty() {
                object.set(&["status", "conditions"], conditions);
            }
        }
        let named = &self.registry.kind(kind).id;
        if named.kind != "PersistentVolume" || !named.group.is_empty() {
            return;
        }
        let phase = |object: &Value| object.str_at(&["status", "phase"]).map(str::to_owned);
        let time = |object: &Value| object.at(&CHANGED).cloned();
        let moved = phase(object) != old.and_then(phase);
        if moved && (time(object).is_none() || time(object) == old.and_then(time)) {
            object.set(&CHANGED, self.now.to_second().to_string());
        }
    }

    /// An Ingress that says nothing about its class gets the default one; of several defaults
    /// the newest, and of those the first by name.
    fn admit_ingress(&self, ingress: &mut Value) {
        const CLASS: [&str; 2] = ["spec", "ingressClassName"];
        let annotations = ingress.at(&["metadata", "annotations"]);
        let is_said = ingress.at(&CLASS).is_some_and(|class| !class.is_null())
            || annotations.is_some_and(|all| all.get(CLASS_ANNOTATION).is_some());
        if is_said {
            return;
        }
        let classes = self.table(self.kinds.ingress_class).iter().filter(|(_, row)| {
            let body = row.body.as_ref().expect("occupied");
            body.annotation(DEFAULT_CLASS) == Some("true")
        });
        let newest =
            classes.min_by_key(|(_, row)| (Reverse(row.created), row.name.text(&self.strings)));
        if let Some((_, row)) = newest {
            ingress.set(&CLASS, row.name.text(&self.strings));
        }
    }

    /// Priority and preemption policy from the pod's class, or from the default class.
    fn admit_priority(&self, pod: &mut Value) -> ApiResult<()> {
        let named = pod.str_at(&["spec", "priorityClassName"]).filter(|name| !name.is_empty());
        let (name, priority, policy) = match named {
            Some(name) => {
                let (priority, policy) = self.priority_class(name).ok_or_else(|| {
                    self.pod_forbidden(pod, &format!("no PriorityClass with name {name} was found"))
                })?;
                (Some(name.to_owned()), priority, policy)
            }
            None => self.default_priority_class(),
        };
        if let Some(given) = pod.int_at(&["spec", "priority"]).filter(|given| *given != priority) {
            let why = format!(
                "the integer value of priority ({given}) must not be provided in pod spec; \
                 priority admission controller computed {priority} from the given PriorityClass \
                 name"
            );
            return Err(self.pod_forbidden(pod, &why));
        }
        if let Some(given) =
            pod.str_at(&["spec", "preemptionPolicy"]).filter(|given| *given != policy)
        {
            let why = format!(
                "the string value of PreemptionPolicy ({given}) must not be provided in pod spec; \
                 priority admission controller computed {policy} from the given PriorityClass name"
            );
            return Err(self.pod_forbidden(pod, &why));
        }
        if let Some(name) = name {
            pod.set(&["spec", "priorityClassName"], name);
        }
        pod.set(&["spec", "priority"], priority);
        pod.set(&["spec", "preemptionPolicy"], policy);
        Ok(())
    }

    fn pod_forbidden(&self, pod: &Value, why: &str) -> ApiError {
        let name = pod.str_at(&["metadata", "name"]).unwrap_or_default();
        ApiError::forbidden(self.resource(self.kinds.pod), name, why)
    }

    /// Value and preemption policy of a class.
    fn priority_class(&self, name: &str) -> Option<(i64, String)> {
        if let Some(id) = self.find(self.kinds.priority_class, None, name) {
            return self.body(id).map(|body| {
                let policy = body.at(&["preemptionPolicy"]).and_then(Value::as_str);
                let value = body.at(&["value"]).and_then(Value::as_int).unwrap_or(0);
                (value, policy.unwrap_or("PreemptLowerPriority").to_owned())
            });
        }
        let system = SYSTEM_CLASSES.iter().find(|(class, _)| *class == name);
        system.map(|(_, value)| (*value, "PreemptLowerPriority".to_owned()))
    }

    /// The class marked as global default; of several the lowest value counts.
    fn default_priority_class(&self) -> (Option<String>, i64, String) {
        let table = self.table(self.kinds.priority_class);
        let default = table
            .iter()
            .filter(|(_, row)| {
                let body = row.body.as_ref().expect("occupied");
                body.at(&["globalDefault"]).and_then(Value::as_bool) == Some(true)
            })
            .map(|(_, row)| row.name.text(&self.strings).to_string())
            .filter_map(|name| {
                self.priority_class(&name).map(|(value, policy)| (value, name, policy))
            })
            .min();
        match default {
            Some((value, name, policy)) => (Some(name), value, policy),
            None => (None, 0, "PreemptLowerPriority".to_owned()),
        }
    }
}

/// Five minutes on a node that is not ready or unreachable, unless the pod tolerates it already.
fn add_default_tolerations(pod: &mut Value) {
    let tolerates = |taint: &str| {
        pod.list_at(&["spec", "tolerations"]).iter().any(|toleration| {
            let key = toleration.str_at(&["key"]).unwrap_or_default();
            let effect = toleration.str_at(&["effect"]).unwrap_or_default();
            (key == taint || key.is_empty()) && matches!(effect, "NoExecute" | "")
        })
    };
    let missing: Vec<&str> = TOLERATED.into_iter().filter(|taint| !tolerates(taint)).collect();
    if missing.is_empty() {
        return;
    }
    let spec = pod.map_mut().entry("spec").map_mut();
    let tolerations = spec.entry("tolerations").list_mut();
    for taint in missing {
        tolerations.push(Value::map([
            ("key", Value::from(taint)),
            ("operator", "Exists".into()),
            ("effect", "NoExecute".into()),
            ("tolerationSeconds", TOLERATION_SECONDS.into()),
        ]));
    }
}

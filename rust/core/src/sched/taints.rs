//! Taints of nodes and the tolerations of pods against them.

use std::sync::Arc;

use crate::base::{CowIndex, CowVec, Text, Value, hash_of};

/// What a taint does to pods that do not tolerate it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// New pods stay away.
    NoSchedule,
    /// New pods stay away if they can.
    PreferNoSchedule,
    /// New pods stay away, running ones leave.
    NoExecute,
    /// A word Kubernetes does not know: it does nothing.
    Unknown,
}

impl Effect {
    fn parse(word: &str) -> Self {
        match word {
            "NoSchedule" => Self::NoSchedule,
            "PreferNoSchedule" => Self::PreferNoSchedule,
            "NoExecute" => Self::NoExecute,
            _ => Self::Unknown,
        }
    }

    /// Whether it keeps pods away for certain.
    pub fn repels(self) -> bool {
        matches!(self, Self::NoSchedule | Self::NoExecute)
    }
}

/// One taint of a node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Taint {
    /// `key`.
    pub key: Text,
    /// `value`.
    pub value: Text,
    /// `effect`.
    pub effect: Effect,
}

impl Taint {
    /// Reads `spec.taints` of a node.
    pub fn read_list(spec: &Value) -> Vec<Self> {
        let word = |taint: &Value, key| taint.str_at(&[key]).unwrap_or_default().into();
        let read = |taint: &Value| Self {
            key: word(taint, "key"),
            value: word(taint, "value"),
            effect: Effect::parse(taint.str_at(&["effect"]).unwrap_or_default()),
        };
        spec.list_at(&["taints"]).iter().map(read).collect()
    }

    /// The taint the node controller puts on nodes with `spec.unschedulable`.
    pub fn unschedulable() -> Self {
        Self {
            key: "node.kubernetes.io/unschedulable".into(),
            value: Text::default(),
            effect: Effect::NoSchedule,
        }
    }
}

/// How a toleration compares values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Operator {
    Equal,
    Exists,
    /// `Lt`, `Gt`, which 1.36 only knows behind a gate that is off, and unknown words.
    Never,
}

/// One toleration of a pod.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Toleration {
    key: Text,
    operator: Operator,
    value: Text,
    /// `None` tolerates every effect.
    effect: Option<Effect>,
}

impl Toleration {
    /// Reads `spec.tolerations` of a pod.
    pub fn read_list(spec: &Value) -> Vec<Self> {
        let word = |toleration: &Value, key| toleration.str_at(&[key]).unwrap_or_default().into();
        let read = |toleration: &Value| Self {
            key: word(toleration, "key"),
            operator: match toleration.str_at(&["operator"]).unwrap_or_default() {
                "" | "Equal" => Operator::Equal,
                "Exists" => Operator::Exists,
                _ => Operator::Never,
            },
            value: word(toleration, "value"),
            effect: toleration
                .str_at(&["effect"])
                .filter(|word| !word.is_empty())
                .map(Effect::parse),
        };
        spec.list_at(&["tolerations"]).iter().map(read).collect()
    }

    /// Whether it tolerates a taint.
    pub fn tolerates(&self, taint: &Taint) -> bool {
        let effect_fits = self.effect.is_none_or(|effect| effect == taint.effect);
        let key_fits = self.key.is_empty() || self.key == taint.key;
        effect_fits
            && key_fits
            && match self.operator {
                Operator::Equal => self.value == taint.value,
                Operator::Exists => true,
                Operator::Never => false,
            }
    }

    /// Whether it bears on taints that nodes would rather not have pods for.
    fn covers_preferences(&self) -> bool {
        matches!(self.effect, None | Some(Effect::PreferNoSchedule))
    }
}

/// Whether any of the tolerations tolerates a taint.
pub fn tolerated(taint: &Taint, tolerations: &[Toleration]) -> bool {
    tolerations.iter().any(|toleration| toleration.tolerates(taint))
}

/// Whether no taint repels a pod with these tolerations.
pub fn admits(taints: &[Taint], tolerations: &[Toleration]) -> bool {
    taints.iter().filter(|taint| taint.effect.repels()).all(|taint| tolerated(taint, tolerations))
}

/// How many PreferNoSchedule taints a pod with these tolerations would have to put up with.
pub fn disliked(taints: &[Taint], tolerations: &[Toleration]) -> i64 {
    let covers = |taint: &Taint| {
        tolerations
            .iter()
            .any(|toleration| toleration.covers_preferences() && toleration.tolerates(taint))
    };
    let preferences = taints.iter().filter(|taint| taint.effect == Effect::PreferNoSchedule);
    preferences.filter(|taint| !covers(taint)).count() as i64
}

/// The distinct taint lists of a cluster, each once. Nodes of one pool share theirs, so a pod's
/// tolerations are compared with a handful of lists and not with every node.
#[derive(Clone, Debug)]
pub struct TaintSets {
    lists: CowVec<Option<Arc<[Taint]>>>,
    index: CowIndex,
    repelling: u32,
    preferring: u32,
}

impl Default for TaintSets {
    fn default() -> Self {
        let mut lists = CowVec::new();
        lists.push(Some(Arc::from([])));
        Self { lists, index: CowIndex::new(), repelling: 0, preferring: 0 }
    }
}

impl TaintSets {
    /// The number of a taint list; the empty one is 0. Numbers are never given up: pools are
    /// few, and a taint list that was seen once is likely to come back.
    pub fn intern(&mut self, taints: &[Taint]) -> u32 {
        if taints.is_empty() {
            return 0;
        }
        let hash = hash_of(taints);
        if let Some(number) = self.index.find(hash, |number| self.get(number) == taints) {
            return number;
        }
        let number = self.lists.push(Some(Arc::from(taints))) as u32;
        self.index.insert(hash, number);
        self.repelling += u32::from(taints.iter().any(|taint| taint.effect.repels()));
        let preferring = taints.iter().any(|taint| taint.effect == Effect::PreferNoSchedule);
        self.preferring += u32::from(preferring);
        number
    }

    /// The taints of a list.
    pub fn get(&self, number: u32) -> &[Taint] {
        self.lists[number as usize].as_deref().unwrap_or_default()
    }

    /// How many lists there are.
    pub fn len(&self) -> usize {
        self.lists.len()
    }

    /// Never: the empty list is always there.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// Whether any list could keep a pod away.
    pub fn any_repels(&self) -> bool {
        self.repelling > 0
    }

    /// Whether any list has a taint pods would rather avoid.
    pub fn any_prefers(&self) -> bool {
        self.preferring > 0
    }
}

#[cfg(test)]
mod tests {
    use super::{Taint, TaintSets, Toleration, admits, disliked};
    use crate::base::Value;

    fn taints(text: &str) -> Vec<Taint> {
        Taint::read_list(&Value::from_json(&format!(r#"{{"taints":{text}}}"#)).unwrap())
    }

    fn tolerations(text: &str) -> Vec<Toleration> {
        Toleration::read_list(&Value::from_json(&format!(r#"{{"tolerations":{text}}}"#)).unwrap())
    }

    #[test]
    fn a_toleration_fits_by_effect_key_and_value() {
        let gpu = taints(r#"[{"key":"gpu","value":"a100","effect":"NoSchedule"}]"#);
        for (text, admitted) in [
            ("[]", false),
            (r#"[{"key":"gpu","value":"a100"}]"#, true),
            (r#"[{"key":"gpu","operator":"Equal","value":"t4"}]"#, false),
            (r#"[{"key":"gpu","operator":"Exists","effect":"NoSchedule"}]"#, true),
            (r#"[{"key":"gpu","operator":"Exists","effect":"NoExecute"}]"#, false),
            (r#"[{"operator":"Exists"}]"#, true),
            (r#"[{"value":"a100"}]"#, true),
            (r#"[{"key":"gpu","operator":"Gt","value":"1"}]"#, false),
        ] {
            assert_eq!(admits(&gpu, &tolerations(text)), admitted, "{text}");
        }
    }

    #[test]
    fn only_tolerations_of_preferences_make_a_disliked_node_liked() {
        let spot = taints(
            r#"[{"key":"spot","effect":"PreferNoSchedule"},{"key":"old","effect":"PreferNoSchedule"},
                {"key":"gone","effect":"NoExecute"}]"#,
        );
        assert_eq!(disliked(&spot, &tolerations("[]")), 2);
        assert_eq!(disliked(&spot, &tolerations(r#"[{"key":"spot","operator":"Exists"}]"#)), 1);
        let wrong = r#"[{"key":"spot","operator":"Exists","effect":"NoSchedule"}]"#;
        assert_eq!(disliked(&spot, &tolerations(wrong)), 2);
    }

    #[test]
    fn equal_lists_have_one_number() {
        let mut sets = TaintSets::default();
        let spot = taints(r#"[{"key":"spot","effect":"PreferNoSchedule"}]"#);
        assert_eq!(sets.intern(&[]), 0);
        assert_eq!(sets.intern(&spot), 1);
        assert_eq!(sets.intern(&spot), 1);
        assert_eq!((sets.len(), sets.any_prefers(), sets.any_repels()), (2, true, false));
    }
}

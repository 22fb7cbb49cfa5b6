//! The rules of every kind, and the questions callers ask.

use super::check::Walk;
use super::compile::{Compiled, Names, Shared, items, text};
use super::ops::{Checks, Steps};
use super::reference::{NULL, field};
use super::steps::Runner;
use crate::api::{FieldError, Path};
use crate::base::{FastMap, Text, Value};

/// A kind that has rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuleKind(u32);

/// All rules of a program.
pub struct Rules {
    shared: Shared,
    kinds: Vec<KindRules>,
    by_name: FastMap<Text, RuleKind>,
    /// What holds for the metadata of every kind: by whether it is namespaced.
    common: [Checks; 2],
    /// What holds for the metadata of every object that replaces another.
    common_update: Checks,
}

/// The rules of one kind.
struct KindRules {
    namespaced: bool,
    unconditional_update: bool,
    create_on_update: bool,
    defaults: Steps,
    prepare: Steps,
    prepare_update: Steps,
    prepare_status: Steps,
    allocate: Checks,
    create: Checks,
    update: Checks,
    status: Checks,
}

impl std::fmt::Debug for Rules {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "Rules of {} kinds", self.kinds.len())
    }
}

impl Rules {
    /// No rules for any kind: nothing is defaulted, nothing is invalid.
    ///
    /// # Panics
    /// Never: an empty program compiles.
    pub fn none() -> Self {
        let lists = ["kinds", "cluster metadata", "namespaced metadata", "updated metadata"];
        let program = Value::map(lists.map(|name| (name, Value::from(Vec::new()))));
        Self::compile(&program).expect("an empty program compiles")
    }

    /// Compiles the plain data that `wavetank.resources.program()` returns.
    ///
    /// # Errors
    /// A sentence that names the declaration that is wrong.
    pub fn compile(program: &Value) -> Result<Self, String> {
        let mut names = Names::new();
        let shared = names.shared(program)?;
        let mut kinds = Vec::new();
        let mut by_name = FastMap::new();
        let declared = program.get("kinds").ok_or("a program has kinds")?;
        for kind in items(declared)? {
            let group = text(field(kind, "group"))?;
            let name = text(field(kind, "kind"))?;
            let rules = KindRules::compile(&mut names, kind)
                .map_err(|error| format!("{name}.{group}: {error}"))?;
            let number = RuleKind(kinds.len() as u32);
            kinds.push(rules);
            for version in items(field(kind, "versions"))? {
                by_name.insert(key(&api_version(group, text(version)?), name), number);
            }
        }
        let mut common = |name: &str| names.checks(field(program, name));
        let (cluster, namespaced) = (common("cluster metadata")?, common("namespaced metadata")?);
        let common_update = common("updated metadata")?;
        Ok(Self { shared, kinds, by_name, common: [cluster, namespaced], common_update })
    }

    /// The rules for an `apiVersion` and a `kind`.
    pub fn find(&self, api_version: &str, kind: &str) -> Option<RuleKind> {
        self.by_name.get(key(api_version, kind).as_str()).copied()
    }

    /// Whether an update of this kind may leave out the resourceVersion.
    pub fn allows_unconditional_update(&self, kind: RuleKind) -> bool {
        self.get(kind).unconditional_update
    }

    /// Whether a PUT creates an object of this kind that is missing.
    pub fn creates_on_update(&self, kind: RuleKind) -> bool {
        self.get(kind).create_on_update
    }

    /// Adds what decoding adds; true when something changed. Idempotent, and free of copies for
    /// an object that has everything.
    pub fn default(&self, kind: RuleKind, object: &mut Value) -> bool {
        self.apply(&self.get(kind).defaults, object, &NULL)
    }

    /// What a create does to an object before it is checked: status, generation, derived
    /// fields. Name and uid must be set already.
    pub fn prepare_create(&self, kind: RuleKind, object: &mut Value) -> bool {
        self.apply(&self.get(kind).prepare, object, &NULL)
    }

    /// What an update does to an object before it is checked: the status stays, a change of the
    /// specification counts up the generation.
    pub fn prepare_update(&self, kind: RuleKind, object: &mut Value, old: &Value) -> bool {
        self.apply(&self.get(kind).prepare_update, object, old)
    }

    /// What an update of the status does to an object before it is checked: all else stays.
    pub fn prepare_status(&self, kind: RuleKind, object: &mut Value, old: &Value) -> bool {
        self.apply(&self.get(kind).prepare_status, object, old)
    }

    /// What is wrong with an object before addresses and ports are handed out to it. If
    /// anything is, that is the answer. `old` is `null` for a new object.
    pub fn validate_allocation(
        &self,
        kind: RuleKind,
        object: &Value,
        old: &Value,
    ) -> Vec<FieldError> {
        self.run(&[&self.get(kind).allocate], object, old)
    }

    /// What is wrong with a new object.
    pub fn validate_create(&self, kind: RuleKind, object: &Value) -> Vec<FieldError> {
        let rules = self.get(kind);
        let errors = self.run(&[&rules.create], object, &NULL);
        // The common rules follow only where the kind's own, more telling ones, are met.
        if errors.is_empty() {
            return self.run(&[self.common_of(rules)], object, &NULL);
        }
        errors
    }

    /// What is wrong with an object that is to replace another.
    pub fn validate_update(&self, kind: RuleKind, object: &Value, old: &Value) -> Vec<FieldError> {
        let rules = self.get(kind);
        self.run(&[self.common_of(rules), &self.common_update, &rules.update], object, old)
    }

    /// What is wrong with an object whose status is to replace another's.
    pub fn validate_status(&self, kind: RuleKind, object: &Value, old: &Value) -> Vec<FieldError> {
        let rules = self.get(kind);
        self.run(&[self.common_of(rules), &self.common_update, &rules.status], object, old)
    }

    fn get(&self, kind: RuleKind) -> &KindRules {
        &self.kinds[kind.0 as usize]
    }

    fn common_of(&self, rules: &KindRules) -> &Checks {
        &self.common[usize::from(rules.namespaced)]
    }

    fn apply(&self, steps: &Steps, object: &mut Value, old: &Value) -> bool {
        Runner { shared: &self.shared.steps, old }.apply(steps, object)
    }

    fn run(&self, lists: &[&Checks], object: &Value, old: &Value) -> Vec<FieldError> {
        let mut walk = Walk::new(&self.shared, object, old);
        for checks in lists {
            walk.run(checks, object, &Path::ROOT);
        }
        walk.errors
    }
}

impl KindRules {
    fn compile(names: &mut Names, kind: &Value) -> Compiled<Self> {
        let flag = |name: &str| field(kind, name).as_bool() == Some(true);
        let mut steps = |name: &str| names.steps(field(kind, name));
        let (defaults, prepare) = (steps("defaults")?, steps("prepare")?);
        let (prepare_update, prepare_status) = (steps("prepare_update")?, steps("prepare_status")?);
        let mut checks = |name: &str| names.checks(field(kind, name));
        Ok(Self {
            namespaced: flag("namespaced"),
            unconditional_update: flag("unconditional_update"),
            create_on_update: flag("create_on_update"),
            defaults,
            prepare,
            prepare_update,
            prepare_status,
            allocate: checks("allocate")?,
            create: checks("create")?,
            update: checks("update")?,
            status: checks("status")?,
        })
    }
}

fn api_version(group: &str, version: &str) -> String {
    if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") }
}

fn key(api_version: &str, kind: &str) -> Text {
    let mut key = Text::with_capacity(api_version.len() + 1 + kind.len());
    key.push_str(api_version);
    key.push('/');
    key.push_str(kind);
    key
}

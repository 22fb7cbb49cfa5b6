//! The scheduler's plugins written in Python: what they are asked, what they may read, and what
//! they answer.
//!
//! Columns of nodes are kept from one question to the next and follow the nodes' journal, so a
//! question costs what changed since the last one. Python gets them as read-only arrays by the
//! nodes' numbers, valid until the world goes on; when nodes come, go or change their labels the
//! epoch ends and they are made anew.

use std::sync::Mutex;

use numpy::{IntoPyArray, PyArray1, PyArrayMethods, PyReadonlyArray1};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::sync::MutexExt;
use pyo3::types::{PyDict, PyList, PySlice, PyTuple};
use wavetank_core::base::{Text, Value};
use wavetank_core::labels::LabelSet;
use wavetank_core::sched::journal::{Change, What};
use wavetank_core::sched::nodes::{NodeId, Nodes};
use wavetank_core::sched::plugins::Point;
use wavetank_core::sched::plugins::user::asking::Question;
use wavetank_core::sched::plugins::user::columns::NodeColumn;
use wavetank_core::sched::plugins::user::{Declaration, Normalize, Source, UserPlugin};

use crate::error::value_error;
use crate::world::{Inner, World};

/// Columns of nodes that plugins have asked for.
#[derive(Default)]
pub struct Columns {
    epoch: u64,
    /// Up to where the nodes' journal was read; nothing before the first question.
    read: Option<u64>,
    kinds: Vec<NodeColumn>,
    arrays: Vec<Py<PyArray1<i64>>>,
}

/// Columns behind their lock.
pub type LockedColumns = Mutex<Columns>;

/// Namespace, name and priority of a pod, and what it requests.
type PodFacts = (String, String, i32, Vec<(String, i64)>);

/// A question on its way to Python.
struct Asked {
    plugin: usize,
    point: &'static str,
    pod: i64,
    facts: PodFacts,
    nodes: Vec<i64>,
    is_trial: bool,
    /// New values of every column for the nodes that changed; nothing when a new epoch begins.
    changes: Option<Vec<(usize, Vec<i64>)>>,
    position: u64,
}

#[pymethods]
impl World {
    /// The scheduler's plugins of one's own, as they were declared.
    fn plugins<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let declared: Vec<Declaration> =
            self.enter(py, |inner| inner.engine.plugins().cloned().collect());
        declared.iter().map(|plugin| declaration_to_py(py, plugin)).collect()
    }

    /// What a plugin is asked: its number, the point, the key of the pod, its namespace, name,
    /// priority and requests, the numbers of the nodes, whether those are on trial, and the
    /// epoch of the columns. `None` when no plugin is asked anything.
    fn question<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyTuple>>> {
        let mut columns = self.columns.lock_py_attached(py).map_err(|_| poisoned())?;
        let Columns { read, kinds, .. } = &*columns;
        let (read, kinds) = (*read, kinds.clone());
        let Some(asked) = self.enter(py, |inner| ask(inner, read, &kinds)) else {
            return Ok(None);
        };
        columns.follow(py, asked.changes.as_deref(), asked.position)?;
        let epoch = columns.epoch;
        let (namespace, name, priority, requests) = asked.facts;
        let nodes = asked.nodes.into_pyarray(py);
        let items = (
            (asked.plugin, asked.point, asked.pod),
            (namespace, name, priority, PyList::new(py, requests)?),
            (nodes, asked.is_trial, epoch),
        );
        Ok(Some(items.into_pyobject(py)?))
    }

    /// A column over the nodes of the question, if those are on trial, and over all nodes by
    /// their numbers otherwise; read-only.
    fn node_column<'py>(
        &self,
        py: Python<'py>,
        name: &str,
        resource: &str,
    ) -> PyResult<Bound<'py, PyAny>> {
        let Some(column) = NodeColumn::find(name, resource) else {
            return Err(value_error(format!("no column \"{name}\"")));
        };
        let mut columns = self.columns.lock_py_attached(py).map_err(|_| poisoned())?;
        let (values, is_trial) = self.enter(py, |inner| values(inner, &column));
        if is_trial {
            return read_only(values.into_pyarray(py));
        }
        let at = columns.kinds.iter().position(|kind| *kind == column);
        if let Some(at) = at {
            return read_only(columns.arrays[at].bind(py).clone());
        }
        let array = values.into_pyarray(py);
        columns.kinds.push(column);
        columns.arrays.push(array.clone().unbind());
        read_only(array)
    }

    /// The names of all nodes by their numbers; empty where there is none.
    fn node_names(&self, py: Python) -> Vec<String> {
        self.enter(py, |inner| {
            let nodes = nodes(inner);
            let name = |at| nodes.info(NodeId::new(at)).name.to_string();
            (0..nodes.numbers()).map(name).collect()
        })
    }

    /// A label of all nodes by their numbers: codes, and the values they stand for; -1 where a
    /// node has none.
    fn node_labels<'py>(
        &self,
        py: Python<'py>,
        key: &str,
    ) -> (Bound<'py, PyArray1<i32>>, Vec<String>) {
        let (codes, values) = self.enter(py, |inner| label_codes(inner, key));
        (codes.into_pyarray(py), values)
    }

    /// All labels of one node, by its number.
    fn labels_of_node(&self, py: Python, number: usize) -> Vec<(String, String)> {
        self.enter(py, |inner| {
            let spec = nodes(inner).info(NodeId::new(number)).spec.clone();
            let labels = spec.map(|spec| inner.engine.store.sets.get(spec.labels));
            let pairs = labels.into_iter().flat_map(LabelSet::iter);
            pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
        })
    }

    /// Answers whether the pod may be scheduled: `None`, or why not; an empty reason is the
    /// plugin's usual one.
    #[pyo3(signature = (reason))]
    fn answer_pod(&self, py: Python, reason: Option<&str>) {
        self.enter(py, |inner| inner.engine.scheduler.answer_pod(reason));
    }

    /// Answers which nodes are right: -1, or the place in `reasons` of why not.
    fn answer_filter(
        &self,
        py: Python,
        said: PyReadonlyArray1<i64>,
        reasons: Vec<String>,
    ) -> PyResult<()> {
        let said: Vec<Option<usize>> =
            said.as_slice()?.iter().map(|at| usize::try_from(*at).ok()).collect();
        if said.iter().flatten().any(|at| *at >= reasons.len()) {
            return Err(value_error("an answer names no reason"));
        }
        let reasons: Vec<Text> = reasons.iter().map(Text::from).collect();
        self.enter(py, |inner| {
            check_length(inner, said.len())?;
            inner.engine.scheduler.answer_filter(&said, &reasons);
            Ok(())
        })
    }

    /// Answers how good the nodes are.
    fn answer_score(&self, py: Python, scores: PyReadonlyArray1<i64>) -> PyResult<()> {
        let scores = scores.as_slice()?.to_vec();
        self.enter(py, |inner| {
            check_length(inner, scores.len())?;
            inner.engine.scheduler.answer_score(&scores);
            Ok(())
        })
    }
}

impl Columns {
    /// Brings the arrays up to date.
    fn follow(
        &mut self,
        py: Python,
        changes: Option<&[(usize, Vec<i64>)]>,
        position: u64,
    ) -> PyResult<()> {
        self.read = Some(position);
        let Some(changes) = changes else {
            self.epoch += 1;
            self.kinds.clear();
            self.arrays.clear();
            return Ok(());
        };
        if changes.is_empty() {
            return Ok(());
        }
        for (at, array) in self.arrays.iter().enumerate() {
            let mut array = array.bind(py).try_readwrite()?;
            let array = array.as_slice_mut()?;
            for (node, values) in changes {
                array[*node] = values[at];
            }
        }
        Ok(())
    }
}

fn poisoned() -> PyErr {
    PyRuntimeError::new_err("the columns of nodes were left in the middle of a change")
}

fn nodes(inner: &Inner) -> &Nodes {
    &inner.engine.scheduler.cache().nodes
}

/// A view that Python cannot write to.
fn read_only(array: Bound<'_, PyArray1<i64>>) -> PyResult<Bound<'_, PyAny>> {
    let py = array.py();
    let view = array.get_item(PySlice::full(py))?;
    let options = PyDict::new(py);
    options.set_item("write", false)?;
    view.call_method("setflags", (), Some(&options))?;
    Ok(view)
}

/// The question, and what changed in these columns since the journal was read.
fn ask(inner: &Inner, read: Option<u64>, kinds: &[NodeColumn]) -> Option<Asked> {
    let scheduler = &inner.engine.scheduler;
    let question = scheduler.question()?;
    let nodes = nodes(inner);
    let store = &inner.engine.store;
    let info = scheduler.cache().info(question.pod.slot);
    let namespace = info.namespace.map_or("", |namespace| store.strings.text(namespace));
    let name = store.name(question.pod).unwrap_or_default().to_string();
    let requests = info.requests.asked.iter().map(|(name, amount)| (name.to_owned(), amount));
    // An object that came, went or changed ends the epoch.
    let is_object = |change: &Change| matches!(change.what, What::Object);
    let changes = read.and_then(|read| nodes.journal.since(read));
    let changes = changes.filter(|changes| !changes.iter().any(is_object)).map(|changes| {
        let changed = changes.iter().map(|change| change.node);
        let row = |id: NodeId| {
            let view = nodes.view(id);
            (id.index(), kinds.iter().map(|kind| kind.of(view, nodes)).collect())
        };
        changed.map(row).collect()
    });
    let numbers = |ids: &mut dyn Iterator<Item = NodeId>| ids.map(|id| id.index() as i64).collect();
    let is_trial = !question.trials.is_empty();
    Some(Asked {
        plugin: question.plugin,
        point: match question.point {
            Point::PreFilter => "pre_filter",
            Point::Filter => "filter",
            _ => "score",
        },
        pod: question.pod.to_bits(),
        facts: (namespace.to_owned(), name, info.priority, requests.collect()),
        nodes: if is_trial {
            numbers(&mut question.trials.iter().map(|trial| trial.id))
        } else {
            numbers(&mut question.nodes.iter().copied())
        },
        is_trial,
        changes,
        position: nodes.journal.position(),
    })
}

/// A column over the trials of the question, or over all nodes; and which.
fn values(inner: &Inner, column: &NodeColumn) -> (Vec<i64>, bool) {
    let nodes = nodes(inner);
    let question: Option<&Question> = inner.engine.scheduler.question();
    let trials = question.map(|question| &question.trials[..]).unwrap_or_default();
    if !trials.is_empty() {
        return (trials.iter().map(|trial| column.of(trial.view(), nodes)).collect(), true);
    }
    let all = (0..nodes.numbers()).map(|at| column.of(nodes.view(NodeId::new(at)), nodes));
    (all.collect(), false)
}

fn label_codes(inner: &Inner, key: &str) -> (Vec<i32>, Vec<String>) {
    let (nodes, sets) = (nodes(inner), &inner.engine.store.sets);
    let value = |at: usize| {
        let spec = nodes.info(NodeId::new(at)).spec.as_ref()?;
        sets.get(spec.labels).value(key)
    };
    let found: Vec<Option<&str>> = (0..nodes.numbers()).map(value).collect();
    let mut values: Vec<&str> = found.iter().flatten().copied().collect();
    values.sort_unstable();
    values.dedup();
    let place = |value: &str| values.binary_search(&value).map_or(-1, |at| at as i32);
    let codes = found.into_iter().map(|value| value.map_or(-1, place)).collect();
    (codes, values.into_iter().map(str::to_owned).collect())
}

fn check_length(inner: &Inner, length: usize) -> PyResult<()> {
    let Some(question) = inner.engine.scheduler.question() else {
        return Err(PyRuntimeError::new_err("no plugin was asked anything"));
    };
    let asked = question.nodes.len() + question.trials.len();
    if asked == length {
        return Ok(());
    }
    Err(value_error(format!("{length} answers about {asked} nodes")))
}

/// Plugins as Python declares them.
pub fn read_plugins(given: &[Value]) -> Result<Vec<UserPlugin>, String> {
    given.iter().map(|plugin| UserPlugin::new(declaration(plugin)?)).collect()
}

fn declaration(given: &Value) -> Result<Declaration, String> {
    let text = |key: &str| Text::from(given.str_at(&[key]).unwrap_or_default());
    let flag = |key: &str| given.get(key).and_then(Value::as_bool).unwrap_or(false);
    let events = given.get("events").and_then(Value::as_list);
    let source = if flag("expression") {
        let (pre_filter, filter, score) = (text("pre_filter"), text("filter"), text("score"));
        Source::Expression { pre_filter, filter, score }
    } else {
        let (pre_filter, filter, score) = (flag("pre_filter"), flag("filter"), flag("score"));
        Source::Elsewhere { pre_filter, filter, score }
    };
    let name = text("name");
    Ok(Declaration {
        weight: given.int_at(&["weight"]).unwrap_or(1),
        normalize: match given.str_at(&["normalize"]).unwrap_or_default() {
            "" => Normalize::None,
            "default" => Normalize::Default,
            "reversed" => Normalize::Reversed,
            other => {
                return Err(format!(
                    "plugin \"{name}\": normalize is None, \"default\" or \"reversed\", not \
                     \"{other}\""
                ));
            }
        },
        name,
        resolvable: flag("resolvable"),
        reason: text("reason"),
        events: events.map(|events| {
            events.iter().filter_map(|event| event.as_str().map(Text::from)).collect()
        }),
        source,
    })
}

fn declaration_to_py<'py>(py: Python<'py>, plugin: &Declaration) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("name", plugin.name.as_str())?;
    dict.set_item("weight", plugin.weight)?;
    let normalize = match plugin.normalize {
        Normalize::None => None,
        Normalize::Default => Some("default"),
        Normalize::Reversed => Some("reversed"),
    };
    dict.set_item("normalize", normalize)?;
    dict.set_item("resolvable", plugin.resolvable)?;
    dict.set_item("reason", plugin.reason.as_str())?;
    let events = plugin.events.as_ref();
    let events = events.map(|events| events.iter().map(Text::as_str).collect::<Vec<&str>>());
    dict.set_item("events", events)?;
    match &plugin.source {
        Source::Expression { pre_filter, filter, score } => {
            dict.set_item("expression", true)?;
            dict.set_item("pre_filter", pre_filter.as_str())?;
            dict.set_item("filter", filter.as_str())?;
            dict.set_item("score", score.as_str())?;
        }
        Source::Elsewhere { pre_filter, filter, score } => {
            dict.set_item("expression", false)?;
            dict.set_item("pre_filter", pre_filter)?;
            dict.set_item("filter", filter)?;
            dict.set_item("score", score)?;
        }
    }
    Ok(dict)
}

//! The verbs of the API on single objects and lists.

use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyList};
use wavetank_core::api::ApiError;
use wavetank_core::api::patch::PatchKind;
use wavetank_core::base::{Text, Value};
use wavetank_core::labels::{FieldSelector, Selector};
use wavetank_core::store::bulk::{Naming, PodChange};
use wavetank_core::store::create::{Strictness, WriteOptions, Written};
use wavetank_core::store::delete::{DeleteOptions, Deleted, Propagation};
use wavetank_core::store::list::{Criteria, ListOptions, Token};
use wavetank_core::store::pod::Phase;
use wavetank_core::store::update::Part;
use wavetank_core::store::{ObjectId, Store};

use crate::convert::{value_from_py, value_to_py};
use crate::error::{api_error, value_error};
use crate::world::{World, kind_id};

type Object<'py> = Bound<'py, PyAny>;
type Keys<'py> = Bound<'py, PyArray1<i64>>;

#[pymethods]
impl World {
    /// Creates an object: `(object, warnings)`.
    #[pyo3(signature = (object, namespace=None, *, dry_run=false, field_validation="Warn"))]
    fn create<'py>(
        &self,
        py: Python<'py>,
        object: &Object,
        namespace: Option<&str>,
        dry_run: bool,
        field_validation: &str,
    ) -> PyResult<(Object<'py>, Vec<String>)> {
        let (object, options) = incoming(object, namespace, dry_run, field_validation)?;
        let written = self.enter(py, |inner| inner.engine.store.create(object, &options));
        finish(py, written)
    }

    /// Puts an object back as a dump has it: `(object, warnings)`.
    #[pyo3(signature = (object, *, field_validation="Warn"))]
    fn restore<'py>(
        &self,
        py: Python<'py>,
        object: &Object,
        field_validation: &str,
    ) -> PyResult<(Object<'py>, Vec<String>)> {
        let (object, options) = incoming(object, None, false, field_validation)?;
        let written =
            self.enter(py, |inner| inner.engine.store.restore(object, options.strictness));
        finish(py, written)
    }

    /// Applies a configuration as kubectl does: `(word, object, warnings)`.
    #[pyo3(signature = (object, namespace=None, *, dry_run=false, field_validation="Warn"))]
    fn apply<'py>(
        &self,
        py: Python<'py>,
        object: &Object,
        namespace: Option<&str>,
        dry_run: bool,
        field_validation: &str,
    ) -> PyResult<(&'static str, Object<'py>, Vec<String>)> {
        let (object, options) = incoming(object, namespace, dry_run, field_validation)?;
        let applied = self.enter(py, |inner| inner.engine.store.apply(&object, &options));
        let (applied, written) = applied.map_err(|error| api_error(&error))?;
        Ok((applied.word(), value_to_py(py, &written.object)?, written.warnings))
    }

    /// Replaces an object: `(object, warnings, changed)`. `part` is "", "status" or "finalize".
    #[pyo3(signature = (object, part="", namespace=None, *, dry_run=false, field_validation="Warn"))]
    fn update<'py>(
        &self,
        py: Python<'py>,
        object: &Object,
        part: &str,
        namespace: Option<&str>,
        dry_run: bool,
        field_validation: &str,
    ) -> PyResult<(Object<'py>, Vec<String>, bool)> {
        let (object, options) = incoming(object, namespace, dry_run, field_validation)?;
        let part = read_part(part)?;
        let written = self.enter(py, |inner| inner.engine.store.update(object, part, &options));
        let written = written.map_err(|error| api_error(&error))?;
        Ok((value_to_py(py, &written.object)?, written.warnings, written.changed))
    }

    /// Patches an object: `(object, warnings, changed)`. `patch_type` is "json", "merge" or
    /// "strategic".
    #[pyo3(signature = (kind, name, patch, patch_type, part="", namespace=None, *, dry_run=false, field_validation="Warn"))]
    fn patch<'py>(
        &self,
        py: Python<'py>,
        kind: usize,
        name: &str,
        patch: &Object,
        patch_type: &str,
        part: &str,
        namespace: Option<&str>,
        dry_run: bool,
        field_validation: &str,
    ) -> PyResult<(Object<'py>, Vec<String>, bool)> {
        let (patch, options) = incoming(patch, namespace, dry_run, field_validation)?;
        let (part, patch_kind) = (read_part(part)?, read_patch_kind(patch_type)?);
        let written = self.enter(py, |inner| {
            let store = &mut inner.engine.store;
            let id = store.require(kind_id(kind), namespace, name)?;
            store.patch(id, &patch, patch_kind, part, &options)
        });
        let written = written.map_err(|error| api_error(&error))?;
        Ok((value_to_py(py, &written.object)?, written.warnings, written.changed))
    }

    /// One object by name.
    #[pyo3(signature = (kind, name, namespace=None))]
    fn get<'py>(
        &self,
        py: Python<'py>,
        kind: usize,
        name: &str,
        namespace: Option<&str>,
    ) -> PyResult<Object<'py>> {
        let found = self.enter(py, |inner| {
            let store = &inner.engine.store;
            let id = store.require(kind_id(kind), namespace, name)?;
            Ok::<_, ApiError>(store.get(id).expect("just found"))
        });
        value_to_py(py, &found.map_err(|error| api_error(&error))?)
    }

    /// The key of an object by name, if it exists.
    #[pyo3(signature = (kind, name, namespace=None))]
    fn find(&self, py: Python, kind: usize, name: &str, namespace: Option<&str>) -> Option<i64> {
        let find = |store: &Store| store.find(kind_id(kind), namespace, name);
        self.enter(py, |inner| find(&inner.engine.store)).map(ObjectId::to_bits)
    }

    /// Objects by key; None for those that are gone.
    fn get_many<'py>(&self, py: Python<'py>, keys: Vec<i64>) -> PyResult<Bound<'py, PyList>> {
        let objects: Vec<Option<Value>> = self.enter(py, |inner| {
            let store = &inner.engine.store;
            keys.iter().map(|key| store.get(store.from_bits(*key)?)).collect()
        });
        let items: PyResult<Vec<_>> = objects
            .iter()
            .map(|object| match object {
                Some(object) => value_to_py(py, object),
                None => Ok(py.None().into_bound(py)),
            })
            .collect();
        PyList::new(py, items?)
    }

    /// One page of a list: `(objects, resource version, continue token, remaining)`.
    #[pyo3(signature = (kind, namespace=None, label_selector=None, field_selector=None, limit=0, token=None))]
    #[expect(clippy::type_complexity, reason = "a tuple unpacked at once in Python")]
    fn list<'py>(
        &self,
        py: Python<'py>,
        kind: usize,
        namespace: Option<&str>,
        label_selector: Option<&str>,
        field_selector: Option<&str>,
        limit: usize,
        token: Option<(u64, String, String)>,
    ) -> PyResult<(Bound<'py, PyList>, u64, Option<(u64, String, String)>, Option<u64>)> {
        let criteria = read_criteria(namespace, label_selector, field_selector)?;
        let options = ListOptions {
            namespace: criteria.namespace,
            labels: criteria.labels,
            fields: criteria.fields,
            limit,
            next: token.map(|(revision, namespace, name)| Token {
                revision,
                last: (namespace.into(), name.into()),
            }),
        };
        let page = self.enter(py, |inner| {
            let store = &mut inner.engine.store;
            let page = store.list(kind_id(kind), &options)?;
            let moment = store.moment(page.revision)?;
            let objects: Vec<Value> =
                page.ids.iter().map(|id| moment.get(*id).expect("listed")).collect();
            Ok::<_, ApiError>((objects, page))
        });
        let (objects, page) = page.map_err(|error| api_error(&error))?;
        let items: PyResult<Vec<_>> =
            objects.iter().map(|object| value_to_py(py, object)).collect();
        let next = page
            .next
            .map(|token| (token.revision, token.last.0.to_string(), token.last.1.to_string()));
        Ok((PyList::new(py, items?)?, page.revision, next, page.remaining))
    }

    /// Keys of the matching objects, in slot order.
    #[pyo3(signature = (kind, namespace=None, label_selector=None, field_selector=None))]
    fn matching<'py>(
        &self,
        py: Python<'py>,
        kind: usize,
        namespace: Option<&str>,
        label_selector: Option<&str>,
        field_selector: Option<&str>,
    ) -> PyResult<Keys<'py>> {
        let criteria = read_criteria(namespace, label_selector, field_selector)?;
        let ids = self.enter(py, |inner| inner.engine.store.matching(kind_id(kind), &criteria));
        Ok(to_keys(py, &ids))
    }

    /// Deletes an object: `(gone, object)`; not gone means marked.
    #[pyo3(signature = (kind, name, namespace=None, *, grace_seconds=None, propagation=None, uid=None, resource_version=None, dry_run=false))]
    fn delete<'py>(
        &self,
        py: Python<'py>,
        kind: usize,
        name: &str,
        namespace: Option<&str>,
        grace_seconds: Option<i64>,
        propagation: Option<&str>,
        uid: Option<String>,
        resource_version: Option<String>,
        dry_run: bool,
    ) -> PyResult<(bool, Object<'py>)> {
        let propagation = propagation.map(Propagation::parse).transpose().map_err(value_error)?;
        let options =
            DeleteOptions { grace_seconds, propagation, uid, revision: resource_version, dry_run };
        let deleted = self.enter(py, |inner| {
            let store = &mut inner.engine.store;
            let id = store.require(kind_id(kind), namespace, name)?;
            store.delete(id, &options)
        });
        match deleted.map_err(|error| api_error(&error))? {
            Deleted::Gone(object) => Ok((true, value_to_py(py, &object)?)),
            Deleted::Marked(object) => Ok((false, value_to_py(py, &object)?)),
        }
    }

    /// Deletes objects by key; returns how many were there.
    #[pyo3(signature = (keys, *, grace_seconds=None, propagation=None))]
    fn delete_many(
        &self,
        py: Python,
        keys: PyReadonlyArray1<i64>,
        grace_seconds: Option<i64>,
        propagation: Option<&str>,
    ) -> PyResult<usize> {
        let propagation = propagation.map(Propagation::parse).transpose().map_err(value_error)?;
        let options = DeleteOptions { grace_seconds, propagation, ..DeleteOptions::default() };
        let keys = keys.as_slice()?.to_vec();
        let deleted = self.enter(py, |inner| {
            let store = &mut inner.engine.store;
            let ids: Vec<ObjectId> = keys.iter().filter_map(|key| store.from_bits(*key)).collect();
            store.delete_many(&ids, &options)
        });
        deleted.map_err(|error| api_error(&error))
    }

    /// Creates many objects from one template; their keys. Named by the template's
    /// `generateName` (`count`), by a prefix and numbers (`prefix`, `count`), or by `names`.
    #[pyo3(signature = (template, namespace=None, *, count=0, prefix=None, names=None, field_validation="Warn"))]
    fn create_many<'py>(
        &self,
        py: Python<'py>,
        template: &Object,
        namespace: Option<&str>,
        count: usize,
        prefix: Option<&str>,
        names: Option<Vec<String>>,
        field_validation: &str,
    ) -> PyResult<Keys<'py>> {
        let (template, options) = incoming(template, namespace, false, field_validation)?;
        let naming = match (names, prefix) {
            (Some(names), _) => Naming::Names(names.into_iter().map(Text::from).collect()),
            (None, Some(prefix)) => Naming::Numbered(prefix.into(), 0..count),
            (None, None) => Naming::Generated(count),
        };
        let created =
            self.enter(py, |inner| inner.engine.store.create_many(template, &naming, &options));
        Ok(to_keys(py, &created.map_err(|error| api_error(&error))?))
    }

    /// Changes the runtime state of pods by key; returns how many changed.
    #[pyo3(signature = (keys, *, phase=None, ready=None, exit_code=None))]
    fn change_pods(
        &self,
        py: Python,
        keys: PyReadonlyArray1<i64>,
        phase: Option<&str>,
        ready: Option<bool>,
        exit_code: Option<i16>,
    ) -> PyResult<usize> {
        let phase = phase
            .map(|name| {
                Phase::parse(name)
                    .ok_or_else(|| value_error(format!("no such pod phase: {name:?}")))
            })
            .transpose()?;
        let keys = keys.as_slice()?.to_vec();
        Ok(self.enter(py, |inner| {
            let store = &mut inner.engine.store;
            let ids: Vec<ObjectId> = keys.iter().filter_map(|key| store.from_bits(*key)).collect();
            store.change_pods(&ids, PodChange { phase, ready, exit_code })
        }))
    }

    /// Binds a pod to a node: the `binding` subresource.
    fn bind(&self, py: Python, namespace: &str, name: &str, node: &str) -> PyResult<()> {
        let bound = self.enter(py, |inner| {
            let store = &mut inner.engine.store;
            let id = store.require(store.kinds.pod, Some(namespace), name)?;
            store.bind(id, node)
        });
        bound.map_err(|error| api_error(&error))
    }
}

/// Ids as a NumPy array of keys.
pub fn to_keys<'py>(py: Python<'py>, ids: &[ObjectId]) -> Keys<'py> {
    ids.iter().map(|id| id.to_bits()).collect::<Vec<i64>>().into_pyarray(py)
}

/// What a list or watch is asked for.
pub fn read_criteria(
    namespace: Option<&str>,
    label_selector: Option<&str>,
    field_selector: Option<&str>,
) -> PyResult<Criteria> {
    let bad = |what: &str, error: &dyn std::fmt::Display| {
        api_error(&ApiError::bad_request(format!("{what}{error}")))
    };
    let labels = label_selector
        .filter(|text| !text.is_empty())
        .map(Selector::parse)
        .transpose()
        .map_err(|error| bad("", &error))?;
    let fields = FieldSelector::parse(field_selector.unwrap_or_default())
        .map_err(|error| bad("", &error))?;
    Ok(Criteria { namespace: namespace.map(Into::into), labels, fields })
}

/// How strict a write is with unknown fields, by the API's word.
pub fn read_strictness(word: &str) -> PyResult<Strictness> {
    match word {
        "Ignore" => Ok(Strictness::Ignore),
        "Warn" => Ok(Strictness::Warn),
        "Strict" => Ok(Strictness::Strict),
        _ => Err(value_error(format!("field_validation is Ignore, Warn or Strict, not {word:?}"))),
    }
}

fn incoming(
    object: &Object,
    namespace: Option<&str>,
    dry_run: bool,
    field_validation: &str,
) -> PyResult<(Value, WriteOptions)> {
    let strictness = read_strictness(field_validation)?;
    let options = WriteOptions { namespace: namespace.map(Into::into), dry_run, strictness };
    Ok((value_from_py(object)?, options))
}

fn finish(py: Python, written: Result<Written, ApiError>) -> PyResult<(Object, Vec<String>)> {
    let written = written.map_err(|error| api_error(&error))?;
    Ok((value_to_py(py, &written.object)?, written.warnings))
}

fn read_part(part: &str) -> PyResult<Part> {
    match part {
        "" => Ok(Part::Whole),
        "status" => Ok(Part::Status),
        "finalize" => Ok(Part::Finalize),
        "resize" => Ok(Part::Resize),
        _ => Err(value_error(format!("no such part of an object: {part:?}"))),
    }
}

fn read_patch_kind(word: &str) -> PyResult<PatchKind> {
    match word {
        "json" => Ok(PatchKind::Json),
        "merge" => Ok(PatchKind::Merge),
        "strategic" => Ok(PatchKind::Strategic),
        _ => Err(value_error(format!("a patch is json, merge or strategic, not {word:?}"))),
    }
}

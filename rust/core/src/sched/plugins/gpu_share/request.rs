//! What a pod asks of GPUs: its annotations, compiled.

use smallvec::SmallVec;

use super::{GPU_COUNT, GPU_INDEX, GPU_MILLI, GPU_MODEL, MILLI};
use crate::base::{Quantity, Text, Value, go_quote};
use crate::store::Body;

/// The highest number of a GPU that an annotation may name, and the most GPUs of a node that
/// count.
pub const MOST_DEVICES: usize = 1024;

/// Numbers of GPUs of one node.
pub type Numbers = SmallVec<[u16; 8]>;

/// What a pod asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct GpuRequest {
    /// How many GPUs.
    pub count: u32,
    /// Thousandths of each: a thousand, or less of a single one.
    pub milli: i64,
    /// Models it can use, sorted; any when empty.
    pub models: SmallVec<[Text; 1]>,
    /// The GPUs it got, or insists on while it waits.
    pub devices: Numbers,
    /// What is wrong with the annotations; such a pod is not scheduled and holds nothing.
    pub fault: Option<Text>,
}

impl GpuRequest {
    /// What the pod with this body asks for; nothing when it asks for no GPU.
    pub fn read(body: &Body) -> Option<Box<Self>> {
        let annotations = body.meta.get("annotations")?;
        let text = |key: &str| annotations.get(key).and_then(Value::as_str).unwrap_or_default();
        let (milli, count, index) = (text(GPU_MILLI), text(GPU_COUNT), text(GPU_INDEX));
        if milli.is_empty() && count.is_empty() {
            return None;
        }
        let models = models(text(GPU_MODEL));
        let request = match amounts(milli, count) {
            Ok((0, 0)) => return None,
            Ok((count, milli)) => match numbers(index, count) {
                Ok(devices) => Self { count, milli, models, devices, fault: None },
                Err(fault) => Self { fault: Some(fault), ..Self::default() },
            },
            Err(fault) => Self { fault: Some(fault), ..Self::default() },
        };
        Some(Box::new(request))
    }

    /// Whether it asks for a part of one GPU.
    pub fn shares(&self) -> bool {
        self.milli < MILLI
    }

    /// Thousandths of all GPUs together.
    pub fn total_milli(&self) -> i64 {
        i64::from(self.count) * self.milli
    }

    /// Whether a GPU of this model will do. A node that does not say its model has none that a
    /// pod could name.
    pub fn admits(&self, model: &str) -> bool {
        self.models.is_empty() || self.models.iter().any(|wanted| wanted == model)
    }

    /// The same request with these GPUs.
    pub fn with_devices(&self, devices: &[u16]) -> Self {
        Self { devices: Numbers::from_slice(devices), ..self.clone() }
    }
}

/// The models of a list like `V100M16|V100M32`: names may be missing or occur twice.
pub fn models(text: &str) -> SmallVec<[Text; 1]> {
    let mut models: SmallVec<[Text; 1]> =
        text.split('|').filter(|model| !model.is_empty()).map(Text::from).collect();
    models.sort_unstable();
    models.dedup();
    models
}

/// How many GPUs, and thousandths of each.
fn amounts(milli: &str, count: &str) -> Result<(u32, i64), Text> {
    let fault = |key: &str, value: &str, why: &str| {
        Err(Text::from(format!("annotation {key} of the pod: {}: {why}", go_quote(value))))
    };
    let Some(each) = whole(milli) else {
        return fault(GPU_MILLI, milli, "not a whole number");
    };
    if !(0..=MILLI).contains(&each) {
        return fault(GPU_MILLI, milli, "not in valid range [0, 1000]");
    }
    let gpus = if count.is_empty() { Some(0) } else { count.parse::<u32>().ok() };
    let Some(gpus) = gpus.filter(|gpus| *gpus as usize <= MOST_DEVICES) else {
        return fault(GPU_COUNT, count, "not a number of GPUs in valid range [0, 1024]");
    };
    match (gpus, each) {
        (0, 1..) => fault(GPU_COUNT, count, "some of a GPU is asked for, but of none"),
        (1.., 0) => fault(GPU_MILLI, milli, "GPUs are asked for, but nothing of them"),
        (2.., 1..MILLI) => fault(GPU_MILLI, milli, "several GPUs can only be asked for whole"),
        _ => Ok((gpus, each)),
    }
}

/// The whole number a quantity stands for; zero when there is none.
fn whole(text: &str) -> Option<i64> {
    if text.is_empty() {
        return Some(0);
    }
    Quantity::parse(text).ok()?.as_i64()
}

/// The GPUs an annotation names: as many as are asked for, none of them twice.
fn numbers(text: &str, count: u32) -> Result<Numbers, Text> {
    if text.is_empty() {
        return Ok(Numbers::new());
    }
    let number = |word: &str| word.parse::<u16>().ok().filter(|at| usize::from(*at) < MOST_DEVICES);
    let numbers: Option<Numbers> = text.split('-').map(number).collect();
    let distinct = |numbers: &Numbers| {
        numbers.iter().enumerate().all(|(at, number)| !numbers[..at].contains(number))
    };
    let found = numbers.filter(|numbers| numbers.len() == count as usize && distinct(numbers));
    found.ok_or_else(|| {
        let gpus = if count == 1 { "GPU" } else { "different GPUs" };
        format!("annotation {GPU_INDEX} of the pod: {}: not {count} {gpus}", go_quote(text)).into()
    })
}

//! The pods expected on a cluster, and how much of a node's GPUs they could not use.
//!
//! A pod that comes next is one of the typical pods, each with its probability. What it could
//! not use of a node's GPUs if it came there is a fragment: everything that is left when the
//! node will not do (not enough cpu, too few GPUs with enough left, another model, or the pod
//! asks for no GPU), and otherwise what is left of those GPUs that have too little for it. The
//! fragmentation of a node is the expected fragment (section 4 of the paper;
//! `pkg/utils/frag.go` of its simulator).
//!
//! Probabilities are numbers of pods here and fragmentation is a whole number: thousandths of
//! GPUs times pods. Adding up fractions, two equal sums may differ in the last bit, and the
//! score would be another.
//!
//! # How it is fast
//!
//! Nodes are asked about again and again, each for one changed number. Of everything left,
//! `pods * left` in all, what is *not* a fragment is subtracted. A typical pod with one GPU can
//! use each GPU with enough left, whatever the others have; so GPUs add up, and what one adds is
//! a table by its thousandths, for those pods that the cpu suffices for. Typical pods with
//! several GPUs ask for whole ones; how many of them find enough is a table by the number of
//! free GPUs.

use std::collections::BTreeMap;

use smallvec::SmallVec;

use crate::base::Text;
use crate::base::float::go_log;
use crate::sched::plugins::gpu_share::MILLI;

/// The share of pods that typical pods stand for, at least: `podPopularityThreshold`, percent.
pub const POPULARITY: i64 = 95;
/// The most pods that can be expected, so that sums stay in range.
pub const MOST_PODS: i64 = 1_000_000_000_000;

/// A kind of pod: what fragmentation needs to know of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spec {
    /// Thousandths of a core.
    pub cpu_milli: i64,
    /// Thousandths of each GPU.
    pub gpu_milli: i64,
    /// How many GPUs.
    pub gpus: u32,
    /// Models it can use, sorted; any when empty.
    pub models: SmallVec<[Text; 1]>,
}

/// Kinds of pods with how many there are of each.
pub type Counted = BTreeMap<Spec, i64>;

/// The pods expected; see the module header.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TypicalPods {
    /// The most frequent first.
    specs: Vec<(Spec, i64)>,
    /// How many pods in all.
    pods: i64,
    /// What applies to nodes of each model that some pod names, and to those of all others.
    tables: Vec<(Text, Table)>,
    others: Table,
    /// Falls of fragmentation from which on a node scores 1, 2, ... 99.
    steps: Vec<f64>,
}

/// The pods that can use the GPUs of one model, by what they ask for.
#[derive(Clone, Debug, Default, PartialEq)]
struct Table {
    /// Different cpu requests, rising; a rank is how many of them suffice.
    cpus: Vec<i64>,
    /// Different thousandths asked of a single GPU, rising.
    millis: Vec<i64>,
    /// How many of `millis` a GPU with so many thousandths left has enough for.
    reach: Vec<u8>,
    /// By rank and reach: pods with one GPU.
    single: Vec<i64>,
    /// The most GPUs any pod asks for.
    most: usize,
    /// By rank and free GPUs: pods with several.
    several: Vec<i64>,
}

impl TypicalPods {
    /// The most frequent of these pods that together make up `popularity` percent of all. Of
    /// equally frequent ones the larger go first.
    pub fn new(counted: &Counted, popularity: i64) -> Self {
        let mut specs: Vec<(Spec, i64)> =
            counted.iter().map(|(spec, pods)| (spec.clone(), *pods)).collect();
        specs.sort_by(|(a, many), (b, more)| more.cmp(many).then_with(|| larger_first(a, b)));
        let all: i64 = specs.iter().map(|(_, pods)| pods).sum();
        let mut pods = 0;
        let enough = specs.iter().position(|(_, count)| {
            let done = i128::from(pods) * 100 >= i128::from(all) * i128::from(popularity);
            pods += if done { 0 } else { *count };
            done
        });
        specs.truncate(enough.unwrap_or(specs.len()));
        let mut models: Vec<Text> =
            specs.iter().flat_map(|(spec, _)| spec.models.iter().cloned()).collect();
        models.sort_unstable();
        models.dedup();
        let table = |model: &str| Table::new(&specs, model);
        let tables = models.iter().map(|model| (model.clone(), table(model))).collect();
        Self { tables, others: table(""), steps: steps(pods), pods, specs }
    }

    /// The kinds, the most frequent first, with how many pods there are of each.
    pub fn specs(&self) -> &[(Spec, i64)] {
        &self.specs
    }

    /// How many pods in all.
    pub fn pods(&self) -> i64 {
        self.pods
    }

    /// The score for a fall of fragmentation, counted as it is counted here.
    pub fn score(&self, fall: i64) -> i64 {
        let fall = fall as f64;
        self.steps.partition_point(|step| *step <= fall) as i64
    }

    /// How to tell the fragmentation of nodes of a model.
    pub fn on(&self, model: &str) -> Fragments<'_> {
        let own = self.tables.iter().find(|(have, _)| have == model);
        Fragments { table: own.map_or(&self.others, |(_, table)| table), pods: self.pods }
    }
}

/// `100 * sigmoid(x)` reaches `s` where `x`, in GPUs, reaches `ln(s / (100 - s))`. Comparing with
/// that needs no function whose last bit depends on the machine.
fn steps(pods: i64) -> Vec<f64> {
    let gpu = (pods.max(1) * MILLI) as f64;
    let reached_at = |score: i32| go_log(f64::from(score) / f64::from(100 - score));
    (1..100).map(|score| gpu * reached_at(score)).collect()
}

fn larger_first(a: &Spec, b: &Spec) -> std::cmp::Ordering {
    b.cmp(a)
}

impl Table {
    fn new(specs: &[(Spec, i64)], model: &str) -> Self {
        let can = |spec: &Spec| {
            spec.models.is_empty() || spec.models.iter().any(|wanted| wanted == model)
        };
        let users = || {
            let with_gpus = specs.iter().filter(|(spec, _)| spec.gpus > 0 && spec.gpu_milli > 0);
            with_gpus.filter(|(spec, _)| can(spec))
        };
        let rising = |values: Vec<i64>| {
            let mut values = values;
            values.sort_unstable();
            values.dedup();
            values
        };
        let cpus = rising(users().map(|(spec, _)| spec.cpu_milli).collect());
        let singles = || users().filter(|(spec, _)| spec.gpus == 1);
        let millis = rising(singles().map(|(spec, _)| spec.gpu_milli).collect());
        let most = users().map(|(spec, _)| spec.gpus as usize).max().unwrap_or(0);
        let reach = |left: i64| millis.partition_point(|milli| *milli <= left) as u8;
        let mut table = Self {
            reach: (0..=MILLI).map(reach).collect(),
            single: Vec::with_capacity((cpus.len() + 1) * (millis.len() + 1)),
            several: Vec::with_capacity((cpus.len() + 1) * (most + 1)),
            cpus,
            millis,
            most,
        };
        for rank in 0..=table.cpus.len() {
            let suffices = |spec: &Spec| rank > 0 && spec.cpu_milli <= table.cpus[rank - 1];
            for reach in 0..=table.millis.len() {
                let most = reach.checked_sub(1).map_or(0, |at| table.millis[at]);
                let able = singles().filter(|(spec, _)| suffices(spec) && spec.gpu_milli <= most);
                table.single.push(able.map(|(_, pods)| pods).sum());
            }
            for free in 0..=table.most {
                let able = users().filter(|(spec, _)| {
                    spec.gpus > 1 && suffices(spec) && spec.gpus as usize <= free
                });
                table.several.push(able.map(|(_, pods)| pods).sum());
            }
        }
        table
    }
}

/// The fragmentation of nodes of one model.
#[derive(Clone, Copy)]
pub struct Fragments<'a> {
    table: &'a Table,
    pods: i64,
}

impl<'a> Fragments<'a> {
    /// What holds for nodes with so much cpu left.
    #[inline]
    pub fn with_cpu(self, cpu_milli: i64) -> WithCpu<'a> {
        let Table { cpus, millis, single, several, most, reach } = self.table;
        let rank = cpus.partition_point(|cpu| *cpu <= cpu_milli);
        let (singles, multiples) = (millis.len() + 1, most + 1);
        WithCpu {
            reach,
            single: &single[rank * singles..][..singles],
            several: &several[rank * multiples..][..multiples],
            pods: self.pods,
        }
    }
}

/// The fragmentation of nodes of one model and with so much cpu left.
#[derive(Clone, Copy)]
pub struct WithCpu<'a> {
    reach: &'a [u8],
    single: &'a [i64],
    several: &'a [i64],
    pods: i64,
}

impl WithCpu<'_> {
    /// What one GPU with so many thousandths left adds, as far as pods with one GPU go.
    #[inline]
    pub fn of_gpu(&self, left: i64) -> i64 {
        left * (self.pods - self.single[usize::from(self.reach[left as usize])])
    }

    /// What so many free GPUs take off again, for the pods with several GPUs that can use them.
    #[inline]
    pub fn of_free(&self, free: usize) -> i64 {
        free as i64 * MILLI * self.several[free.min(self.several.len() - 1)]
    }

    /// The fragmentation of a node whose GPUs have so much left each.
    #[inline]
    pub fn of(&self, left: impl Iterator<Item = i64>) -> i64 {
        let (mut sum, mut free) = (0, 0);
        for left in left {
            sum += self.of_gpu(left);
            free += usize::from(left == MILLI);
        }
        sum - self.of_free(free)
    }
}

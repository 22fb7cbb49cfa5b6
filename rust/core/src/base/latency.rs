//! How long things take: one distribution per step of a pod's life, and two presets.
//!
//! Figures of the `default` preset come from the sources listed in docs/latencies.md; no
//! distribution ever yields a negative time.

use serde::{Deserialize, Serialize};

use super::{Nanos, Stream};

/// A distribution of virtual durations.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Latency {
    /// Always the same.
    Constant(Nanos),
    /// Uniform between two durations, both included.
    Uniform(Nanos, Nanos),
    /// Log-normal with this median and this sigma of the logarithm.
    LogNormal(Nanos, f64),
}

impl Latency {
    /// No time at all.
    pub const ZERO: Self = Self::Constant(Nanos::ZERO);

    /// One draw. A constant draws nothing from the stream.
    pub fn sample(&self, stream: &mut Stream) -> Nanos {
        match *self {
            Self::Constant(nanos) => nanos,
            Self::Uniform(low, high) => {
                Nanos(low.0 + stream.below((high.0 - low.0) as u64 + 1) as i64)
            }
            Self::LogNormal(median, sigma) => {
                Nanos((median.0 as f64 * (sigma * stream.normal()).exp()) as i64)
            }
        }
    }

    /// Whether every draw is zero.
    pub fn is_zero(&self) -> bool {
        matches!(self, Self::Constant(Nanos(0)) | Self::Uniform(Nanos(0), Nanos(0)))
    }

    /// Checks bounds: nothing negative, `low <= high`, sigma finite.
    ///
    /// # Errors
    /// A sentence naming the fault.
    pub fn validate(&self) -> Result<(), String> {
        let fault = match *self {
            Self::Constant(nanos) if nanos.0 < 0 => "a latency must not be negative",
            Self::Uniform(low, _) if low.0 < 0 => "a latency must not be negative",
            Self::Uniform(low, high) if low > high => "a uniform latency wants low <= high",
            Self::LogNormal(median, _) if median.0 < 0 => "a latency must not be negative",
            Self::LogNormal(_, sigma) if !(sigma.is_finite() && sigma >= 0.0) => {
                "sigma must be a finite number, at least 0"
            }
            _ => return Ok(()),
        };
        Err(fault.to_owned())
    }
}

/// Every latency of a cluster; presets [`Latencies::ideal`] and [`Latencies::realistic`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Latencies {
    /// One mutating call to the API server, as its caller waits for it.
    pub api_write: Latency,
    /// From a write to the moment a watching component sees it.
    pub watch_delay: Latency,
    /// One scheduling cycle; cycles are serial.
    pub scheduling_cycle: Latency,
    /// Creation of a pod's sandbox and network.
    pub sandbox_start: Latency,
    /// The fixed part of pulling one image.
    pub image_pull: Latency,
    /// Image bytes per second on one node; 0 makes size irrelevant.
    pub image_pull_bytes_per_second: i64,
    /// Size assumed for an image nobody declared, in bytes.
    pub image_bytes_assumed: i64,
    /// Start of one container.
    pub container_start: Latency,
    /// From a container's change to the kubelet noticing it.
    pub status_detection: Latency,
    /// From asking a pod to stop to its containers being gone, at most its grace period.
    pub container_stop: Latency,
    /// From adding a node to it being Ready.
    pub node_boot: Latency,
}

impl Latencies {
    /// Nothing takes any time: what a capacity question wants.
    pub fn ideal() -> Self {
        Self {
            api_write: Latency::ZERO,
            watch_delay: Latency::ZERO,
            scheduling_cycle: Latency::ZERO,
            sandbox_start: Latency::ZERO,
            image_pull: Latency::ZERO,
            image_pull_bytes_per_second: 0,
            image_bytes_assumed: 0,
            container_start: Latency::ZERO,
            status_detection: Latency::ZERO,
            container_stop: Latency::ZERO,
            node_boot: Latency::ZERO,
        }
    }

    /// The preset called `default`: a healthy cloud cluster, images pulled once per node.
    pub fn realistic() -> Self {
        let ms = Nanos::from_millis;
        Self {
            api_write: Latency::Uniform(ms(5), ms(20)),
            watch_delay: Latency::Uniform(ms(5), ms(50)),
            scheduling_cycle: Latency::Uniform(ms(2), ms(10)),
            sandbox_start: Latency::LogNormal(ms(500), 0.3),
            image_pull: Latency::Constant(ms(500)),
            image_pull_bytes_per_second: 40_000_000,
            image_bytes_assumed: 150_000_000,
            container_start: Latency::Constant(ms(300)),
            status_detection: Latency::Uniform(ms(0), ms(1000)),
            container_stop: Latency::LogNormal(ms(1000), 0.5),
            node_boot: Latency::LogNormal(Nanos::from_secs(45), 0.3),
        }
    }

    /// Whether images are at hand at once.
    pub fn pulls_take_no_time(&self) -> bool {
        self.image_pull.is_zero() && self.image_pull_bytes_per_second == 0
    }

    /// A preset by name.
    ///
    /// # Errors
    /// A sentence naming the presets.
    pub fn preset(name: &str) -> Result<Self, String> {
        match name {
            "ideal" => Ok(Self::ideal()),
            "default" => Ok(Self::realistic()),
            _ => Err(format!("unknown latency preset {name:?}: want \"ideal\" or \"default\"")),
        }
    }

    /// The distributions by name, for reading and replacing.
    pub fn fields_mut(&mut self) -> [(&'static str, &mut Latency); 9] {
        [
            ("api_write", &mut self.api_write),
            ("watch_delay", &mut self.watch_delay),
            ("scheduling_cycle", &mut self.scheduling_cycle),
            ("sandbox_start", &mut self.sandbox_start),
            ("image_pull", &mut self.image_pull),
            ("container_start", &mut self.container_start),
            ("status_detection", &mut self.status_detection),
            ("container_stop", &mut self.container_stop),
            ("node_boot", &mut self.node_boot),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::{Latencies, Latency};
    use crate::base::{Nanos, Streams};

    #[test]
    fn the_ideal_preset_takes_no_time_and_draws_nothing() {
        let mut stream = Streams::new(1).stream("test");
        let before = stream.clone();
        for (name, latency) in Latencies::ideal().fields_mut() {
            assert_eq!(latency.sample(&mut stream), Nanos::ZERO, "{name}");
        }
        assert_eq!(stream, before);
    }

    #[test]
    fn draws_stay_in_range_and_around_the_median() {
        let mut stream = Streams::new(1).stream("test");
        let uniform = Latency::Uniform(Nanos(5), Nanos(7));
        assert!((0..1000).all(|_| (5..=7).contains(&uniform.sample(&mut stream).0)));
        let log_normal = Latency::LogNormal(Nanos(1_000_000), 0.5);
        let below = (0..10_000).filter(|_| log_normal.sample(&mut stream).0 < 1_000_000).count();
        assert!((4_800..5_200).contains(&below), "{below} of 10,000 below the median");
    }

    #[test]
    fn nonsense_is_refused_in_a_sentence() {
        for latency in [
            Latency::Constant(Nanos(-1)),
            Latency::Uniform(Nanos(3), Nanos(2)),
            Latency::LogNormal(Nanos(1), f64::NAN),
        ] {
            assert!(latency.validate().is_err(), "{latency:?}");
        }
        assert!(Latencies::preset("fast").unwrap_err().contains("\"ideal\""));
    }
}

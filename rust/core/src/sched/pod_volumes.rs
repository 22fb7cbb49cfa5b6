//! The volumes of a pod that scheduling asks about: claims, and disks that not everybody can
//! have at the same time.

use smallvec::SmallVec;

use crate::base::{Text, Value};

/// One volume of a pod; see the module header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PodVolume {
    /// `persistentVolumeClaim`: the claim's name.
    Claim(Text),
    /// `ephemeral`: the volume's name. Its claim is named after the pod and this.
    Ephemeral(Text),
    /// A disk named in the pod itself.
    Disk(Disk),
}

/// A disk named in a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disk {
    /// Of what kind it is.
    pub kind: DiskKind,
    /// What it is known by: two disks of one kind and name are one.
    pub name: Text,
    /// For RBD, who serves it.
    pub monitors: SmallVec<[Text; 0]>,
    /// Whether it is only read.
    pub read_only: bool,
}

/// The kinds of disks pods can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskKind {
    /// `gcePersistentDisk`.
    Gce,
    /// `awsElasticBlockStore`.
    Ebs,
    /// `iscsi`.
    Iscsi,
    /// `rbd`.
    Rbd,
}

impl Disk {
    /// Whether two pods cannot use the same disk like this.
    pub fn conflicts(&self, other: &Self) -> bool {
        let both_read = self.read_only && other.read_only;
        let served_alike = self.kind != DiskKind::Rbd
            || self.monitors.iter().any(|monitor| other.monitors.contains(monitor));
        self.kind == other.kind
            && self.name == other.name
            && served_alike
            && (self.kind == DiskKind::Ebs || !both_read)
    }
}

impl PodVolume {
    /// Reads `spec.volumes`.
    pub fn read_list(spec: &Value) -> SmallVec<[Self; 0]> {
        spec.list_at(&["volumes"]).iter().filter_map(Self::read).collect()
    }

    fn read(volume: &Value) -> Option<Self> {
        let present = |field: &str| volume.get(field).filter(|value| !value.is_null());
        if let Some(claim) = present("persistentVolumeClaim") {
            return Some(Self::Claim(claim.str_at(&["claimName"]).unwrap_or_default().into()));
        }
        if present("ephemeral").is_some() {
            return Some(Self::Ephemeral(volume.str_at(&["name"]).unwrap_or_default().into()));
        }
        let disks = [
            ("gcePersistentDisk", DiskKind::Gce, "pdName"),
            ("awsElasticBlockStore", DiskKind::Ebs, "volumeID"),
            ("iscsi", DiskKind::Iscsi, "iqn"),
            ("rbd", DiskKind::Rbd, "image"),
        ];
        disks.into_iter().find_map(|(field, kind, key)| {
            let source = present(field)?;
            let word = |key: &str| source.str_at(&[key]).unwrap_or_default();
            let name = match kind {
                DiskKind::Rbd => {
                    let pool = source.str_at(&["pool"]).unwrap_or("rbd");
                    Text::from(format!("{pool}/{}", word(key)))
                }
                _ => word(key).into(),
            };
            let monitors = source.list_at(&["monitors"]).iter().filter_map(Value::as_str);
            Some(Self::Disk(Disk {
                kind,
                name,
                monitors: monitors.map(Text::from).collect(),
                read_only: source.get("readOnly").and_then(Value::as_bool).unwrap_or(false),
            }))
        })
    }

    /// The name of the claim of a pod's volume; nothing for a disk.
    pub fn claim_of(&self, pod: &str) -> Option<Text> {
        match self {
            Self::Claim(name) => Some(name.clone()),
            Self::Ephemeral(volume) => Some(format!("{pod}-{volume}").into()),
            Self::Disk(_) => None,
        }
    }
}

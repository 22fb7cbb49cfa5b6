//! Where in an object something is, printed as Kubernetes prints it:
//! `spec.containers[0].image`, `metadata.annotations[a.b/c]`.
//!
//! A path borrows its parent, so walking down an object costs no allocation until an error
//! is printed.

use std::fmt;

/// A place in an object: a chain of borrowed steps from the root.
#[derive(Clone, Copy, Debug)]
pub struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Step<'a> {
    Root,
    Field(&'a str),
    Index(usize),
    Key(&'a str),
}

impl<'a> Path<'a> {
    /// The object itself. Kubernetes prints it as `<nil>`; its children print bare.
    pub const ROOT: Path<'static> = Path { parent: None, step: Step::Root };

    /// A field of the object itself.
    pub const fn new(field: &'a str) -> Self {
        Self { parent: None, step: Step::Field(field) }
    }

    /// The field `name` of what stands here.
    pub const fn child<'b>(&'b self, name: &'b str) -> Path<'b>
    where
        'a: 'b,
    {
        Path { parent: Some(self), step: Step::Field(name) }
    }

    /// Item `index` of the list that stands here.
    pub const fn index<'b>(&'b self, index: usize) -> Path<'b>
    where
        'a: 'b,
    {
        Path { parent: Some(self), step: Step::Index(index) }
    }

    /// The entry `key` of the map that stands here.
    pub const fn key<'b>(&'b self, key: &'b str) -> Path<'b>
    where
        'a: 'b,
    {
        Path { parent: Some(self), step: Step::Key(key) }
    }

    /// Where this is a field, item or entry of; nothing for the object itself and its fields.
    pub fn parent(&self) -> Option<&'a Path<'a>> {
        self.parent
    }

    /// Whether this is the object itself.
    pub const fn is_root(&self) -> bool {
        matches!(self.step, Step::Root)
    }

    fn write(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let parent = self.parent.filter(|parent| !parent.is_root());
        if let Some(parent) = parent {
            parent.write(f)?;
        }
        match self.step {
            Step::Root => Ok(()),
            Step::Field(name) if parent.is_some() => write!(f, ".{name}"),
            Step::Field(name) => f.write_str(name),
            Step::Index(index) => write!(f, "[{index}]"),
            Step::Key(key) => write!(f, "[{key}]"),
        }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        if self.is_root() { f.write_str("<nil>") } else { self.write(f) }
    }
}

#[cfg(test)]
mod tests {
    use super::Path;

    #[test]
    fn prints_fields_indexes_and_keys_as_kubernetes_does() {
        let spec = Path::new("spec");
        let containers = spec.child("containers");
        assert_eq!(containers.index(0).child("image").to_string(), "spec.containers[0].image");
        let limits = containers.index(2);
        let limits = limits.child("resources");
        assert_eq!(
            limits.child("limits").key("nvidia.com/gpu").to_string(),
            "spec.containers[2].resources.limits[nvidia.com/gpu]"
        );
    }

    #[test]
    fn the_root_is_nil_and_its_children_print_bare() {
        assert_eq!(Path::ROOT.to_string(), "<nil>");
        assert_eq!(Path::ROOT.child("spec").child("x").to_string(), "spec.x");
        assert_eq!(Path::ROOT.index(3).child("x").to_string(), "[3].x");
    }
}

//! Typed ids: `u32` numbers that cannot be confused, with a niche so that `Option` is free.

/// Defines a `u32` id type over `NonZeroU32`: `Option<Id>` takes four bytes.
#[macro_export]
macro_rules! define_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
        )]
        pub struct $name(std::num::NonZeroU32);

        impl $name {
            /// The id of element `index`.
            #[inline]
            pub fn new(index: usize) -> Self {
                let number = u32::try_from(index + 1).expect("more than 2^32 - 2 elements");
                Self(std::num::NonZeroU32::new(number).expect("index + 1 is not zero"))
            }

            /// The element's position.
            #[inline]
            pub fn index(self) -> usize {
                self.0.get() as usize - 1
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                write!(f, "{}({})", stringify!($name), self.index())
            }
        }
    };
}

#[cfg(test)]
mod tests {
    define_id! {
        /// A test id.
        TestId
    }

    #[test]
    fn an_optional_id_takes_no_more_room_than_the_id() {
        assert_eq!(size_of::<Option<TestId>>(), 4);
        assert_eq!(TestId::new(0).index(), 0);
        assert_eq!(TestId::new(41).index(), 41);
    }
}

//! Why a story ends early.

use crate::{
    rows::{held::Begun, run::Ended},
    state::failure::Failure,
};

/// What ends a story early; `?` carries it to the caller that began the story.
#[derive(Debug)]
pub(crate) enum Stop {
    /// A call failed: the story ends with this failure.
    Failed(Failure),
    /// Another run saved this row first: reload and start over.
    Overtaken,
    /// The story ended so, and what it learnt is saved.
    Ended(Ended),
    /// The story ended and has saved an intent to invite Microsoft, which the caller carries out.
    Invites(Box<Begun>),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Stop::Failed(failure)
    }
}

impl From<Ended> for Stop {
    fn from(ended: Ended) -> Self {
        Stop::Ended(ended)
    }
}

/// The result of a story, or of a part of one.
pub(crate) type Outcome = Result<Ended, Stop>;

//! Plays many stories, each from its seed, and shrinks what breaks to the smallest story that still does.

use crate::{
    generate,
    play::{Outcome, play},
    story::Story,
};
use mapping::CrmKind;
use proptest::{
    strategy::{BoxedStrategy, Strategy, ValueTree},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use std::time::{Duration, Instant};

/// A shrinking ends after so many plays, or so long, with the smallest story by then.
const MOST_PLAYS: u32 = 150;
const MOST_TIME: Duration = Duration::from_secs(90);

/// The stories of one CRM, by seed.
pub struct Teller {
    crm: CrmKind,
    strategy: BoxedStrategy<Story>,
}

impl Teller {
    pub fn new(crm: CrmKind) -> Self {
        Teller { crm, strategy: generate::story(crm) }
    }

    fn tree(&self, seed: u64) -> Box<dyn ValueTree<Value = Story>> {
        let mut bytes = [0; 32];
        for (n, chunk) in bytes.chunks_mut(8).enumerate() {
            chunk.copy_from_slice(&seed.wrapping_mul(4).wrapping_add(n as u64).to_le_bytes());
        }
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        let config = Config { failure_persistence: None, ..Config::default() };
        self.strategy.new_tree(&mut TestRunner::new_with_rng(config, rng)).expect("a story can be drawn")
    }

    /// The story of a seed.
    pub fn story(&self, seed: u64) -> Story {
        self.tree(seed).current()
    }

    pub fn play(&self, seed: u64) -> Outcome {
        play(&self.story(seed), self.crm)
    }

    /// The smallest story found that still breaks in this way.
    pub fn shrink(&self, seed: u64, kind: &str) -> Story {
        let mut tree = self.tree(seed);
        let mut smallest = tree.current();
        let began = Instant::now();
        for _ in 0..MOST_PLAYS {
            if began.elapsed() > MOST_TIME || !tree.simplify() {
                break;
            }
            loop {
                let story = tree.current();
                if play(&story, self.crm).violations.iter().any(|violation| violation.kind == kind) {
                    smallest = story;
                    break;
                }
                if began.elapsed() > MOST_TIME || !tree.complicate() {
                    return smallest;
                }
            }
        }
        smallest
    }
}

//! The one source of chance: a seed makes a schedule, the same seed the same schedule. In a small world it is a script
//! instead: every choice is written down, so that all of them can be walked through.

/// Where choices come from.
#[derive(Clone, Debug)]
pub enum Dice {
    /// A pseudo-random sequence, by the state it has come to.
    Seeded(u64),
    /// Choices made so far and of how many; beyond the end the first one is taken.
    Script {
        /// (chosen, of how many).
        path: Vec<(usize, usize)>,
        /// Where in `path` the next choice stands.
        at: usize,
    },
}

impl Dice {
    /// A schedule of its own for each seed.
    pub fn seeded(seed: u64) -> Self {
        Dice::Seeded(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d)
    }

    /// Choices to be made, and then the first of each.
    pub fn script(path: Vec<(usize, usize)>) -> Self {
        Dice::Script { path, at: 0 }
    }

    /// The choices made so far; of a seed none is written down.
    pub fn taken(&self) -> &[(usize, usize)] {
        match self {
            Dice::Script { path, at } => &path[..*at],
            Dice::Seeded(_) => &[],
        }
    }

    /// Whether choices are written down.
    pub fn is_script(&self) -> bool {
        matches!(self, Dice::Script { .. })
    }

    /// A decision of the schedule: one of `n`.
    pub fn choose(&mut self, n: usize) -> usize {
        match self {
            _ if n <= 1 => 0,
            Dice::Seeded(_) => self.below(n),
            Dice::Script { path, at } => {
                if *at == path.len() {
                    path.push((0, n));
                }
                let chosen = path[*at].0;
                *at += 1;
                chosen
            }
        }
    }

    /// Colour that decides nothing in a small world: below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        match self {
            Dice::Seeded(state) => {
                *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
                let mut z = *state;
                z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                z ^= z >> 31;
                // The high bits are the better ones.
                ((u128::from(z) * n as u128) >> 64) as usize
            }
            Dice::Script { .. } => 0,
        }
    }

    /// So many times in a thousand.
    pub fn chance(&mut self, per_mille: u32) -> bool {
        per_mille > 0 && self.below(1000) < per_mille as usize
    }

    /// From `low` to `high`, both included.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below(usize::try_from(high - low + 1).unwrap_or(1)) as i64
    }

    /// One of these, in a small world the first; panics if there are none.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

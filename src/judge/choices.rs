//! The numbers that a check draws: they follow from a seed, or replay a list.
//!
//! Each number is kept as its distance from the lower end of its range, so that 0 is always the simplest choice. The
//! list of a failure can be shrunk, and is then given to the student as `--case 0.3.1`.

use std::ops::RangeInclusive;

use super::seed::{Numbers, Seed};
use crate::splitmix::{STEP, mix};

/// The most numbers of one check that are kept, and the most in a list to replay.
pub const MAX_NUMBERS: usize = 10_000;

/// Where a check's numbers come from, and which ones it has drawn.
#[derive(Clone, Debug)]
pub struct Choices {
    source: Source,
    /// The numbers drawn so far.
    pub drawn: Vec<u64>,
}

#[derive(Clone, Debug)]
enum Source {
    Seed(Numbers),
    Replay(Vec<u64>),
}

impl Choices {
    /// The numbers of a check that follow from a seed.
    pub fn of_seed(seed: &Seed, exercise: &str, check: &str) -> Choices {
        Choices { source: Source::Seed(seed.numbers(exercise, check)), drawn: Vec::new() }
    }

    /// These numbers, and after them the simplest ones.
    pub fn replay(numbers: Vec<u64>) -> Choices {
        Choices { source: Source::Replay(numbers), drawn: Vec::new() }
    }

    /// A number of this range.
    pub fn draw(&mut self, range: RangeInclusive<u64>) -> u64 {
        let (first, last) = range.into_inner();
        let width = last.saturating_sub(first);
        let at = self.drawn.len();
        let distance = match &self.source {
            Source::Replay(numbers) => numbers.get(at).copied().unwrap_or(0).min(width),
            Source::Seed(numbers) => numbers.at(at as u64) % width.saturating_add(1).max(1),
        };
        if at < MAX_NUMBERS {
            self.drawn.push(distance);
        }
        first + distance
    }
}

/// splitmix64 of a drawn number and a count, for the characters of a word: they follow from what `--case` gives, and
/// tell nothing of any other number.
pub fn scattered(drawn: u64, count: u64) -> u64 {
    mix(drawn.wrapping_add(count.wrapping_add(1).wrapping_mul(STEP)))
}

/// The numbers as they are typed: `0.3.1`; `-` where there are none.
pub fn written(numbers: &[u64]) -> String {
    if numbers.is_empty() {
        return "-".to_owned();
    }
    numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(".")
}

/// Reads numbers from the form in which a report writes them: `0.3.1`, or `-` for none.
///
/// # Errors
/// A sentence for the user, if this is no such list.
pub fn read(text: &str) -> Result<Vec<u64>, String> {
    if text == "-" {
        return Ok(Vec::new());
    }
    let numbers: Vec<u64> = text
        .split('.')
        .map(|number| number.parse().map_err(|_| format!("--case {text}: {number:?} is not a number")))
        .collect::<Result<_, _>>()?;
    if numbers.len() > MAX_NUMBERS {
        return Err(format!("--case: more than {MAX_NUMBERS} numbers"));
    }
    Ok(numbers)
}

/// Lists that are simpler than this one, the simplest first: shorter ones, then ones of which one number is smaller.
pub fn shrink(numbers: &[u64]) -> Vec<Vec<u64>> {
    let mut lists: Vec<Vec<u64>> = Vec::new();
    let shorter = [0, numbers.len() / 2, numbers.len().saturating_sub(1)];
    lists.extend(shorter.iter().filter(|len| **len < numbers.len()).map(|len| numbers[..*len].to_vec()));
    for (at, number) in numbers.iter().enumerate().filter(|(_, number)| **number > 0) {
        for smaller in [0, number / 2, number - 1] {
            let mut list = numbers.to_vec();
            list[at] = smaller;
            lists.push(list);
        }
    }
    lists.dedup();
    lists.retain(|list| list != numbers);
    lists
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn choices(seed: u64) -> Choices {
        Choices::of_seed(&Seed::of_number(seed), "98", "some-check")
    }

    /// The first 32 bits that a check draws by each of 4096 seeds.
    fn drawn(exercise: &str, check: &str, count: usize, seeds: impl Fn(u64) -> u64) -> Vec<u32> {
        let of = |number| {
            let mut choices = Choices::of_seed(&Seed::of_number(seeds(number)), exercise, check);
            (0..=count).map(|_| choices.draw(0..=u64::from(u32::MAX)) as u32).last().unwrap_or_default()
        };
        (0..4096).map(of).collect()
    }

    #[test]
    fn what_one_check_draws_tells_nothing_of_what_another_one_or_another_seed_draws() {
        let base = drawn("05", "somebody-answers", 0, |number| number);
        let others = [
            ("the next number", drawn("05", "somebody-answers", 1, |number| number)),
            ("another check", drawn("05", "several-lines", 0, |number| number)),
            ("another exercise", drawn("04", "somebody-answers", 0, |number| number)),
            ("the next seed", drawn("05", "somebody-answers", 0, |number| number + 1)),
            ("a bit more", drawn("05", "somebody-answers", 0, |number| number ^ 1 << 63)),
        ];
        for (what, other) in &others {
            // Each of the 32 bits differs in half of 4096 pairs, give or take 5 standard deviations of 32.
            for bit in 0..32 {
                let differ = base.iter().zip(other).filter(|(one, two)| (*one ^ *two) >> bit & 1 == 1).count();
                assert!((2048 - 160..=2048 + 160).contains(&differ), "{what}: bit {bit} differs in {differ}");
            }
        }
    }

    proptest! {
        #[test]
        fn a_number_is_of_its_range(seed in any::<u64>(), first in 0u64..1000, width in 0u64..1000) {
            let drawn = choices(seed).draw(first..=first + width);
            prop_assert!((first..=first + width).contains(&drawn));
        }

        #[test]
        fn what_was_drawn_can_be_drawn_again(
            seed in any::<u64>(),
            widths in proptest::collection::vec(0u64..99, 0..9),
        ) {
            let mut choices = choices(seed);
            let first: Vec<u64> = widths.iter().map(|width| choices.draw(7..=7 + width)).collect();
            let mut again = Choices::replay(read(&written(&choices.drawn)).expect("numbers"));
            let second: Vec<u64> = widths.iter().map(|width| again.draw(7..=7 + width)).collect();
            prop_assert_eq!(first, second);
        }

        #[test]
        fn a_shrunk_list_is_shorter_or_smaller(numbers in proptest::collection::vec(0u64..99, 0..9)) {
            for list in shrink(&numbers) {
                let smaller = list.iter().sum::<u64>() < numbers.iter().sum::<u64>();
                prop_assert!(list.len() < numbers.len() || smaller, "{list:?}");
            }
        }
    }
}

//! Who proposes: a pure function of board, height and round.
//!
//! All weights lie side by side on a circle. A point walks around it by the golden ratio of the circle at every height
//! and every round, from a start that the board's hash gives, and whoever's stretch it falls on proposes:
//!
//! ```text
//!  0 ├── member 0 ──┼─ 1 ─┼────── 2 ──────┼── 3 ──┤ 2⁶⁴      point = start + (height + round) · φ⁻¹·2⁶⁴
//! ```
//!
//! Steps of the golden ratio are the most even ones that exist: over any stretch of heights each member proposes in
//! proportion to its weight, and rounds that follow each other ask different members as soon as no one holds more than
//! 38 % of the weight. Who is next is known to everybody; Tendermint does not rely on a secret here.

use xln_primitives::{Hash, Height, Round};

/// 2⁶⁴ divided by the golden ratio, made odd.
const GOLDEN_STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// The position, in `weights`, of whoever proposes in `round` of `height`. A weight of zero never proposes; `None` if all
/// weights are zero.
#[must_use]
pub(crate) fn proposer(board: Hash, height: Height, round: Round, weights: &[u64]) -> Option<usize> {
    let total: u64 = weights.iter().fold(0, |sum, weight| sum.saturating_add(*weight));
    let [a, b, c, d, e, f, g, h, ..] = *board.as_bytes();
    let start = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
    let step = height.wrapping_add(u64::from(round));
    let point = start.wrapping_add(step.wrapping_mul(GOLDEN_STEP));
    // The point's share of the circle as a share of the total; the product of two 64-bit numbers fits.
    let target = u64::try_from((u128::from(point) * u128::from(total)) >> 64).unwrap_or(u64::MAX);
    let mut before = 0_u64;
    weights.iter().position(|weight| {
        before = before.saturating_add(*weight);
        target < before
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOARD: Hash = Hash::new([7; 32]);

    #[test]
    fn each_proposes_in_proportion_to_its_weight() {
        let weights = [1, 2, 0, 7];
        let mut count = [0_u64; 4];
        for height in 0..10_000 {
            count[proposer(BOARD, height, 0, &weights).unwrap()] += 1;
        }
        for (count, weight) in count.iter().zip(weights) {
            assert!(count.abs_diff(weight * 1_000) <= 3, "{count} turns for weight {weight}");
        }
    }

    #[test]
    fn within_twice_the_board_everybody_has_proposed() {
        for members in [2_usize, 3, 4, 7, 21, 100] {
            for height in [1, 77, u64::MAX] {
                let mut asked = vec![false; members];
                for round in 0..u32::try_from(2 * members).unwrap() {
                    asked[proposer(BOARD, height, round, &vec![1; members]).unwrap()] = true;
                }
                assert!(asked.iter().all(|asked| *asked), "{members} members from height {height}");
            }
        }
    }

    #[test]
    fn no_two_rounds_in_a_row_ask_the_same_of_four() {
        for round in 0..1_000 {
            assert_ne!(proposer(BOARD, 5, round, &[1; 4]), proposer(BOARD, 5, round + 1, &[1; 4]));
        }
    }

    #[test]
    fn nobody_proposes_without_weight_and_the_greatest_weights_do_not_overflow() {
        assert_eq!(proposer(BOARD, 1, 1, &[]), None);
        assert_eq!(proposer(BOARD, 1, 1, &[0, 0]), None);
        assert!(proposer(BOARD, u64::MAX, u32::MAX, &[u64::from(u32::MAX), 1]).is_some());
    }
}

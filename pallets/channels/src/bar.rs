//! A subchannel as one line of text, to scale.
//!
//! `[----------.====|================--------------------]`: from what left may owe on the left to what right may
//! owe on the right; `-` is credit, `=` collateral, `.` left's zero, `|` Δ.

use xln_primitives::{Amount, Delta, Side};

use crate::capacity::Subchannel;

/// Narrowest bar that is drawn.
pub const MIN_WIDTH: usize = 8;

/// The bar of `row` as `viewer` sees it (own side on the left), `width` characters with its brackets; a width below
/// [`MIN_WIDTH`] is drawn as that. Debt beyond a lowered limit is drawn, never cut off.
#[must_use]
pub fn capacity_bar(row: &Subchannel, viewer: Side, width: usize) -> String {
    let inside = width.max(MIN_WIDTH) - 2;
    let capacity = row.capacity(viewer);
    let own_credit = row.credit_limit(viewer).max(capacity.in_own_credit);
    let claim = claim_of(row, viewer);
    // Distances from the left end.
    let zero = own_credit;
    let collateral_end = add(zero, row.collateral);
    let whole = capacity.total;
    let at = match claim {
        delta if delta < Delta::ZERO => own_credit.saturating_sub(delta.magnitude()),
        delta => add(own_credit, delta.positive_part()),
    };
    let scale = |distance: Amount| cell(distance, whole, inside);
    let (zero, collateral_end, at) = (scale(zero), scale(collateral_end), scale(at));
    let mut bar: Vec<char> =
        (0..inside).map(|i| if i >= zero && i < collateral_end { '=' } else { '-' }).collect();
    if let Some(place) = bar.get_mut(zero) {
        *place = '.';
    }
    if let Some(place) = bar.get_mut(at) {
        *place = '|';
    }
    let mut text = String::with_capacity(inside + 2);
    text.push('[');
    text.extend(bar);
    text.push(']');
    text
}

fn add(one: Amount, other: Amount) -> Amount {
    Amount::new(one.get().saturating_add(other.get()))
}

/// Δ counted from the viewer's zero: Δ for left, collateral − Δ for right.
fn claim_of(row: &Subchannel, viewer: Side) -> Delta {
    match viewer {
        Side::Left => row.delta(),
        Side::Right => {
            row.collateral.to_delta().and_then(|collateral| collateral.sub(row.delta())).unwrap_or(Delta::MAX)
        }
    }
}

/// The cell, `0 .. cells`, of a distance on a line of length `whole`.
fn cell(distance: Amount, whole: Amount, cells: usize) -> usize {
    let last = cells.saturating_sub(1);
    let parts = u128::try_from(last).unwrap_or(0);
    if whole.is_zero() {
        return 0;
    }
    distance
        .mul_div(parts, whole.get())
        .ok()
        .and_then(|amount| usize::try_from(amount.get()).ok())
        .map_or(last, |cell| cell.min(last))
}

#[cfg(test)]
mod tests {
    use super::*;
    use xln_primitives::AssetId;

    fn row(collateral: u128, delta: i128, left: u128, right: u128) -> Subchannel {
        Subchannel {
            collateral: Amount::new(collateral),
            offdelta: Delta::new(delta),
            left_credit_limit: Amount::new(left),
            right_credit_limit: Amount::new(right),
            ..Subchannel::empty(AssetId::named("usd"))
        }
    }

    #[test]
    fn the_bar_is_to_scale() {
        let bar = capacity_bar(&row(20, 5, 10, 20), Side::Left, 53);
        assert_eq!(bar, "[----------.====|==============---------------------]");
    }

    #[test]
    fn the_other_side_sees_the_mirror() {
        let bar = capacity_bar(&row(20, 5, 10, 20), Side::Right, 53);
        assert_eq!(bar, "[--------------------.==============|====-----------]");
    }

    #[test]
    fn a_new_user_with_credit_only_has_a_bar_of_credit() {
        assert_eq!(capacity_bar(&row(0, 0, 0, 500), Side::Left, 12), "[|---------]");
        assert_eq!(capacity_bar(&row(0, 120, 0, 500), Side::Left, 12), "[.-|-------]");
    }

    #[test]
    fn an_empty_row_and_a_narrow_terminal_draw_something() {
        assert_eq!(capacity_bar(&row(0, 0, 0, 0), Side::Left, 0), "[|-----]");
        assert_eq!(capacity_bar(&row(u128::MAX, i128::MIN, u128::MAX, 5), Side::Right, 9).len(), 9);
    }

    #[test]
    fn debt_beyond_a_lowered_limit_is_drawn() {
        assert_eq!(capacity_bar(&row(0, -50, 0, 0), Side::Left, 12), "[|--------.]");
    }
}

//! Patients shared out between parts, where a data set leaves that open.

use std::collections::BTreeMap;

use medclip_stats::grouped_order;

use super::options::Undivided;
use super::prepared::PreparedRow;
use crate::manifest::Split;

/// Gives every film a part, by patient.
pub(super) fn assign(rows: &mut [PreparedRow], undivided: Undivided, seed: u64) {
    match undivided {
        Undivided::All(split) => rows.iter_mut().for_each(|row| row.split = split),
        Undivided::Drawn { val, test } => {
            let order = drawn_order(rows, seed);
            let val = share(val, order.len());
            let test = share(test, order.len());
            let part = |place| match place {
                place if place < val => Split::Val,
                place if place < val + test => Split::Test,
                _ => Split::Train,
            };
            move_patients(rows, &order, part);
        }
    }
}

/// Moves a share of the training patients to validation, unless somebody is there already.
pub(super) fn draw_validation(rows: &mut [PreparedRow], validation: f64, seed: u64) {
    if rows.iter().any(|row| row.split == Split::Val) {
        return;
    }
    let trained: Vec<PreparedRow> = rows.iter().filter(|row| row.split == Split::Train).cloned().collect();
    let order = drawn_order(&trained, seed);
    let val = share(validation, order.len());
    move_patients(rows, &order[..val], |_| Split::Val);
}

fn drawn_order(rows: &[PreparedRow], seed: u64) -> Vec<String> {
    let patients: Vec<String> = rows.iter().map(|row| row.patient.clone()).collect();
    grouped_order(&patients, seed)
}

/// `⌈share · patients⌉`, less what rounding adds.
fn share(share: f64, patients: usize) -> usize {
    (share * patients as f64 - 1e-9).ceil().max(0.0) as usize
}

fn move_patients(rows: &mut [PreparedRow], order: &[String], part: impl Fn(usize) -> Split) {
    let places: BTreeMap<&str, usize> =
        order.iter().enumerate().map(|(place, patient)| (patient.as_str(), place)).collect();
    for row in rows {
        if let Some(&place) = places.get(row.patient.as_str()) {
            row.split = part(place);
        }
    }
}

//! What checks stop, for people.

use super::{CheckFigures, CleanFigures, SpoiltFigures};
use crate::sheet::{Measured, Sheet, Table};

impl Measured for CheckFigures {
    fn sheet(&self) -> Sheet {
        let CleanFigures { images, patients, stopped, by_code } = &self.clean;
        let mut sheet = Sheet::default();
        let head = format!(
            "{}: of {images} clean frontal films of {patients} patients {stopped} are stopped ({:.2} %).",
            self.model,
            100.0 * share(*stopped, *images)
        );
        let alarms: Vec<_> =
            by_code.iter().map(|alarm| format!("{} {}", alarm.code, alarm.stopped)).collect();
        let codes = (!alarms.is_empty()).then(|| format!("By code: {}.", alarms.join(", ")));
        sheet.add_lines([Some(head), codes].into_iter().flatten());
        let mut table = Table::new(["films", "code", "images", "found", "named"], 2);
        for SpoiltFigures { name, code, images, found, named } in &self.groups {
            let [found, named] = [found, named].map(|part| format!("{:.3}", share(*part, *images)));
            table.row([name.clone(), format!("`{code}`"), images.to_string(), found, named]);
        }
        sheet.add_table(&table);
        sheet.add("Found: any code; named: the code of the row among them.");
        sheet
    }

    fn failed(&self) -> usize {
        self.failed
    }
}

fn share(part: usize, of: usize) -> f64 {
    part as f64 / of.max(1) as f64
}

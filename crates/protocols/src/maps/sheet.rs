//! How maps fit boxes, for people.

use super::{FindingMaps, Maps, Pointing};
use crate::sheet::{Measured, Sheet, Table, cell, decimals, no_interval_note};

impl Measured for Maps {
    fn sheet(&self) -> Sheet {
        let [rows, columns] = self.grid;
        let mut sheet =
            Sheet::new(self.subject.words("", &format!(" with boxes, maps of {rows} × {columns}")));
        let header = [
            "finding",
            "films",
            "hits",
            "pointing game (95 % CI)",
            "fixed point (95 % CI)",
            "difference (95 % CI)",
            "most a grid can hit",
            "energy inside",
            "area of the boxes",
        ];
        let mut table = Table::new(header, 1);
        for finding in &self.findings {
            let FindingMaps { name, films, map, occlusion, floor, ceiling, area, .. } = finding;
            let mut row = |name: String, pointing: &Pointing, ceiling: Option<f64>| {
                table.row([
                    name,
                    films.to_string(),
                    pointing.hits.to_string(),
                    cell(Some(&pointing.rate)),
                    cell(floor.as_ref()),
                    cell(pointing.over_floor.as_ref()),
                    decimals(ceiling),
                    decimals(pointing.energy),
                    decimals(Some(*area)),
                ]);
            };
            row((*name).to_owned(), map, Some(*ceiling));
            if let Some(occlusion) = occlusion {
                row(format!("{name}, by occlusion"), occlusion, None);
            }
        }
        sheet.add_table(&table);
        let mut notes = vec![
            "Fixed point: the one place that hits the most films of other patients, without any image."
                .to_owned(),
            format!("The mean of a map differs from its score by at most {:.1e}.", self.incompleteness),
        ];
        if !self.other_labels.is_empty() {
            let labels = self.other_labels.iter().map(|(label, boxes)| format!("{label} {boxes}"));
            let labels = labels.collect::<Vec<_>>().join(", ");
            notes.push(format!("Boxes of no class of the model, left out: {labels}."));
        }
        if self.boxes_elsewhere > 0 {
            notes.push(format!("Boxes on films that were not chosen: {}.", self.boxes_elsewhere));
        }
        let each = self.findings.iter().map(|finding| (finding.name, Some(&finding.map.rate)));
        notes.extend(no_interval_note(each));
        sheet.add_lines(notes);
        sheet
    }

    fn failed(&self) -> usize {
        self.subject.failed
    }
}

//! What a benchmark gives, for people.

use medclip_stats::ConfusionMatrix;

use super::{BenchmarkFigures, ClassFigures, DrawnFilms};
use crate::sheet::{Measured, Sheet, Table, cell, no_interval_note};
use crate::zero_shot::of_prompts;

impl Measured for BenchmarkFigures {
    fn sheet(&self) -> Sheet {
        let Self { benchmark, classes, confusion, .. } = self;
        let mut sheet = Sheet::new(self.subject.words("", &format!(", {benchmark} of the MedCLIP paper")));
        sheet.add_lines(self.of_films());
        sheet.add_lines(of_prompts(&self.prompts, "medclip"));
        let lines = [
            format!(
                "Accuracy (95 % CI, mean ± standard deviation over draws): **{}**.",
                cell(self.accuracy.as_ref())
            ),
            format!(
                "AUROC (mean over the classes, each against the others): **{}**.",
                cell(self.auroc.as_ref())
            ),
            format!("By chance: accuracy {:.3}, AUROC 0.500.", self.chance),
        ];
        sheet.add_lines(lines);
        sheet.add_table(&self.table(classes, confusion));
        let each = classes
            .iter()
            .flat_map(|class| [&class.recall, &class.auroc].map(|figure| (class.name, figure.as_ref())));
        let means = [("the accuracy", self.accuracy.as_ref()), ("the mean", self.auroc.as_ref())];
        sheet.add_lines(no_interval_note(each.chain(means)));
        sheet
    }

    fn failed(&self) -> usize {
        self.subject.failed
    }
}

impl BenchmarkFigures {
    /// Which films were drawn, and for which models the figures hold.
    fn of_films(&self) -> Vec<String> {
        let DrawnFilms { per_class, available, splits, has_uncertain } = &self.drawn;
        let parts: Vec<String> = splits.iter().map(|(part, films)| format!("{part} {films}")).collect();
        let mut lines = vec![format!(
            "{per_class} films of each class, drawn from your copy of {} with seed {} ({}). There are: {available}.",
            self.benchmark.data_set(),
            self.subject.seed,
            parts.join(", ")
        )];
        if self.subject.failed > 0 {
            lines.push(format!("{} of them could not be read and are left out.", self.subject.failed));
        }
        if self.benchmark.classes().len() > 2 && !has_uncertain {
            lines.push(
                "The manifest has no uncertain label, so films with an uncertain finding may be among them."
                    .to_owned(),
            );
        }
        lines.extend(self.benchmark.note().map(str::to_owned));
        lines.push("These figures hold only for a model that was not trained on these films.".to_owned());
        lines
    }

    /// A row a class with what was chosen for its films.
    fn table(&self, classes: &[ClassFigures], confusion: &ConfusionMatrix) -> Table {
        let draws = self.prompts.draws.as_ref().map_or(1, |draws| draws.seeds.len());
        let names = classes.iter().map(|class| class.name);
        let header =
            ["films, mean over draws: actual \\ chosen"].into_iter().chain(names).chain(["recall", "AUROC"]);
        let mut table = Table::new(header, 1);
        for (class, row) in classes.iter().zip(confusion.rows()) {
            let films = row.iter().map(|count| format!("{:.1}", *count as f64 / draws as f64));
            let figures = [cell(class.recall.as_ref()), cell(class.auroc.as_ref())];
            table.row([class.name.to_owned()].into_iter().chain(films).chain(figures));
        }
        table
    }
}

//! What a bundle holds, for people.

use std::fmt;

use medclip_core::terminal::{Escaped, TextTable};
use serde::Serialize;

use super::{BundleOutline, describe_fields};
use crate::graph::Port;

impl fmt::Display for BundleOutline<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outline = self;
        let config = outline.config;
        writeln!(f, "{}: {}\n", Escaped(&config.name), Escaped(&config.description))?;
        let mut about = TextTable::new(&[], &[]);
        about.row(["bundle", &outline.path]);
        about.row(["id", outline.id]);
        about.row(["image tower", &fields(&config.architecture.image)?]);
        about.row(["text tower", &fields(&config.architecture.text)?]);
        about.row(["embedding", &format!("{} wide", config.architecture.embedding_dim)]);
        about.row(["temperature", &format!("logits are cosines times {:.2}", outline.logit_scale.exp())]);
        about.row(["preprocess", &fields(&config.preprocess)?]);
        about.row(["tokenizer", &fields(&config.tokenizer)?]);
        write!(f, "{about}")?;
        writeln!(f)?;

        let mut graphs = TextTable::new(
            &["Graph", "Parameters", "Nodes", "Opset", "IR", "Inputs", "Outputs"],
            &[1, 2, 3, 4],
        );
        let text = outline.text_graph.as_ref().map(|graph| ("text", graph));
        for (name, graph) in [("image", &outline.image_graph)].into_iter().chain(text) {
            let numbers = [
                graph.parameters.to_string(),
                graph.nodes.to_string(),
                graph.opset.to_string(),
                graph.ir_version.to_string(),
            ];
            let mut about = [name.to_owned()].into_iter().chain(numbers);
            // A port a line.
            for port in 0..graph.inputs.len().max(graph.outputs.len()).max(1) {
                let mut row: Vec<String> = (0..5).map(|_| about.next().unwrap_or_default()).collect();
                row.extend([&graph.inputs, &graph.outputs].map(|ports| shown(ports.get(port))));
                graphs.row(row);
            }
        }
        write!(f, "{graphs}")?;
        writeln!(f)?;

        let mut classes = TextTable::new(&["Class", "Positive prompts", "Negative prompts"], &[1, 2]);
        for class in &outline.classes {
            classes.row([class.name, &class.positive.to_string(), &class.negative.to_string()]);
        }
        write!(f, "{classes}")?;
        writeln!(f)?;

        let mut files = TextTable::new(&["File", "Bytes"], &[1]);
        for file in &outline.files {
            files.row([file.name, &file.bytes.to_string()]);
        }
        write!(f, "{files}")?;
        if outline.text_graph.is_none() {
            writeln!(
                f,
                "\nThe text tower was left out: this copy scores the classes of its prompt bank alone."
            )?;
        }
        writeln!(f, "\nAll sums verified.")
    }
}

fn fields(config: &impl Serialize) -> Result<String, fmt::Error> {
    describe_fields(config).map_err(|_| fmt::Error)
}

fn shown(port: Option<&Port>) -> String {
    port.map(ToString::to_string).unwrap_or_default()
}

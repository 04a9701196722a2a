//! `medclip inspect`: what a bundle holds.

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use medclip_core::terminal::Escaped;
use medclip_runtime::{Bundle, BundleOutline, Port, describe_fields};

use crate::Outcome;
use crate::models::shipped;
use crate::output::{ReportFormat, plain_table, print_report, write_table};

/// Show what a model bundle holds, after verifying every file of it
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  medclip inspect\n  medclip inspect models/medclip-edge --format json")]
pub(crate) struct InspectArgs {
    /// Bundle directory [default: the shipped model]
    bundle: Option<PathBuf>,
    /// Output format
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: ReportFormat,
}

pub(crate) fn run(args: InspectArgs) -> anyhow::Result<Outcome> {
    let directory = args.bundle.map_or_else(shipped, Ok)?;
    let bundle = Bundle::open(directory).context("cannot load the model")?;
    let outline = BundleOutline::of(&bundle)?;
    print_report(args.format, &outline, |out| write(out, &outline))?;
    Ok(Outcome::Complete)
}

fn write(out: &mut impl Write, outline: &BundleOutline<'_>) -> io::Result<()> {
    let config = outline.config;
    writeln!(out, "{}: {}\n", Escaped(&config.name), Escaped(&config.description))?;
    let mut about = plain_table(&[], &[]);
    about.add_row(["bundle", &outline.path]);
    about.add_row(["id", outline.id]);
    about.add_row(["image tower", &describe_fields(&config.architecture.image)?]);
    about.add_row(["text tower", &describe_fields(&config.architecture.text)?]);
    about.add_row(["embedding", &format!("{} wide", config.architecture.embedding_dim)]);
    about.add_row(["temperature", &format!("logits are cosines times {:.2}", outline.logit_scale.exp())]);
    about.add_row(["preprocess", &describe_fields(&config.preprocess)?]);
    about.add_row(["tokenizer", &describe_fields(&config.tokenizer)?]);
    write_table(out, about)?;
    writeln!(out)?;

    let mut graphs =
        plain_table(&["Graph", "Parameters", "Nodes", "Opset", "IR", "Inputs", "Outputs"], &[1, 2, 3, 4]);
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
            graphs.add_row(row);
        }
    }
    write_table(out, graphs)?;
    writeln!(out)?;

    let mut classes = plain_table(&["Class", "Positive prompts", "Negative prompts"], &[1, 2]);
    for class in &outline.classes {
        classes.add_row([class.name, &class.positive.to_string(), &class.negative.to_string()]);
    }
    write_table(out, classes)?;
    writeln!(out)?;

    let mut files = plain_table(&["File", "Bytes"], &[1]);
    for file in &outline.files {
        files.add_row([file.name, &file.bytes.to_string()]);
    }
    write_table(out, files)?;
    if outline.text_graph.is_none() {
        writeln!(
            out,
            "\nThe text tower was left out: this copy scores the classes of its prompt bank alone."
        )?;
    }
    writeln!(out, "\nAll sums verified.")
}

fn shown(port: Option<&Port>) -> String {
    port.map(ToString::to_string).unwrap_or_default()
}

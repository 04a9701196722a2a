//! `medclip inspect`: what a bundle holds.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use medclip_core::terminal::Escaped;
use medclip_runtime::{Bundle, BundleFile, GraphInfo, ModelConfig, Port};
use serde::Serialize;
use serde_json::Value;

use crate::Outcome;
use crate::models;
use crate::output::{ReportFormat, locked_stdout, plain_table, write_json_report, write_table};

/// Show what a model bundle holds, after verifying every file of it
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  medclip inspect\n  medclip inspect models/medclip-edge --format json")]
pub(crate) struct InspectArgs {
    /// Bundle directory [default: the shipped model]
    bundle: Option<PathBuf>,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: ReportFormat,
}

/// Everything `inspect` says; the fields are the keys of its JSON object.
#[derive(Debug, Serialize)]
struct Report<'a> {
    path: String,
    /// SHA-256 of the file of sums, which names the bundle's content as a whole.
    id: &'a str,
    logit_scale: f32,
    config: &'a ModelConfig,
    files: Vec<FileSize>,
    classes: Vec<ClassPrompts<'a>>,
    image_graph: GraphInfo,
    /// None where the text tower was left out.
    text_graph: Option<GraphInfo>,
}

#[derive(Debug, Serialize)]
struct FileSize {
    name: &'static str,
    bytes: u64,
}

#[derive(Debug, Serialize)]
struct ClassPrompts<'a> {
    name: &'a str,
    positive: usize,
    negative: usize,
}

pub(crate) fn run(args: InspectArgs) -> anyhow::Result<Outcome> {
    let dir = args.bundle.map_or_else(models::shipped, Ok)?;
    let bundle = Bundle::open(&dir).context("cannot load the model")?;
    let report = Report {
        path: dir.display().to_string(),
        id: bundle.id(),
        logit_scale: bundle.logit_scale().ln(),
        config: bundle.config(),
        files: file_sizes(&bundle)?,
        classes: class_prompts(&bundle),
        image_graph: GraphInfo::read(&bundle.path(BundleFile::IMAGE_GRAPH))?,
        text_graph: bundle
            .has_text_tower()
            .then(|| GraphInfo::read(&bundle.path(BundleFile::TEXT_GRAPH)))
            .transpose()?,
    };
    let mut out = locked_stdout();
    match args.format {
        ReportFormat::Json => write_json_report(&mut out, &report)?,
        ReportFormat::Text => report.write_text(&mut out)?,
    }
    out.flush()?;
    Ok(Outcome::Complete)
}

fn file_sizes(bundle: &Bundle) -> anyhow::Result<Vec<FileSize>> {
    let size = |file: BundleFile| {
        let path = bundle.path(file);
        let bytes = path.metadata().with_context(|| path.display().to_string())?.len();
        Ok(FileSize { name: file.file_name(), bytes })
    };
    bundle.files().iter().copied().map(size).collect()
}

fn class_prompts(bundle: &Bundle) -> Vec<ClassPrompts<'_>> {
    let classes = bundle.bank().classes().iter();
    let counts = classes.map(|class| ClassPrompts {
        name: &class.name,
        positive: class.positive.len(),
        negative: class.negative.len(),
    });
    counts.collect()
}

impl Report<'_> {
    fn write_text(&self, out: &mut impl Write) -> anyhow::Result<()> {
        let config = self.config;
        writeln!(out, "{}: {}\n", Escaped(&config.name), Escaped(&config.description))?;
        let mut about = plain_table(&[], &[]);
        about.add_row(["bundle", &self.path]);
        about.add_row(["id", self.id]);
        about.add_row(["image tower", &summary(&config.architecture.image)?]);
        about.add_row(["text tower", &summary(&config.architecture.text)?]);
        about.add_row(["embedding", &format!("{} wide", config.architecture.embedding_dim)]);
        about.add_row(["temperature", &format!("logits are cosines times {:.2}", self.logit_scale.exp())]);
        about.add_row(["preprocess", &summary(&config.preprocess)?]);
        about.add_row(["tokenizer", &summary(&config.tokenizer)?]);
        write_table(out, about)?;
        writeln!(out)?;

        let mut graphs =
            plain_table(&["Graph", "Parameters", "Nodes", "Opset", "IR", "Inputs", "Outputs"], &[1, 2, 3, 4]);
        let text = self.text_graph.as_ref().map(|graph| ("text", graph));
        for (name, graph) in [("image", &self.image_graph)].into_iter().chain(text) {
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
        for class in &self.classes {
            classes.add_row([class.name, &class.positive.to_string(), &class.negative.to_string()]);
        }
        write_table(out, classes)?;
        writeln!(out)?;

        let mut files = plain_table(&["File", "Bytes"], &[1]);
        for file in &self.files {
            files.add_row([file.name, &file.bytes.to_string()]);
        }
        write_table(out, files)?;
        if self.text_graph.is_none() {
            writeln!(
                out,
                "\nThe text tower was left out: this copy scores the classes of its prompt bank alone."
            )?;
        }
        writeln!(out, "\nAll sums verified.")?;
        Ok(())
    }
}

/// Fields of a flat configuration on one line, as `key value, key value`; nested values are left to `--format json`.
fn summary(config: &impl Serialize) -> anyhow::Result<String> {
    // Through text, so that a single-precision number keeps its digits.
    let Value::Object(fields) = serde_json::from_str(&serde_json::to_string(config)?)? else {
        return Ok(String::new());
    };
    let flat = fields.iter().filter(|(_, value)| !value.is_array() && !value.is_object());
    let words: Vec<_> = flat
        .map(|(key, value)| match value.as_str() {
            Some(text) => format!("{key} {text}"),
            None => format!("{key} {value}"),
        })
        .collect();
    Ok(words.join(", "))
}

fn shown(port: Option<&Port>) -> String {
    port.map(ToString::to_string).unwrap_or_default()
}

//! `medclip import`: weights that PyTorch saved to a bundle.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use medclip_core::architecture::{ImageTower, TextTower};
use medclip_core::prompt::sentences;
use medclip_core::terminal::Escaped;
use medclip_core::{PromptSet, ResNetConfig, SwinConfig};
use medclip_export::{
    BundleContents, BundleOptions, Checkpoint, GraphOptions, ImportError, ImportNote, ImportOptions,
    Imported, Storage, import, write_bundle_if,
};
use medclip_phantom::Phantom;
use medclip_runtime::Model;

use crate::Outcome;
use crate::bundle;
use crate::doubts::warn_of_prompts;
use crate::output::locked_stdout;
use crate::{one_line, say};

/// Prompts for the findings of CheXpert, those of the models that ship.
const PROMPTS: &str = include_str!("../../../models/prompts/chest-xray.toml");
/// Files that are looked for beside the weights.
pub(crate) const TOKENIZERS: [&str; 2] = ["tokenizer.json", "vocab.txt"];

/// Write PyTorch weights as a bundle
///
/// Reads a MedCLIP that a PyTorch program saved (zip, older formats, safetensors, lists of shards) without executing
/// anything in it, tells its towers and sizes by the shapes of its tensors, writes both towers as ONNX in single precision and embeds
/// the prompts. A file with other tensors than those of the architecture is refused, and every difference listed.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ImportArgs {
    /// File of both towers, or of one of them; a list of shards (model.safetensors.index.json) stands for all
    weights: PathBuf,
    /// Bundle directory to write
    bundle: PathBuf,
    /// File of the other tower, where they were saved apart, or another shard; may be repeated
    #[arg(long, value_name = "FILE")]
    also: Vec<PathBuf>,
    /// Part of the file to take, such as `state_dict_ema`: a dictionary of it, or what names start with [default: the
    /// model's weights as they are]
    #[arg(long, value_name = "NAME")]
    part: Option<String>,
    /// Fail unless the image tower is this one [default: whichever it is]
    #[arg(long)]
    vision: Option<Vision>,
    /// vocab.txt or tokenizer.json [default: the one beside the weights]
    #[arg(long, value_name = "FILE")]
    tokenizer: Option<PathBuf>,
    /// Lower-case sentences, as the published models do although their vocabulary is cased; `--lowercase=false` keeps
    /// capitals whatever the vocabulary [default: as tokenizer.json says]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    lowercase: Option<bool>,
    /// Longest sentence in tokens
    #[arg(long, value_name = "N", default_value_t = 77)]
    max_length: usize,
    /// Attention heads of the text tower [default: those of the config.json beside the weights, or of published towers]
    #[arg(long, value_name = "N")]
    heads: Option<usize>,
    /// Side of the image in pixels
    #[arg(long, value_name = "N", default_value_t = 224)]
    image_size: usize,
    /// Whose behaviour: `paper` averages sentences over their tokens and classes over their prompts; `reference` averages
    /// over padding too and takes the best prompt, as the published code does
    #[arg(long, default_value = "paper")]
    mode: Mode,
    /// Zero-shot classes (TOML) [default: the 14 findings of CheXpert]
    #[arg(long, value_name = "FILE")]
    prompts: Option<PathBuf>,
    /// Model card (Markdown) [default: name and description of the model]
    #[arg(long, value_name = "FILE")]
    card: Option<PathBuf>,
    /// Name of the model, as scores report it [default: that of the bundle directory]
    #[arg(long)]
    name: Option<String>,
    /// Replace a bundle that is there
    #[arg(long)]
    replace: bool,
}

const EXAMPLES: &str = "\
Examples:
  medclip import pytorch_model.bin models/medclip-vit --tokenizer vocab.txt --lowercase
  medclip import pytorch_model.bin models/medclip-vit-reference --tokenizer vocab.txt --lowercase --mode reference";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Vision {
    SwinTiny,
    Resnet50,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Mode {
    Paper,
    Reference,
}

pub(crate) fn run(args: &ImportArgs) -> anyhow::Result<Outcome> {
    bundle::refuse_existing(&args.bundle, args.replace)?;
    let files: Vec<&Path> = std::iter::once(&args.weights).chain(&args.also).map(PathBuf::as_path).collect();
    let tokenizer = tokenizer(args)?;
    let Imported { checkpoint, notes, .. } = import(&files, tokenizer, &options(args)).map_err(refusal)?;
    for note in &notes {
        say(&format!("note: {note}{}", advice(note)));
    }
    expect(args.vision, &checkpoint.config().architecture.image)?;

    let prompts = args.prompts.as_deref().map_or_else(|| Ok(PROMPTS.to_owned()), bundle::read)?;
    let card = bundle::card(args.card.as_deref(), &checkpoint)?;
    let contents = BundleContents { prompts: &prompts, card: &card };
    // Published figures want published precision.
    let exact = GraphOptions { storage: Storage::F32 };
    let options =
        BundleOptions { image: exact, text: exact, replace: args.replace, ..BundleOptions::default() };
    let classes = PromptSet::parse(&prompts).context("cannot use the prompts")?.expand();
    warn_of_prompts(sentences(&classes), |sentence| checkpoint.tokenizer().doubts(sentence))?;
    write_bundle_if(&checkpoint, contents, &options, &args.bundle, bundle::embed, |bundle| {
        Ok(try_out(bundle)?)
    })?;

    let mut out = locked_stdout();
    writeln!(out, "wrote {}", Escaped(args.bundle.display()))?;
    for line in summary(&checkpoint) {
        writeln!(out, "{line}")?;
    }
    Ok(Outcome::Complete)
}

/// Why nothing was imported, and which option may help.
pub(crate) fn refusal(error: ImportError) -> anyhow::Error {
    let text = one_line(&anyhow::Error::new(error).context("cannot import the weights"));
    for (sign, option) in [
        ("number of attention heads", "--heads N states it"),
        ("has no word with a capital", "--lowercase, or --lowercase=false"),
        ("say which part to take", "--part NAME takes one"),
        ("name the part to take", "--part NAME takes one"),
        ("leaves out what is beside it", "--part NAME names it"),
        ("or all of the shards", "--also FILE names another"),
    ] {
        if text.contains(sign) {
            return anyhow::anyhow!("{text} ({option})");
        }
    }
    anyhow::anyhow!(text)
}

/// What to do where a note is not what was meant.
fn advice(note: &ImportNote) -> &'static str {
    match note {
        ImportNote::Weights(_) => "; --part NAME takes others",
        ImportNote::Heads { .. } => "; --heads N states another number",
        _ => "",
    }
}

fn options(args: &ImportArgs) -> ImportOptions {
    let of = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
    let weights = of(&args.weights).unwrap_or_default();
    ImportOptions {
        name: args.name.clone().or_else(|| of(&args.bundle)).unwrap_or_else(|| "imported".to_owned()),
        description: format!("Imported from {weights}"),
        image_size: args.image_size,
        text_heads: args.heads,
        lowercase: args.lowercase,
        part: args.part.clone(),
        max_length: args.max_length,
        mode: match args.mode {
            Mode::Paper => medclip_export::Mode::Paper,
            Mode::Reference => medclip_export::Mode::Reference,
        },
    }
}

/// The vocabulary asked for, or the one beside the weights.
fn tokenizer(args: &ImportArgs) -> anyhow::Result<PathBuf> {
    if let Some(path) = &args.tokenizer {
        return Ok(path.clone());
    }
    let beside = TOKENIZERS.map(|name| args.weights.with_file_name(name));
    if let Some(path) = beside.into_iter().find(|path| path.is_file()) {
        return Ok(path);
    }
    bail!(
        "no vocabulary: neither {} is beside {}; --tokenizer names the vocab.txt or tokenizer.json of the text tower",
        TOKENIZERS.join(" nor "),
        args.weights.display()
    )
}

/// Fails when the image tower is not the one that was asked for.
fn expect(vision: Option<Vision>, found: &ImageTower) -> anyhow::Result<()> {
    let (expected, name) = match vision {
        None => return Ok(()),
        Some(Vision::SwinTiny) => (ImageTower::Swin(SwinConfig::tiny(found.channels())), "swin-tiny"),
        Some(Vision::Resnet50) => (ImageTower::Resnet(ResNetConfig::resnet50(found.channels())), "resnet50"),
    };
    if *found != expected {
        bail!("the image tower is {}, not {name}", image_tower(found));
    }
    Ok(())
}

/// Opens a bundle and scores an image with it.
fn try_out(bundle: &Path) -> anyhow::Result<()> {
    let model = Model::open(bundle).context("the bundle cannot be opened again")?;
    let batch = model.preprocessor().batch(&[Phantom::random(0, 256)?.render()])?;
    model.embed_images(&batch).context("the bundle cannot score an image")?;
    Ok(())
}

fn summary(checkpoint: &Checkpoint) -> [String; 2] {
    let config = checkpoint.config();
    let TextTower::Bert(text) = &config.architecture.text;
    [
        format!("image tower: {}", image_tower(&config.architecture.image)),
        format!(
            "text tower: BERT, {} layers of width {}, {} heads, {} tokens{}",
            text.num_hidden_layers,
            text.hidden_size,
            text.num_attention_heads,
            text.vocab_size,
            if config.tokenizer.lowercase { ", lower-cased" } else { "" }
        ),
    ]
}

fn image_tower(tower: &ImageTower) -> String {
    match tower {
        ImageTower::EfficientnetLite(sizes) => format!("an EfficientNet-Lite of {} features", sizes.head),
        ImageTower::Swin(sizes) => format!(
            "a Swin transformer of width {}, depths {:?}, window {}",
            sizes.embed_dim, sizes.depths, sizes.window_size
        ),
        ImageTower::Resnet(sizes) => format!("a ResNet of width {}, blocks {:?}", sizes.width, sizes.blocks),
    }
}

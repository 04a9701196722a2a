//! A file's tensors under their names here.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;

use super::{
    IMAGE, Layout, NamesError, Renamed, TEXT, bert, efficientnet_lite, is_buffer, prefix, resnet, swin,
};
use crate::file::TensorFile;
use crate::note::WeightsNote;

/// Shapes by the names of [`medclip_core::architecture`].
pub type Shapes = BTreeMap<String, Vec<usize>>;

/// First convolutions of the trunks, the only tensors that know how many channels an image has.
const FIRST: [&str; 3] = [
    "vision_model.model.embeddings.patch_embeddings.projection.weight",
    "vision_model.model.conv1.weight",
    "vision_model.model.stem.conv.weight",
];

/// The tensors of a file under the names of [`medclip_core::architecture`]. Values stay in the file.
#[derive(Debug, Clone)]
pub struct Mapping {
    path: PathBuf,
    layout: Layout,
    sources: BTreeMap<String, Source>,
    notes: Vec<WeightsNote>,
}

/// Where a tensor comes from.
#[derive(Debug, Clone)]
struct Source {
    from: String,
    shape: Vec<usize>,
    /// The part of the first axis that is taken; all where there is none.
    rows: Option<Range<usize>>,
    /// Whether the second axis, colors, is summed.
    summed: bool,
}

impl Mapping {
    /// Recognizes the layout of `file` and names its tensors.
    ///
    /// # Errors
    /// [`NamesError::Unrecognized`], [`NamesError::Parts`], [`NamesError::Unexpected`], or [`NamesError::Twice`].
    pub fn of(file: &TensorFile) -> Result<Self, NamesError> {
        let path = file.path().to_owned();
        let unknown = || {
            let example = file.names().next().unwrap_or_default().to_owned();
            NamesError::Unrecognized { path: path.clone(), example }
        };
        let place = match prefix::place(file) {
            None => return Err(unknown()),
            Some(Err(parts)) => return Err(NamesError::Parts { path, parts }),
            Some(Ok(place)) => place,
        };
        let Some((layout, rename)) = recognize(file, &place.prefix) else { return Err(unknown()) };
        let mut mapping = Self { path, layout, sources: BTreeMap::new(), notes: file.notes().to_vec() };
        let mut unexpected = place.outside;
        for full in file.names().filter(|name| !is_buffer(name)) {
            let Some(name) = full.strip_prefix(&place.prefix) else { continue };
            // Names under no prefix take in those of the other models, which have one.
            if place.others.iter().any(|other| full.starts_with(&format!("{}.", other.part))) {
                continue;
            }
            let shape = file.shape(full).unwrap_or_default().to_vec();
            match rename(name) {
                Some(Renamed::To(to)) => mapping.insert(to, full, shape, None)?,
                Some(Renamed::Thirds(names)) => {
                    let first = shape.first().copied().unwrap_or(0);
                    if !first.is_multiple_of(3) {
                        let needs = "three parts of one size".to_owned();
                        return Err(NamesError::Size { name: full.to_owned(), shape, needs });
                    }
                    let rows = first / 3;
                    for (index, to) in names.into_iter().enumerate() {
                        let mut shape = shape.clone();
                        if let Some(first) = shape.first_mut() {
                            *first = rows;
                        }
                        mapping.insert(to, full, shape, Some(index * rows..(index + 1) * rows))?;
                    }
                }
                Some(Renamed::LeftBehind) => {}
                None => unexpected.push(full.to_owned()),
            }
        }
        if !unexpected.is_empty() {
            let prefix = place.prefix;
            return Err(NamesError::Unexpected { path: mapping.path, prefix, layout, names: unexpected });
        }
        if place.averaged || !place.others.is_empty() {
            mapping.notes.push(WeightsNote::Taken {
                path: mapping.path.clone(),
                taken: place.prefix.trim_end_matches('.').to_owned(),
                averaged: place.averaged,
                others: place.others,
            });
        }
        Ok(mapping)
    }

    /// What was chosen where the file left a choice.
    pub fn notes(&self) -> &[WeightsNote] {
        &self.notes
    }

    fn insert(
        &mut self,
        to: String,
        from: &str,
        shape: Vec<usize>,
        rows: Option<Range<usize>>,
    ) -> Result<(), NamesError> {
        let source = Source { from: from.to_owned(), shape, rows, summed: false };
        match self.sources.insert(to, source) {
            None => Ok(()),
            Some(first) => {
                Err(NamesError::Twice { path: self.path.clone(), first: first.from, second: from.to_owned() })
            }
        }
    }

    /// Whose names the file has.
    pub const fn layout(&self) -> Layout {
        self.layout
    }

    /// Names and shapes here.
    pub fn shapes(&self) -> Shapes {
        self.sources.iter().map(|(name, source)| (name.clone(), source.shape.clone())).collect()
    }

    /// Names here.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.sources.keys().map(String::as_str)
    }

    /// Leaves out the names that `keep` has no use for.
    #[must_use]
    pub fn retain(mut self, keep: impl Fn(&str) -> bool) -> Self {
        self.sources.retain(|name, _| keep(name));
        self
    }

    /// Sums the filters of the first convolution over the colors, which is the same as repeating a gray channel three
    /// times.
    #[must_use]
    pub fn with_one_channel(mut self) -> Self {
        for name in FIRST {
            if let Some(source) = self.sources.get_mut(name)
                && let [_, colors, _, _] = source.shape.as_mut_slice()
                && *colors > 1
            {
                *colors = 1;
                source.summed = true;
            }
        }
        self
    }

    /// The values of a tensor, by its name here. Reads this tensor alone.
    ///
    /// # Errors
    /// [`NamesError::Absent`] for other names, and [`NamesError::File`].
    pub fn read(&self, file: &mut TensorFile, name: &str) -> Result<Vec<f32>, NamesError> {
        let source = self.sources.get(name).ok_or_else(|| NamesError::Absent(name.to_owned()))?;
        let mut values = file.f32(&source.from)?;
        if let Some(rows) = &source.rows {
            let row: usize = source.shape.iter().skip(1).product();
            values.truncate(rows.end * row);
            values.drain(..(rows.start * row).min(values.len()));
        }
        if source.summed {
            values = sum_colors(&values, &source.shape);
        }
        Ok(values)
    }
}

/// `[out, colors, height, width]` to `[out, 1, height, width]`, the latter being `shape`.
fn sum_colors(values: &[f32], shape: &[usize]) -> Vec<f32> {
    let [out, _, height, width] = *shape else { return values.to_vec() };
    let area = height * width;
    let colors = values.len().checked_div(out * area).unwrap_or(0);
    let filters = values.chunks_exact((colors * area).max(1));
    let sum = |filter: &[f32], pixel| filter.iter().skip(pixel).step_by(area).sum::<f32>();
    filters.flat_map(|filter| (0..area).map(move |pixel| sum(filter, pixel))).collect()
}

type Rename = Box<dyn Fn(&str) -> Option<Renamed>>;

/// The layout of the names that start with `prefix`, and what it makes of a name without that.
fn recognize(file: &TensorFile, prefix: &str) -> Option<(Layout, Rename)> {
    let has = |name: &str| file.shape(&format!("{prefix}{name}")).is_some();
    let mut names = file.names().filter_map(|name| name.strip_prefix(prefix));
    if names.any(|name| name.starts_with(IMAGE) || name.starts_with(TEXT)) {
        let image = image_trunk(&|name| has(&format!("{IMAGE}{name}")));
        return Some((Layout::MedClip, Box::new(move |name| medclip(name, image))));
    }
    for prefix in ["", "swin."] {
        if has(&format!("{prefix}embeddings.patch_embeddings.projection.weight")) {
            return Some((Layout::HuggingFaceSwin, trunk(prefix, "classifier.", IMAGE, swin::hugging_face)));
        }
    }
    for prefix in ["", "bert."] {
        if has(&format!("{prefix}embeddings.word_embeddings.weight")) {
            return Some((Layout::HuggingFaceBert, trunk(prefix, "cls.", TEXT, bert::hugging_face)));
        }
    }
    if has("patch_embed.proj.weight") {
        let at_start = !has("layers.0.downsample.reduction.weight");
        return Some((Layout::TimmSwin, trunk("", "head.", IMAGE, move |name| swin::timm(name, at_start))));
    }
    if has("layer1.0.conv1.weight") {
        return Some((Layout::TorchvisionResNet, trunk("", "fc.", IMAGE, resnet::torchvision)));
    }
    if has("_conv_stem.weight") {
        return Some((Layout::EfficientNetLite, trunk("", "_fc.", IMAGE, efficientnet_lite::lite_pytorch)));
    }
    None
}

/// Names of a trunk under `prefix`, with a `head` beside it that stays behind, to names under `to`.
fn trunk(
    prefix: &'static str,
    head: &'static str,
    to: &'static str,
    rename: impl Fn(&str) -> Option<Renamed> + 'static,
) -> Rename {
    Box::new(move |name| {
        if name.starts_with(head) {
            return Some(Renamed::LeftBehind);
        }
        Some(rename(name.strip_prefix(prefix)?)?.under(to))
    })
}

type RenameTrunk = fn(&str) -> Option<Renamed>;

/// What names the image trunk of a MedCLIP; an EfficientNet-Lite has ours already.
fn image_trunk(has: &dyn Fn(&str) -> bool) -> RenameTrunk {
    if has("embeddings.patch_embeddings.projection.weight") {
        swin::hugging_face
    } else if has("stem.conv.weight") {
        |name| Some(Renamed::To(name.to_owned()))
    } else {
        |name| match name {
            "fc.weight" => Some(Renamed::To(name.to_owned())),
            _ => resnet::torchvision(name),
        }
    }
}

fn medclip(name: &str, image: RenameTrunk) -> Option<Renamed> {
    if let Some(name) = name.strip_prefix(IMAGE) {
        return Some(image(name)?.under(IMAGE));
    }
    if let Some(name) = name.strip_prefix(TEXT) {
        return Some(bert::hugging_face(name)?.under(TEXT));
    }
    let known = matches!(
        name,
        "logit_scale"
            | "vision_model.projection_head.weight"
            | "text_model.projection_head.weight"
            | "text_model.projection_head.bias"
    );
    known.then(|| Renamed::To(name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colors_are_summed_filter_by_filter() {
        let values: Vec<f32> = (0..12).map(|value| value as f32).collect();
        assert_eq!(sum_colors(&values, &[2, 1, 1, 2]), [6.0, 9.0, 24.0, 27.0]);
    }
}

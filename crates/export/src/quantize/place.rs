//! Towers in further precisions on their way into a bundle.

use std::fs;
use std::io;
use std::path::Path;

use medclip_core::bundle::{Bundle, BundleError, BundleFile, BundleWriter};
use medclip_core::precision::Precision;
use medclip_core::quantization::{Quantization, QuantizedTower};
use medclip_files::open_regular;
use medclip_files::sha256_of_file;

use crate::bundle::add_graph;
use crate::graph::OnnxFile;

/// Writes `bundle` to `directory` with these towers added: whole, or not at all. Graphs of `detach_from` bytes or more have
/// their weights in a file beside them.
///
/// Sums and sizes in the reports are filled in. A tower in a precision that the bundle has already is replaced; `directory`
/// may be the bundle itself, with `replace`. The new bundle's [`id`](Bundle::id) is that of `bundle`.
///
/// # Errors
/// [`BundleError`] when the bundle cannot be read or the directory cannot be written.
pub fn add_towers(
    bundle: &Bundle,
    towers: Vec<(QuantizedTower, OnnxFile)>,
    directory: impl AsRef<Path>,
    detach_from: usize,
    replace: bool,
) -> Result<(), BundleError> {
    let mut writer = BundleWriter::create(directory, replace)?;
    let mut reports = bundle.quantization().towers.clone();
    let mut left_out = vec![BundleFile::Quantization];
    for (report, _) in &towers {
        left_out.extend(BundleFile::tower(report.tower, report.precision));
        reports.retain(|old| (old.tower, old.precision) != (report.tower, report.precision));
    }
    for &file in bundle.files().iter().filter(|file| !left_out.contains(file)) {
        let path = bundle.path(file);
        let mut source =
            open_regular(&path).map_err(|source| BundleError::Io { path: path.clone(), source })?;
        writer.add_with(file, |out| io::copy(&mut source, out).map(drop))?;
    }
    for (report, graph) in towers {
        let files = BundleFile::tower(report.tower, report.precision);
        let sources = BundleFile::tower(report.tower, Precision::Fp32);
        let graph_sha256 = add_graph(&mut writer, files, graph, detach_from)?;
        let path = bundle.path(sources[0]);
        let source_sha256 =
            sha256_of_file(&path).map_err(|source| BundleError::Io { path: path.clone(), source })?;
        let size = |paths: [std::path::PathBuf; 2]| {
            paths.iter().filter_map(|path| fs::metadata(path).ok()).map(|file| file.len()).sum()
        };
        let bytes = [size(sources.map(|file| bundle.path(file))), size(files.map(|file| writer.path(file)))];
        reports.push(QuantizedTower { source_sha256, graph_sha256, bytes, ..report });
    }
    let path = writer.path(BundleFile::Quantization);
    let report =
        Quantization::new(reports).to_bytes().map_err(|source| BundleError::Quantization { path, source })?;
    writer.add(BundleFile::Quantization, &report)?;
    writer.finish()
}

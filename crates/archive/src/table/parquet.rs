//! Rows as Parquet: one row group a shard.

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use parquet::column::writer::ColumnCloseResult;
use parquet::data_type::{ByteArray, ByteArrayType, DataType, FloatType, Int32Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::reader::FileReader;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::{Type, TypePtr};

use super::columns::id_columns;
use crate::run::Settings;
use medclip_data::ParquetFile;
use medclip_scorer::{Report, Schema, Scores};

type Result<T> = std::result::Result<T, ParquetError>;

/// Said in the metadata of every file.
const NOTICE: &str = "Research use only, not for diagnosis.";

/// Metadata of a file: the options of the run as a JSON object.
pub(super) const OPTIONS: &str = "medclip.options";
/// Metadata of a file: the model's name.
pub(super) const MODEL: &str = "medclip.model";

pub(super) fn encode(settings: &Settings, rows: &[Report]) -> io::Result<Vec<u8>> {
    encoded(settings, rows).map_err(io::Error::other)
}

/// Report groups are copied as they are.
pub(super) fn join(settings: &Settings, files: &[PathBuf], out: &mut (dyn Write + Send)) -> io::Result<()> {
    joined(settings, files, out).map_err(io::Error::other)
}

fn encoded(settings: &Settings, rows: &[Report]) -> Result<Vec<u8>> {
    let columns = &settings.schema;
    let mut writer = SerializedFileWriter::new(Vec::new(), schema(columns)?, properties(settings)?)?;
    if !rows.is_empty() {
        let mut group = writer.next_row_group()?;
        write(&mut group, columns, rows)?;
        group.close()?;
    }
    writer.into_inner()
}

fn joined(settings: &Settings, files: &[PathBuf], out: &mut (dyn Write + Send)) -> Result<()> {
    let mut writer = SerializedFileWriter::new(out, schema(&settings.schema)?, properties(settings)?)?;
    for path in files {
        let file = File::open(path)?;
        let reader = ParquetFile::open(file.try_clone()?)?;
        for group in reader.metadata().row_groups() {
            let mut copy = writer.next_row_group()?;
            for column in group.columns() {
                let chunk = ColumnCloseResult {
                    bytes_written: column.compressed_size() as u64,
                    rows_written: group.num_rows() as u64,
                    metadata: column.clone(),
                    bloom_filter: None,
                    column_index: None,
                    offset_index: None,
                };
                copy.append_column(&file, chunk)?;
            }
            copy.close()?;
        }
    }
    writer.close()?;
    Ok(())
}

fn properties(settings: &Settings) -> Result<Arc<WriterProperties>> {
    let Settings { schema: columns, options, .. } = settings;
    let options = serde_json::to_string(options).map_err(|error| ParquetError::External(error.into()))?;
    let said = [
        ("medclip.notice", NOTICE),
        (MODEL, &columns.model),
        ("medclip.model_id", &columns.model_id),
        (OPTIONS, &options),
    ];
    let said = said.map(|(key, value)| KeyValue::new(key.to_owned(), value.to_owned()));
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_key_value_metadata(Some(said.to_vec()));
    Ok(Arc::new(properties.build()))
}

/// In the order in which [`write()`] writes.
pub(super) fn schema(columns: &Schema) -> Result<TypePtr> {
    let text = |name: &str, repetition| {
        let field = Type::primitive_type_builder(name, Physical::BYTE_ARRAY).with_repetition(repetition);
        field.with_logical_type(Some(LogicalType::String)).build().map(Arc::new)
    };
    let number = |name: &str, repetition| {
        let field = Type::primitive_type_builder(name, Physical::FLOAT).with_repetition(repetition);
        field.build().map(Arc::new)
    };
    let list = |name: &str, repetition, element: TypePtr| {
        let inner = Type::group_type_builder("list").with_repetition(Repetition::REPEATED);
        let inner = Arc::new(inner.with_fields(vec![element]).build()?);
        let outer = Type::group_type_builder(name).with_repetition(repetition);
        let outer = outer.with_logical_type(Some(LogicalType::List)).with_fields(vec![inner]);
        outer.build().map(Arc::new)
    };
    let (required, optional) = (Repetition::REQUIRED, Repetition::OPTIONAL);
    let version = Type::primitive_type_builder("schema", Physical::INT32).with_repetition(required);
    let mut fields = vec![text("path", required)?];
    for column in id_columns(columns) {
        fields.push(text(column.name, optional)?);
    }
    for name in ["model", "model_id", "engine"] {
        fields.push(text(name, required)?);
    }
    for name in ["qc", "notes"] {
        fields.push(list(name, required, text("element", required)?)?);
    }
    fields.extend([text("error_kind", optional)?, text("error", optional)?]);
    for class in &columns.classes {
        fields.push(number(&format!("{class} logit"), optional)?);
        fields.push(number(&format!("{class} probability"), optional)?);
    }
    if columns.embedding_dim.is_some() {
        fields.push(list("embedding", optional, number("element", required)?)?);
    }
    fields.push(Arc::new(version.build()?));
    Type::group_type_builder("row").with_fields(fields).build().map(Arc::new)
}

fn write<'a, W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    columns: &'a Schema,
    rows: &'a [Report],
) -> Result<()> {
    let texts = |group: &mut _, of: &dyn Fn(&'a Report) -> &'a str| {
        let values: Vec<ByteArray> = rows.iter().map(|row| of(row).into()).collect();
        next::<ByteArrayType, W>(group, &values, None, None)
    };
    let optional_texts = |group: &mut _, of: &dyn Fn(&'a Report) -> Option<&'a str>| {
        let (values, present) = present(rows.iter().map(|row| of(row).map(ByteArray::from)));
        next::<ByteArrayType, W>(group, &values, Some(&present), None)
    };
    let lists = |group: &mut _, lists: Lists<ByteArray>| {
        next::<ByteArrayType, W>(group, &lists.values, Some(&lists.depths), Some(&lists.continues))
    };
    let numbers = |group: &mut _, of: &dyn Fn(&Scores) -> f32| {
        let (values, present) = present(rows.iter().map(|row| row.outcome.as_ref().ok().map(of)));
        next::<FloatType, W>(group, &values, Some(&present), None)
    };
    texts(group, &|row| row.path.as_deref().unwrap_or_default())?;
    for column in id_columns(columns) {
        optional_texts(group, &|row| (column.get)(&row.identity))?;
    }
    texts(group, &|_| &columns.model)?;
    texts(group, &|_| &columns.model_id)?;
    texts(group, &|_| &columns.engine)?;
    let codes = rows.iter().map(|row| row.qc.iter().map(|code| code.name().into()).collect());
    lists(group, Lists::<ByteArray>::new(codes.map(Some), 0))?;
    let notes = rows.iter().map(|row| row.notes.iter().map(|note| (&*note.code).into()).collect());
    lists(group, Lists::<ByteArray>::new(notes.map(Some), 0))?;
    optional_texts(group, &|row| row.outcome.as_ref().err().map(|failure| &*failure.kind))?;
    optional_texts(group, &|row| row.outcome.as_ref().err().map(|failure| failure.message.as_str()))?;
    for class in 0..columns.classes.len() {
        numbers(group, &|scores| scores.findings[class].0)?;
        numbers(group, &|scores| scores.findings[class].1)?;
    }
    if columns.embedding_dim.is_some() {
        let embeddings = rows.iter().map(|row| row.outcome.as_ref().ok().and_then(|s| s.embedding.clone()));
        let lists = Lists::new(embeddings, 1);
        next::<FloatType, W>(group, &lists.values, Some(&lists.depths), Some(&lists.continues))?;
    }
    next::<Int32Type, W>(group, &vec![Schema::VERSION as i32; rows.len()], None, None)
}

/// Writes the next column of the schema.
fn next<T: DataType, W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    values: &[T::T],
    definition: Option<&[i16]>,
    repetition: Option<&[i16]>,
) -> Result<()> {
    let column = group.next_column()?;
    let mut column = column.ok_or_else(|| ParquetError::General("a column too many".to_owned()))?;
    column.typed::<T>().write_batch(values, definition, repetition)?;
    column.close()
}

/// The values that are there, and for every row whether there is one.
fn present<T>(values: impl Iterator<Item = Option<T>>) -> (Vec<T>, Vec<i16>) {
    let (mut some, mut levels) = (Vec::new(), Vec::new());
    for value in values {
        levels.push(i16::from(value.is_some()));
        some.extend(value);
    }
    (some, levels)
}

/// Lists as Parquet has them: all elements, and for each how deep it lies and whether it continues its row's list.
struct Lists<T> {
    values: Vec<T>,
    depths: Vec<i16>,
    continues: Vec<i16>,
}

impl<T> Lists<T> {
    /// `empty` is the depth of an empty list: 0, or 1 where a row may have none.
    fn new(rows: impl Iterator<Item = Option<Vec<T>>>, empty: i16) -> Self {
        let mut lists = Self { values: Vec::new(), depths: Vec::new(), continues: Vec::new() };
        for row in rows {
            let depth = if row.is_some() { empty } else { 0 };
            let elements = row.unwrap_or_default();
            if elements.is_empty() {
                lists.depths.push(depth);
                lists.continues.push(0);
            }
            for (position, element) in elements.into_iter().enumerate() {
                lists.values.push(element);
                lists.depths.push(empty + 1);
                lists.continues.push(i16::from(position > 0));
            }
        }
        lists
    }
}

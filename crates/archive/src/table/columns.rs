//! The columns of rows that say which object a film is.

use medclip_decode::Identity;
use medclip_scorer::Schema;

/// An identifier as a column.
#[derive(Debug, Clone, Copy)]
pub(super) struct IdColumn {
    pub(super) name: &'static str,
    pub(super) get: fn(&Identity) -> Option<&str>,
    pub(super) field: fn(&mut Identity) -> &mut Option<String>,
}

macro_rules! column {
    ($name:literal, $field:ident) => {
        IdColumn { name: $name, get: |id| id.$field.as_deref(), field: |id| &mut id.$field }
    };
}

/// In the order of the table, behind `path`.
pub(super) fn id_columns(schema: &Schema) -> Vec<IdColumn> {
    let patient = schema.patient;
    let always = [
        column!("sop_instance_uid", sop_instance_uid),
        column!("study_instance_uid", study_instance_uid),
        column!("view", view_position),
    ];
    let on_request = [
        (patient.id, column!("patient_id", patient_id)),
        (patient.study_date, column!("study_date", study_date)),
        (patient.sex, column!("sex", sex)),
        (patient.age, column!("age", age)),
    ];
    let wanted = on_request.into_iter().filter(|(is_wanted, _)| *is_wanted).map(|(_, column)| column);
    always.into_iter().chain(wanted).collect()
}

//! MIMIC-CXR-JPG.

use std::io::Write;

use medclip_data::{MimicLabels, PrepareOptions};

use crate::tree::{Tree, left_out, marks, rows};

const METADATA: &str = "mimic-cxr-2.0.0-metadata.csv";
const SPLIT: &str = "mimic-cxr-2.0.0-split.csv";
const CHEXPERT: &str = "mimic-cxr-2.0.0-chexpert.csv";
const NEGBIO: &str = "mimic-cxr-2.0.0-negbio.csv.gz";

const LABELS: &str = "subject_id,study_id,Atelectasis,Cardiomegaly,Consolidation,Edema,Enlarged Cardiomediastinum,Fracture,Lung Lesion,\
                      Lung Opacity,No Finding,Pleural Effusion,Pleural Other,Pneumonia,Pneumothorax,Support Devices\n";

pub(crate) fn tree() -> Tree {
    let tree = Tree::new("mimic");
    let metadata = "dicom_id,subject_id,study_id,PerformedProcedureStepDescription,ViewPosition,Rows,Columns,StudyDate,StudyTime,\
                    ProcedureCodeSequence_CodeMeaning,ViewCodeSequence_CodeMeaning,PatientOrientationCodeSequence_CodeMeaning\n\
                    aa-1,10000032,50414267,CHEST (PA AND LAT),PA,3056,2544,21800506,213014.531,CHEST (PA AND LAT),postero-anterior,Erect\n\
                    aa-2,10000032,50414267,CHEST (PA AND LAT),LATERAL,3056,2544,21800506,213014.531,CHEST (PA AND LAT),lateral,Erect\n\
                    bb-1,10000032,53189527,\"CHEST, PORTABLE\",,3056,2544,21800626,165500.312,CHEST (PORTABLE AP),antero-posterior,\n\
                    cc-1,12000001,54000001,CHEST,AP AXIAL,3056,2544,21800626,165500.312,CHEST,,\n\
                    dd-1,13000001,55000001,CHEST,AP,3056,2544,21800626,165500.312,CHEST,,\n\
                    ee-1,13000001,55000001,CHEST,AP,3056,2544,21800626,165500.312,CHEST,,\n";
    let split = "dicom_id,study_id,subject_id,split\naa-1,50414267,10000032,train\naa-2,50414267,10000032,train\n\
                 bb-1,53189527,10000032,train\ncc-1,54000001,12000001,validate\ndd-1,55000001,13000001,test\nzz-1,59,19,test\n";
    let chexpert = format!(
        "{LABELS}10000032,50414267,,,,,,,,,1.0,,,,,\n10000032,53189527,-1.0,1.0,,0.0,,,,1.0,,,,-1.0,,1.0\n\
         12000001,54000001,,,,,,1.0,,,,,,,,\n"
    );
    let mut negbio = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    negbio.write_all(format!("{LABELS}10000032,50414267,,,,1.0,,,,,,,,,,\n").as_bytes()).unwrap();
    tree.write(METADATA, metadata)
        .write(SPLIT, split)
        .write(CHEXPERT, chexpert)
        .write(NEGBIO, negbio.finish().unwrap())
        .write(
            "files/p10/p10000032/s50414267.txt",
            " FINAL REPORT\n INDICATION: Rule out pneumonia.\n\n FINDINGS:\n \n There is no, focal consolidation.\n\n IMPRESSION: \"Normal\".\n",
        )
        .write("files/p10/p10000032/s53189527.txt", " WET READ: clear\n")
        .images([
            "files/p10/p10000032/s50414267/aa-1.jpg",
            "files/p10/p10000032/s50414267/aa-2.jpg",
            "files/p10/p10000032/s53189527/bb-1.jpg",
            "files/p12/p12000001/s54000001/cc-1.jpg",
            "files/p13/p13000001/s55000001/ee-1.jpg",
        ]);
    tree
}

#[test]
fn becomes_a_manifest() {
    let prepared = tree().prepare();
    let text = "\"There is no, focal consolidation. \"\"Normal\"\".\"";
    let expected = format!(
        "files/p10/p10000032/s50414267/aa-1.jpg,train,mimic,mimic:10000032,mimic:10000032,PA,1,,,,,,,,,,,,,,,{text}\n\
         files/p10/p10000032/s50414267/aa-2.jpg,train,mimic,mimic:10000032,mimic:10000032,Lateral,1,,,,,,,,,,,,,,,{text}\n\
         files/p10/p10000032/s53189527/bb-1.jpg,train,mimic,mimic:10000032,mimic:10000032,,,,1,,1,0,,,,,,,,1,,\n\
         files/p12/p12000001/s54000001/cc-1.jpg,val,mimic,mimic:12000001,mimic:12000001,AP AXIAL,,,,,,,,,,,,,1,,,\n"
    );
    assert_eq!(rows(&prepared), expected);
    // dd-1 has no image, ee-1 no part, zz-1 no row.
    assert_eq!(
        left_out(&prepared),
        [
            "the image is missing: 1",
            "not in the official division: 1",
            "in the official division, but in no table: 1"
        ]
    );
}

#[test]
fn labels_of_negbio_are_read_where_they_are_asked_for() {
    let options = PrepareOptions { mimic_labels: MimicLabels::Negbio, ..PrepareOptions::default() };
    let prepared = tree().prepare_with(&options);
    assert_eq!(marks(&prepared, 0), ".....1........");
    assert_eq!(marks(&prepared, 2), "..............", "a study without a row");
}

#[test]
fn refusals_name_file_row_and_column() {
    let tree = tree();
    assert_eq!(
        tree.refused_after(SPLIT, "dicom_id,study_id,subject_id,split", "dicom_id,study_id,subject_id,part"),
        "MIMIC-CXR-JPG: mimic-cxr-2.0.0-split.csv cannot be used: column `split` is missing; the columns are `dicom_id`, `study_id`, \
         `subject_id`, `part`"
    );
    assert_eq!(
        tree.refused_after(SPLIT, "bb-1,53189527,10000032,train", "bb-1,53189527,10000032,test"),
        "patient `mimic:10000032` is in two parts of MIMIC-CXR-JPG: mimic-cxr-2.0.0-metadata.csv, row 1 (line 2) puts it into train, \
         mimic-cxr-2.0.0-metadata.csv, row 3 (line 4) into test; keep it in one of them"
    );
    assert!(
        tree.refused_after(SPLIT, "validate", "valid")
            .ends_with("column `split`: `valid` is not train, validate or test")
    );
    assert_eq!(
        tree.refused_after(SPLIT, "aa-2,", "aa-1,"),
        "mimic-cxr-2.0.0-split.csv, row 2 (line 3): `aa-1` is also on mimic-cxr-2.0.0-split.csv, row 1 (line 2); remove one of them"
    );
    assert!(tree.refused_after(METADATA, "aa-2,", "aa-1,").contains("aa-1.jpg` is also on"));
    assert!(tree.refused_after(CHEXPERT, "Edema", "Oedema").contains("column `Edema` is missing"));
    assert_eq!(
        tree.remove(CHEXPERT).refused(),
        "MIMIC-CXR-JPG is incomplete: DIR has none of mimic-cxr-2.0.0-chexpert.csv, mimic-cxr-2.0.0-chexpert.csv.gz; unpack what is \
         missing there"
    );
}

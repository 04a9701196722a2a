//! `PadChest`.

use medclip_data::{PrepareOptions, Undivided, UnknownLabels, UnlistedAs};

use crate::tree::{Tree, left_out, marks, rows, unmapped};

const TABLE: &str = "PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv";

pub(crate) fn tree() -> Tree {
    let tree = Tree::new("padchest");
    let end = "\"['loc right']\",\"[['x', 'y']]\",['C1'],['C2']";
    tree.write(
        TABLE,
        format!(
            ",ImageID,ImageDir,StudyDate_DICOM,StudyID,PatientID,PatientBirth,Projection,MethodProjection,Pediatric,ReportID,Report,\
             MethodLabel,Labels,Localizations,LabelsLocalizationsBySentence,labelCUIS,LocalizationsCUIS\n\
             0,a.png,0,20140915,s1,839860488694292331637988235681460987,1930,PA,Manual,No,4765777,sin hallazg patolog .,Physician,['normal'],{end}\n\
             1,b.png,0,20140915,s2,p2,1930,L,Manual,No,4765778,\"neumon , derram .\",Physician,\"['pneumonia', ' pleural effusion', 'scoliosis']\",{end}\n\
             2,c.png,12,20140916,s3,p2,1930,AP_horizontal,Manual,No,4765779,marcapas .,RNN_model,\"['pacemaker', 'NSG tube']\",{end}\n\
             3,d.png,12,20140917,s4,p3,1930,EXCLUDE,Manual,No,4765780,nada .,Physician,['exclude'],{end}\n\
             4,e.png,12,20140917,s5,p4,1930,UNK,Manual,No,4765781,sin cambi .,Physician,\"['unchanged', 'normal', 'nodule']\",{end}\n\
             5,f.png,13,20140917,s6,p5,1930,COSTAL,Manual,No,4765782,nada .,,,,,,\n\
             6,g.png,13,20140917,s7,p6,1930,PA,Manual,No,4765783,nada .,Physician,['suboptimal study'],{end}\n\
             7,h.png,13,20140917,s8,p7,1930,PA,Manual,No,4765784,nada .,Physician,['normal'],{end}\n"
        ),
    )
    .images(["0/a.png", "images/0/b.png", "images/c.png", "12/d.png", "e.png", "13/f.png", "13/g.png"]);
    tree
}

#[test]
fn becomes_a_manifest_without_spanish() {
    let prepared = tree().prepare();
    let first = "padchest:839860488694292331637988235681460987";
    let expected = format!(
        "0/a.png,train,padchest,{first},{first},PA,1,,,,,,,,,,,,,,normal,\n\
         images/0/b.png,train,padchest,padchest:p2,padchest:p2,Lateral,0,,,,1,,,1,,,1,,,,pneumonia|pleural effusion|scoliosis,\n\
         images/c.png,train,padchest,padchest:p2,padchest:p2,AP,,,,,,,,,,,,,,1,pacemaker|NSG tube,\n\
         e.png,train,padchest,padchest:p4,padchest:p4,,,,,1,1,,,,,,,,,,unchanged|normal|nodule,\n\
         13/f.png,train,padchest,padchest:p5,padchest:p5,Costal,,,,,,,,,,,,,,,,\n\
         13/g.png,train,padchest,padchest:p6,padchest:p6,PA,,,,,,,,,,,,,,,suboptimal study,\n"
    );
    assert_eq!(rows(&prepared), expected);
    assert_eq!(unmapped(&prepared), ["scoliosis: 1", "suboptimal study: 1", "unchanged: 1"]);
    assert_eq!(left_out(&prepared), ["the image is missing: 1", "excluded by the authors: 1"]);
}

#[test]
fn choices_change_what_lists_mean() {
    let options = PrepareOptions {
        unlisted: Some(UnlistedAs::Absent),
        physicians_only: true,
        undivided: Undivided::Drawn { val: 0.25, test: 0.25 },
        ..PrepareOptions::default()
    };
    let prepared = tree().prepare_with(&options);
    assert_eq!(marks(&prepared, 0), "10000000000000");
    assert_eq!(marks(&prepared, 1), "00001001001000");
    assert_eq!(prepared.counts().splits.map(|(_, films)| films), [2, 1, 1]);
    assert_eq!(
        left_out(&prepared),
        ["the image is missing: 1", "excluded by the authors: 1", "labeled by a network: 2"]
    );
}

#[test]
fn refusals_name_file_row_and_column() {
    let tree = tree();
    assert!(tree.refused_after(TABLE, "MethodLabel,Labels,", "MethodLabel,Label,").starts_with(&format!(
        "PadChest: {TABLE} cannot be used: column `Labels` is missing; the columns are ``, `ImageID`"
    )));
    assert_eq!(
        tree.refused_after(TABLE, "'scoliosis'", "'escoliosis'"),
        format!(
            "{TABLE}, row 2 (line 3): `escoliosis` is not a label of PadChest; correct it, or have unknown labels counted"
        )
    );
    assert!(
        tree.refused_after(TABLE, "['suboptimal study']", "suboptimal study").ends_with(
            "row 7 (line 8), column `Labels`: `suboptimal study` is not a list such as ['normal']"
        )
    );
    assert!(
        tree.refused_after(TABLE, "marcapas .,RNN_model", "marcapas .,GPT")
            .ends_with("`GPT` is not Physician or RNN_model")
    );
    assert!(tree.refused_after(TABLE, "1,b.png", "1,a.png").contains("`0/a.png` is also on"));
    assert!(
        tree.edit(TABLE, "s8,p7", "s8,")
            .refused()
            .ends_with("row 8 (line 9), column `PatientID`: `` is not a name")
    );
}

#[test]
fn unknown_labels_are_counted_where_that_is_asked_for() {
    let tree = tree();
    tree.edit(TABLE, "'scoliosis'", "'escoliosis'");
    let options = PrepareOptions { unknown_labels: UnknownLabels::Count, ..PrepareOptions::default() };
    assert_eq!(unmapped(&tree.prepare_with(&options))[0], "escoliosis: 1");
}

//! Open-I.

use medclip_data::{PrepareOptions, UnlistedAs};

use crate::tree::{Tree, left_out, marks, rows, unmapped};

fn report(id: &str, codes: &[&str], findings: &str, impression: &str, images: &[&str]) -> String {
    let codes: Vec<String> = codes.iter().map(|code| format!("<major>{code}</major>")).collect();
    let images: Vec<String> = images
        .iter()
        .map(|image| format!("<parentImage id=\"{image}\"><figureId>F1</figureId><caption>PA and Lateral</caption></parentImage>"))
        .collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<eCitation><meta type=\"rr\"/><uId id=\"{id}\"/><pmcId id=\"1\"/>\
         <MedlineCitation Owner=\"Indiana University\" Status=\"supplied by publisher\"><Article PubModel=\"Electronic\"><Abstract>\
         <AbstractText Label=\"COMPARISON\">None.</AbstractText><AbstractText Label=\"INDICATION\">Pneumonia?</AbstractText>\
         <AbstractText Label=\"FINDINGS\">{findings}</AbstractText><AbstractText Label=\"IMPRESSION\">{impression}</AbstractText>\
         </Abstract></Article></MedlineCitation><MeSH>{}<automatic>heart</automatic></MeSH>{}</eCitation>\n",
        codes.concat(),
        images.concat()
    )
}

pub(crate) fn tree() -> Tree {
    let tree = Tree::new("openi");
    let file = |number: &str| format!("ecgen-radiology/{number}.xml");
    tree.write(
        &file("1"),
        report(
            "CXR1",
            &["normal"],
            "The lungs\n are \"clear\", no XXXX &amp; edema.",
            "Normal.",
            &["CXR1_1_IM-0001-3001", "CXR1_1_IM-0001-4001"],
        ),
    )
    .write(
        &file("10"),
        report(
            "CXR10",
            &["Opacity/lung/base/left", "Pleural Effusion/right", "Scoliosis"],
            "",
            "Effusion.",
            &["CXR10_IM-0002-1001"],
        ),
    )
    .write(&file("2"), report("CXR2", &["No Indexing"], "", "", &["CXR2_IM-0652-1001"]))
    .write(&file("3"), report("CXR3", &["Nodule"], "Nodule.", "", &["CXR3_IM-1384-1001"]))
    .write(&file("4"), report("CXR4", &["normal"], "Clear.", "", &[]))
    .images([
        "CXR1_1_IM-0001-3001.png",
        "NLMCXR_png/CXR1_1_IM-0001-4001.png",
        "images/CXR10_IM-0002-1001.png",
        "CXR2_IM-0652-1001.png",
    ]);
    tree
}

#[test]
fn becomes_a_manifest() {
    let prepared = tree().prepare();
    let text = "\"The lungs are \"\"clear\"\", no XXXX & edema. Normal.\"";
    let expected = format!(
        "CXR1_1_IM-0001-3001.png,train,openi,iu:CXR1,iu:CXR1,,1,0,0,0,0,0,0,0,0,0,0,0,0,0,normal,{text}\n\
         NLMCXR_png/CXR1_1_IM-0001-4001.png,train,openi,iu:CXR1,iu:CXR1,,1,0,0,0,0,0,0,0,0,0,0,0,0,0,normal,{text}\n\
         CXR2_IM-0652-1001.png,train,openi,iu:CXR2,iu:CXR2,,,,,,,,,,,,,,,,No Indexing,\n\
         images/CXR10_IM-0002-1001.png,train,openi,iu:CXR10,iu:CXR10,,0,0,0,0,1,0,0,0,0,0,1,0,0,0,Opacity/lung/base/left|Pleural Effusion/right|Scoliosis,Effusion.\n"
    );
    assert_eq!(rows(&prepared), expected);
    assert_eq!(unmapped(&prepared), ["No Indexing: 1", "Scoliosis: 1"]);
    assert_eq!(left_out(&prepared), ["the image is missing: 1", "a report without images: 1"]);
}

#[test]
fn views_come_from_the_copy_of_kaggle() {
    let tree = tree();
    tree.write(
        "indiana_projections.csv",
        "uid,filename,projection\n1,1_1_IM-0001-3001.dcm.png,Frontal\n1,1_1_IM-0001-4001.dcm.png,Lateral\n10,10_IM-0002-1001.dcm.png,Frontal\n",
    );
    let views: Vec<String> = tree.prepare().rows.into_iter().map(|row| row.view).collect();
    assert_eq!(views, ["Frontal", "Lateral", "", "Frontal"]);
    let wrong = tree.refused_after("indiana_projections.csv", "projection", "view");
    assert!(
        wrong.contains("indiana_projections.csv cannot be used: column `projection` is missing"),
        "{wrong}"
    );
}

#[test]
fn codes_need_not_be_complete() {
    let options = PrepareOptions { unlisted: Some(UnlistedAs::Blank), ..PrepareOptions::default() };
    let prepared = tree().prepare_with(&options);
    assert_eq!(marks(&prepared, 0), "1.............");
    assert_eq!(marks(&prepared, 3), "0...1.....1...");
}

#[test]
fn refusals_name_the_file_and_what_it_has() {
    let (tree, first) = (tree(), "ecgen-radiology/1.xml");
    assert_eq!(
        tree.refused_after(first, "uId id", "uid id"),
        "Open-I: cannot read ecgen-radiology/1.xml: the report has no `uId`; the elements of the first level are meta, uid, pmcId, \
         MedlineCitation, MeSH, parentImage, parentImage"
    );
    assert_eq!(
        tree.refused_after("ecgen-radiology/2.xml", "uId id=\"CXR2\"", "uId id=\"CXR1\""),
        "ecgen-radiology/2.xml: `CXR1` is also on ecgen-radiology/1.xml; remove one of them"
    );
    assert!(
        tree.refused_after("ecgen-radiology/2.xml", "CXR2_IM-0652-1001", "CXR1_1_IM-0001-3001")
            .contains("`CXR1_1_IM-0001-3001.png` is also on ecgen-radiology/1.xml")
    );
    assert!(
        tree.refused_after(first, "</eCitation>", "")
            .starts_with("Open-I: cannot read ecgen-radiology/1.xml: not a readable XML")
    );
    assert!(
        tree.refused_after(first, "CXR1_1_IM-0001-3001", "../secret")
            .contains("the image `../secret` is not a plain name")
    );
    assert!(
        Tree::new("openi")
            .refused()
            .contains("DIR has none of ecgen-radiology, NLMCXR_reports/ecgen-radiology")
    );
}

//! The structure of every chart, its refusals, and hostile text.

#![allow(clippy::unwrap_used, reason = "a test whose setting is broken fails")]

use medclip_plot::{
    Block, CalibrationBin, CalibrationChart, CalibrationPanel, Curve, CurveChart, EfficiencyChart,
    EfficiencyCurve, EmbeddingClass, EmbeddingMap, Estimate, Page, Picture, PlotError, RocChart, RocCurve,
    SharePoint, Svg, Table,
};
use roxmltree::{Document, Node};

/// A name that markup must not take literally, with a character that XML cannot write.
const HOSTILE: &str = "<b>&\"'\u{1}";

fn estimate(value: f64) -> Estimate {
    Estimate { value, interval: Some((value - 0.1, value + 0.1)) }
}

fn roc(points: &[(f64, f64)]) -> RocChart {
    let curve =
        |name: &str| RocCurve { name: name.to_owned(), points: points.to_vec(), auroc: estimate(0.8) };
    RocChart { title: HOSTILE.to_owned(), curves: vec![curve(HOSTILE), curve("Edema")] }
}

fn calibration(predicted: f64) -> CalibrationChart {
    let bins = vec![
        CalibrationBin { predicted: 0.2, observed: estimate(0.3) },
        CalibrationBin { predicted, observed: estimate(0.5) },
    ];
    let panel = |name: &str| CalibrationPanel {
        name: name.to_owned(),
        bins: bins.clone(),
        expected_calibration_error: 0.125,
        count: 40,
    };
    let panels = ["a", HOSTILE, "c", "d"].map(panel).to_vec();
    CalibrationChart { title: "Calibration".to_owned(), panels, notes: vec![HOSTILE.to_owned()] }
}

fn efficiency(share: f64, value: f64) -> EfficiencyChart {
    let points =
        [(0.1, 0.6), (share, value)].map(|(share, value)| SharePoint { share, score: estimate(value) });
    EfficiencyChart {
        title: "Data efficiency".to_owned(),
        share: "Share of the patients".to_owned(),
        score: "AUROC".to_owned(),
        curves: vec![EfficiencyCurve { name: HOSTILE.to_owned(), points: points.to_vec() }],
        notes: Vec::new(),
    }
}

fn map(x: f64) -> EmbeddingMap {
    let class = |name: &str, points: Vec<(f64, f64)>, is_background| EmbeddingClass {
        name: name.to_owned(),
        points,
        is_background,
    };
    EmbeddingMap {
        title: "Embeddings".to_owned(),
        x: "first component".to_owned(),
        y: "second component".to_owned(),
        classes: vec![
            class("Edema", vec![(0.1, 0.2), (x, 0.3)], false),
            class(HOSTILE, vec![(0.0, 0.0)], true),
            class("nobody", Vec::new(), false),
        ],
        notes: Vec::new(),
    }
}

fn curves(is_logarithmic: bool, values: &[f64]) -> CurveChart {
    let points: Vec<(f64, f64)> =
        values.iter().enumerate().map(|(index, value)| (index as f64, *value)).collect();
    CurveChart {
        title: "Loss".to_owned(),
        x: "Epoch".to_owned(),
        y: "Loss (nats)".to_owned(),
        is_logarithmic,
        curves: vec![
            Curve { name: "step".to_owned(), points: points.clone(), is_faint: true },
            Curve { name: HOSTILE.to_owned(), points, is_faint: false },
        ],
    }
}

/// Text elements, as a reader sees them.
fn texts(document: &Document<'_>) -> Vec<String> {
    let is_text = |node: &Node<'_, '_>| node.has_tag_name(("http://www.w3.org/2000/svg", "text"));
    document.descendants().filter(is_text).map(|node| node.text().unwrap_or_default().to_owned()).collect()
}

fn count(document: &Document<'_>, element: &str) -> usize {
    document.descendants().filter(|node| node.tag_name().name() == element).count()
}

#[test]
fn every_chart_is_well_formed_titled_and_keeps_hostile_text_as_text() {
    // Lines: the curves, the diagonal, and their samples in the legend. Paths: intervals, points that are no circles.
    let charts: [(&str, Svg, usize, usize, &[&str]); 6] = [
        (
            "roc",
            roc(&[(0.0, 0.0), (1.0, 1.0)]).draw().unwrap(),
            6,
            0,
            &["<b>&\"'\u{FFFD} 0.800 (0.700–0.900)"],
        ),
        ("calibration", calibration(0.6).draw().unwrap(), 8, 4, &["ECE 0.125, n = 40", "Observed frequency"]),
        ("efficiency", efficiency(1.0, 0.8).draw().unwrap(), 2, 1, &["10 %", "100 %", "AUROC"]),
        ("map", map(0.7).draw().unwrap(), 0, 0, &["Edema (2)", "<b>&\"'\u{FFFD} (1)"]),
        ("curves", curves(false, &[3.0, 2.0, 1.0]).draw().unwrap(), 4, 0, &["Epoch", "Loss (nats)"]),
        ("logarithmic curves", curves(true, &[3.0, 0.2]).draw().unwrap(), 4, 0, &["0.5", "2"]),
    ];
    for (name, chart, lines, paths, expected) in charts {
        let file = chart.to_file();
        let document = Document::parse(&file).unwrap();
        let texts = texts(&document);
        assert_eq!(
            (count(&document, "polyline"), count(&document, "path")),
            (lines, paths),
            "{name}: {file}"
        );
        for text in expected {
            assert!(texts.iter().any(|found| found == text), "{name} has no {text:?}: {texts:?}");
        }
        assert!(texts.iter().any(|text| text.contains("<b>&\"'\u{FFFD}")), "{name}: {texts:?}");
        assert_eq!(count(&document, "b"), 0, "{name}");
        let root = document.root_element();
        assert!(!root.attribute("aria-label").unwrap().is_empty());
        let [width, height] =
            ["width", "height"].map(|side| root.attribute(side).unwrap().parse::<f64>().unwrap());
        assert!(
            (200.0..1500.0).contains(&width) && (200.0..1500.0).contains(&height),
            "{name}: {width}×{height}"
        );
        assert!(!file.contains("NaN") && !file.contains("inf"), "{name}");
        Document::parse(&chart.to_inline()).unwrap();
    }
}

#[test]
fn curves_lie_where_their_values_say() {
    let file = roc(&[(0.0, 0.0), (0.25, 0.5), (1.0, 1.0)]).draw().unwrap().to_file();
    let document = Document::parse(&file).unwrap();
    let lines: Vec<Vec<f64>> = document
        .descendants()
        .filter(|node| node.tag_name().name() == "polyline")
        .map(|node| {
            let points = node.attribute("points").unwrap();
            points.split([' ', ',']).map(|number| number.parse().unwrap()).collect()
        })
        .collect();
    let [left, bottom, right, top] = lines[0][..] else { panic!("the diagonal comes first") };
    let expected = [left, bottom, left + 0.25 * (right - left), bottom + 0.5 * (top - bottom), right, top];
    for (found, expected) in lines[1].iter().zip(expected) {
        assert!((found - expected).abs() < 0.02, "{:?}", lines[1]);
    }
    assert!(right - left == 400.0 && bottom - top == 400.0);
}

#[test]
fn the_same_data_give_the_same_bytes() {
    let draw = || map(0.7).draw().unwrap().to_file() + &efficiency(1.0, 0.8).draw().unwrap().to_file();
    assert_eq!(draw(), draw());
}

#[test]
fn what_cannot_be_drawn_is_an_error() {
    let nan = f64::NAN;
    let empty_curve = RocChart {
        title: "a".to_owned(),
        curves: vec![RocCurve { points: Vec::new(), ..roc(&[]).curves[1].clone() }],
    };
    let cases: [(&str, Result<Svg, PlotError>, &str); 12] = [
        (
            "no curve",
            RocChart { title: "ROC".to_owned(), curves: Vec::new() }.draw(),
            "ROC: there is nothing to draw",
        ),
        ("empty curve", empty_curve.draw(), "Edema: there is nothing to draw"),
        ("rate", roc(&[(0.0, 1.5)]).draw(), "1.5 is not in 0–1"),
        ("rate that is no number", roc(&[(nan, 0.5)]).draw(), "NaN is not in 0–1"),
        ("probability", calibration(-0.1).draw(), "a: -0.1 is not in 0–1"),
        ("share of zero", efficiency(0.0, 0.5).draw(), "0 is not above 0 and at most 1"),
        ("share that is no number", efficiency(nan, 0.5).draw(), "NaN is not above 0"),
        ("score", efficiency(0.5, nan).draw(), "NaN is not a finite number"),
        ("coordinate", map(f64::INFINITY).draw(), "Edema: inf is not a finite number"),
        ("no points", EmbeddingMap { classes: Vec::new(), ..map(0.0) }.draw(), "there is nothing to draw"),
        ("loss", curves(false, &[1.0, nan]).draw(), "step: NaN is not a finite number"),
        ("logarithm", curves(true, &[1.0, 0.0]).draw(), "step: 0 is not positive"),
    ];
    for (name, result, expected) in cases {
        let message = result.expect_err(name).to_string();
        assert!(message.contains(expected), "{name}: {message}");
    }
}

#[test]
fn extreme_but_finite_values_are_drawn() {
    for values in [&[f64::MAX, f64::MIN][..], &[5e-324, 0.0], &[7.0], &[1e16, 1e16 + 2.0]] {
        let file = curves(false, values).draw().unwrap().to_file();
        assert!(!file.contains("NaN") && !file.contains("inf"), "{values:?}");
    }
    for values in [&[5e-324, f64::MAX][..], &[1e-5], &[3.0, 3.0]] {
        let file = curves(true, values).draw().unwrap().to_file();
        assert!(!file.contains("NaN") && !file.contains("inf"), "{values:?}");
    }
}

#[test]
fn a_page_escapes_its_text_and_needs_nothing_from_elsewhere() {
    let page = Page {
        title: HOSTILE.to_owned(),
        blocks: vec![
            Block::Heading(HOSTILE.to_owned()),
            Block::Paragraph(HOSTILE.to_owned()),
            Block::Facts(vec![(HOSTILE.to_owned(), HOSTILE.to_owned())]),
            Block::Charts(vec![curves(false, &[1.0, 2.0]).draw().unwrap()]),
            Block::Table(Table {
                header: vec![HOSTILE.to_owned(), "AUROC".to_owned()],
                rows: vec![vec![HOSTILE.to_owned(), "0.8".to_owned()]],
                numeric_from: 1,
            }),
            Block::Folded { summary: HOSTILE.to_owned(), text: "</pre><script>alert(1)</script>".to_owned() },
        ],
    };
    let html = page.to_html();
    assert!(
        !html.contains("<script")
            && !html.contains("<b>")
            && !html.contains("href")
            && !html.contains("src=")
    );
    assert!(html.contains("&lt;/pre&gt;&lt;script&gt;"));
    assert_eq!(
        html.matches("&lt;b&gt;&amp;&quot;'\u{FFFD}").count(),
        9 + 1,
        "title twice, and the chart's legend"
    );
    assert!(html.contains("<td class=\"number\">0.8</td>") && html.contains("prefers-color-scheme: dark"));
    // Nothing but the name of SVG's elements names a place outside.
    assert_eq!(html.matches("http").count(), html.matches("http://www.w3.org/2000/svg").count());
}

#[test]
fn a_picture_is_within_the_page_and_its_caption_escaped() {
    let pictures = [Some(vec![0x89, b'P', b'N', b'G']), None];
    let pictures = pictures.map(|png| Picture { png, caption: vec![HOSTILE.to_owned(), "0.91".to_owned()] });
    let page = Page { title: "Hits".to_owned(), blocks: vec![Block::Pictures(pictures.to_vec())] };
    let html = page.to_html();
    assert_eq!(html.matches("<img src=\"data:image/png;base64,iVBORw==\"").count(), 1);
    assert_eq!(html.matches("<figure>").count(), 2);
    assert!(!html.contains("<b>") && html.contains("0.91"));
}

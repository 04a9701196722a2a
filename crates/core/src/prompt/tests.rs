use super::*;

const FILE: &str = r#"
    [ensemble]
    draws = 3
    seed = 5
    [[class]]
    name = "Cardiomegaly"
    positive = { sentences = ["big heart"], templates = [[["mild", "severe", ""], ["cardiomegaly", "big heart"]]] }
    negative = { sentences = ["normal heart"] }
"#;

#[test]
fn templates_multiply_and_duplicates_go() {
    let mut set = PromptSet::parse(FILE).unwrap();
    set.ensemble = None;
    let expected = [
        "big heart",
        "mild cardiomegaly",
        "mild big heart",
        "severe cardiomegaly",
        "severe big heart",
        "cardiomegaly",
    ];
    assert_eq!(set.expand()[0].positive, expected);
}

#[test]
fn draws_repeat_and_follow_the_seed() {
    let set = PromptSet::parse(FILE).unwrap();
    let first = set.expand();
    assert_eq!(first, set.expand());
    assert_eq!(
        first[0].positive,
        ["big heart", "mild cardiomegaly", "severe cardiomegaly"],
        "a draw never changes: banks are compared with it"
    );
    assert_eq!(first[0].negative, ["normal heart"]);
    let drawn: BTreeSet<Vec<String>> = (0..20)
        .map(|seed| {
            let ensemble = Some(Ensemble { draws: 3, seed });
            PromptSet { ensemble, ..set.clone() }.expand().remove(0).positive
        })
        .collect();
    assert!(drawn.len() > 5, "seeds draw different sentences");
}

#[test]
fn refusals_name_the_class() {
    for (change, message) in [
        (("\"normal heart\"", ""), "class `Cardiomegaly` has no negative sentence"),
        (("draws = 3", "draws = 0"), "ensemble.draws must be at least 1"),
        (("seed = 5", "sed = 5"), "unknown field `sed`"),
        (("\"normal heart\"", "\" \""), "class `Cardiomegaly` has no negative sentence"),
        (("\"normal heart\"", "\"mild  cardiomegaly\""), "has `mild cardiomegaly` on both sides"),
        (("\"Cardiomegaly\"", "\" \""), "a class has no name"),
    ] {
        let text = FILE.replace(change.0, change.1);
        let error = PromptSet::parse(&text).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
    assert!(matches!(PromptSet::parse("class = []"), Err(PromptError::Empty)));
}

/// Small files that stand for much text: each refused, or read, at once.
#[test]
fn classes_and_slots_that_multiply_together_cost_nothing() {
    let slot =
        |words: usize| format!("[{}]", (0..words).map(|w| format!("\"w{w}\",")).collect::<Vec<_>>().concat());
    let class = |number: usize, template: &str| {
        let [positive, negative] = ["p", "n"].map(|side| format!("templates = [[[\"{side}\"],{template}]]"));
        format!("[[class]]\nname = \"c{number}\"\npositive = {{ {positive} }}\nnegative = {{ {negative} }}\n")
    };
    let many =
        |count: usize, template: &str| (0..count).map(|c| class(c, template)).collect::<Vec<_>>().concat();
    let hundred = format!("{0},{0},{0}", slot(40));
    let long = format!("{}{}", "[\"a\"],".repeat(20_000), slot(500));
    let empty = format!("{}{}", "[\"\"],".repeat(20_000), slot(1000));
    let drawn = |draws: usize, text: &str| format!("[ensemble]\ndraws = {draws}\n{text}");
    let cases = [
        ("many classes of many sentences", drawn(10, &many(100, &hundred)), "expand to more than"),
        (
            "a class more than there is room for",
            drawn(10, &many(2, &hundred)),
            "the classes up to `c0` expand",
        ),
        ("many slots of one word", drawn(10, &class(0, &long)), "expands to more than"),
        ("many slots without a letter", drawn(10, &class(0, &empty)), "expands to more than"),
        ("nothing is drawn", many(30, &format!("{0},{0}", slot(20))), "sentences to embed"),
        (
            "more is drawn than anybody waits for",
            drawn(400, &many(30, &format!("{0},{0}", slot(20)))),
            "to embed",
        ),
        ("a few of them are drawn", drawn(10, &many(30, &format!("{0},{0}", slot(20)))), ""),
        ("one long sentence", class(0, &format!("{}[\"z\"]", "[\"a\"],".repeat(20_000))), ""),
    ];
    for (name, text, reason) in cases {
        let start = std::time::Instant::now();
        match PromptSet::parse(&text) {
            Ok(set) => {
                set.expand();
                assert!(reason.is_empty(), "{name}");
            }
            Err(error) => {
                assert!(!reason.is_empty() && error.to_string().contains(reason), "{name}: {error}");
            }
        }
        assert!(start.elapsed().as_secs() < 3, "{name}: {:?}", start.elapsed());
    }
}

#[test]
fn templates_that_multiply_beyond_reason_cost_nothing() {
    let slot =
        |words: usize, letters: usize| format!("[{}]", format!("\"{}\",", "x".repeat(letters)).repeat(words));
    for (template, is_refused) in [
        (format!("{0},{0},{0}", slot(1000, 1)), true),
        (format!("{},{}", slot(1, 1 << 20), slot(50_000, 1)), true),
        // A slot without words: no sentence, however many ways the others have.
        (format!("{0},{0},{0},[]", slot(1000, 1)), false),
    ] {
        let text = FILE.replace(
            "[[\"mild\", \"severe\", \"\"], [\"cardiomegaly\", \"big heart\"]]",
            &format!("[{template}]"),
        );
        let start = std::time::Instant::now();
        let parsed = PromptSet::parse(&text);
        assert_eq!(matches!(parsed, Err(PromptError::TooMany { .. })), is_refused, "{parsed:?}");
        assert!(start.elapsed().as_secs() < 5);
    }
}

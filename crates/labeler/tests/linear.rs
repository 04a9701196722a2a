//! The time to label a text grows with its length and no faster.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use medclip_labeler::Labeler;

/// Most that ten times the text may take, in times of the shorter one's: 100 where the time grows with the square.
const RATIO: f64 = 25.0;
/// The same for a sentence of many findings.
const SENTENCE_RATIO: f64 = 15.0;
/// Most that 25,000 parts may take, without optimization and beside other tests.
const SENTENCE: Duration = Duration::from_secs(4);
/// Time below which the clock says little.
const NOISE: Duration = Duration::from_millis(20);

/// The lesser of two measurements.
fn time(labeler: &Labeler, text: &str) -> Duration {
    let once = || {
        let begin = Instant::now();
        let read = labeler.report(text);
        assert!(read.sentences.len() <= text.len());
        begin.elapsed()
    };
    (0..2).map(|_| once()).min().unwrap_or_default()
}

/// Why ten times the text takes more than `most` times as long; `None` when it does not.
///
/// Other work on the machine disturbs a measurement, so the best of three counts.
fn slow(labeler: &Labeler, name: &str, text: impl Fn(usize) -> String, most: f64) -> Option<String> {
    let mut line = String::new();
    for _ in 0..3 {
        let (short, long) = (time(labeler, &text(2_500)), time(labeler, &text(25_000)));
        let ratio = long.as_secs_f64() / short.max(NOISE).as_secs_f64();
        if ratio <= most && long < SENTENCE {
            return None;
        }
        line = format!("{name}: {short:?} for 2,500 and {long:?} for 25,000: {ratio:.1} times");
    }
    Some(line)
}

/// One measurement at a time.
static CLOCK: Mutex<()> = Mutex::new(());

#[test]
fn a_sentence_of_many_findings_takes_linear_time() {
    let _alone = CLOCK.lock().unwrap();
    let labeler = Labeler::new();
    for part in ["effusion, ", "nodule and ", "no effusion, mild edema, "] {
        assert_eq!(slow(&labeler, part, |count| part.repeat(count), SENTENCE_RATIO), None);
    }
}

#[test]
fn time_is_linear() {
    let _alone = CLOCK.lock().unwrap();
    let labeler = Labeler::new();
    let texts: &[(&str, &str, &str)] = &[
        ("findings with commas", "No ", "effusion, "),
        ("findings without commas", "No ", "effusion "),
        ("findings with slashes", "No ", "effusion/"),
        ("negations", "", "no effusion "),
        ("negations after", "", "effusion is not seen, "),
        ("verbs and commas", "", "effusion is, the heart has "),
        ("alternatives", "", "effusion versus "),
        ("pseudo-negations", "", "no change in effusion "),
        ("doubts", "", "cannot exclude effusion "),
        ("normal parts", "", "lungs are clear "),
        ("normal parts that are not", "", "lungs heart "),
        ("predicates", "lungs ", "normal "),
        ("colons", "", "effusion: none, "),
        ("questions", "", "Effusion? No. "),
        ("references", "", "Effusion before. It has resolved. "),
        ("masks", "", "pericardial effusion "),
        ("sentences", "", "No effusion. "),
        ("lines", "", "No effusion\n"),
        ("headings", "", "FINDINGS: effusion. HISTORY: cough. "),
        ("unknown headings", "", "ABC DEF: x.\n"),
        ("list", "", "1. Effusion 2. Edema "),
        ("brackets", "", ") ("),
        ("dots", "", "a."),
        ("white space", "Effusion", " \n"),
        ("misspellings", "", "efusoin "),
        ("unknown words", "", "abcdefghij "),
        ("spoken signs", "", "no effusion comma "),
        ("negative signs", "", "effusion (-) "),
        ("question marks", "", "? "),
        ("ors", "no ", "small effusion, or "),
        ("amounts", "no ", "mild effusion, small "),
        ("one word", "", "effusion"),
    ];
    for (name, begin, part) in texts {
        let text = |count: usize| format!("{begin}{}", part.repeat(count));
        assert_eq!(slow(&labeler, name, text, RATIO), None);
    }
}

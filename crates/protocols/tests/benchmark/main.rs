//! The benchmarks of the paper on small copies of their data sets, with accuracies counted by hand.

#![allow(clippy::unwrap_used, reason = "a test whose setting is broken fails")]

mod copies;

use std::fs;
use std::num::NonZeroUsize;

use medclip_core::Finding;
use medclip_core::causes::with_causes;
use medclip_data::DataSet;
use medclip_decode::Limits;
use medclip_protocols::{
    Benchmark, BenchmarkError, BenchmarkFigures, BenchmarkOptions, Counts, DrawOptions, Evaluator, Measured,
    Resampling, benchmark,
};

use copies::{Copy, FIVE, chexpert, covid, films_of_five, mimic, rsna};

/// A sentence for every class that a benchmark may have.
const SENTENCES: [(&str, &str); 8] = [
    ("Atelectasis", "There is a small effusion."),
    ("Cardiomegaly", "The heart is enlarged."),
    ("Consolidation", "large"),
    ("Edema", "clear"),
    ("Pleural Effusion", "There is a pleural effusion."),
    ("Pneumonia", "The heart is enlarged."),
    ("COVID-19", "There is a pleural effusion."),
    ("No Finding", "The lungs are clear."),
];

/// One draw of the sentences above, on so many films of each class.
fn options(copy: &Copy, per_class: usize) -> BenchmarkOptions {
    let class = |(name, sentence): (&str, &str)| {
        format!(
            "[[class]]\nname = \"{name}\"\npositive.sentences = [\"{sentence}\"]\nnegative.sentences = [\"no\"]\n"
        )
    };
    let prompts = copy.at().join("prompts.toml");
    fs::write(&prompts, SENTENCES.map(class).concat()).unwrap();
    BenchmarkOptions {
        per_class: NonZeroUsize::new(per_class),
        prompts: Some(prompts),
        draws: DrawOptions { count: NonZeroUsize::MIN, per_class: NonZeroUsize::MIN },
        resampling: Resampling { resamples: 20, seed: 3 },
        ..BenchmarkOptions::default()
    }
}

/// For every film of these paths, the class whose sentence is nearest to it.
fn nearest(copy: &Copy, evaluator: &Evaluator, paths: &[String], classes: &[&str]) -> Vec<usize> {
    let model = evaluator.model();
    let sentences: Vec<&str> =
        (classes.iter()).map(|class| SENTENCES.iter().find(|(name, _)| name == class).unwrap().1).collect();
    let of_sentence = |sentence: &&str| model.embed_texts(&[*sentence]).unwrap().row(0).to_vec();
    let texts: Vec<Vec<f32>> = sentences.iter().map(of_sentence).collect();
    let nearest = |path: &String| {
        let film = medclip_decode::open(copy.at().join("set").join(path), &Limits::default()).unwrap();
        let batch = model.preprocessor().batch(&[film.image]).unwrap();
        let image = model.embed_images(&batch).unwrap();
        let cosine = |text: &Vec<f32>| -> f32 { text.iter().zip(image.row(0)).map(|(a, b)| a * b).sum() };
        let cosines: Vec<f32> = texts.iter().map(cosine).collect();
        (0..cosines.len()).max_by(|a, b| cosines[*a].total_cmp(&cosines[*b])).unwrap()
    };
    paths.iter().map(nearest).collect()
}

/// Runs a benchmark on all films of its classes, and counts what should be chosen.
fn check(copy: &Copy, set: Benchmark, prompts: &[&str], films: &[(String, usize)]) -> BenchmarkFigures {
    let evaluator = copy.evaluator(set.data_set());
    let per_class = films.len() / set.classes().len();
    let found = benchmark(&evaluator, set, &options(copy, per_class), &mut ()).unwrap();
    let (paths, actual): (Vec<String>, Vec<usize>) = films.iter().cloned().unzip();
    let chosen = nearest(copy, &evaluator, &paths, prompts);
    let mut confusion = vec![vec![0; prompts.len()]; prompts.len()];
    for (actual, chosen) in actual.iter().zip(&chosen) {
        confusion[*actual][*chosen] += 1;
    }
    assert_eq!(found.confusion.rows(), confusion, "{set}");
    let right = actual.iter().zip(&chosen).filter(|(actual, chosen)| actual == chosen).count();
    let accuracy = found.accuracy.as_ref().unwrap().averaged.interval.estimate;
    assert!((accuracy - right as f64 / films.len() as f64).abs() < 1e-12, "{set}: {accuracy}");
    assert_eq!((found.subject.images, found.subject.failed), (films.len(), 0), "{set}");
    assert!(found.auroc.is_some() && found.classes.iter().all(|class| class.auroc.is_some()), "{set}");
    let names: Vec<&str> = found.classes.iter().map(|class| class.name).collect();
    assert_eq!(names, set.classes());
    found
}

/// The films of [`films_of_five`] that are of a class, by these paths.
fn exclusive(path: impl Fn(usize) -> String) -> Vec<(String, usize)> {
    let films = films_of_five().into_iter().enumerate();
    films.filter(|(_, (.., is_drawn))| *is_drawn).map(|(number, _)| (path(number), number / 7)).collect()
}

#[test]
fn chexpert_5x200_is_of_frontal_films_that_show_one_finding_alone() {
    let films = exclusive(|number| format!("train/patient{number:05}/study1/view1_frontal.png"));
    let found = check(&chexpert(), Benchmark::Chexpert5x200, &FIVE.map(Finding::name), &films);
    assert!(found.drawn.has_uncertain);
    assert_eq!(found.drawn.available, Counts(FIVE.map(|finding| (finding.name(), 3)).to_vec()));
    assert_eq!((found.drawn.per_class, found.drawn.splits["train"]), (3, 15));
    assert!((found.chance - 0.2).abs() < 1e-12);
    let sheet = found.sheet().to_string();
    for expected in [
        "CheXpert-5x200 of the MedCLIP paper",
        "3 films of each class, drawn from your copy of CheXpert with seed 3 (train 15).",
        "There are: Atelectasis 3, Cardiomegaly 3, Consolidation 3, Edema 3, Pleural Effusion 3.",
        "1 draws of 1 sentences a class side (seeds 3)",
        "By chance: accuracy 0.200, AUROC 0.500.",
        "| Pleural Effusion |",
    ] {
        assert!(sheet.contains(expected), "{expected}: {sheet}");
    }
    assert!(!sheet.contains("no uncertain label"), "{sheet}");
}

#[test]
fn mimic_5x200_is_the_same_of_mimic() {
    let films = exclusive(|number| {
        let (subject, study) = (10_000_000 + number, 50_000_000 + number);
        format!("files/p10/p{subject}/s{study}/film-{number}.jpg")
    });
    let found = check(&mimic(), Benchmark::Mimic5x200, &FIVE.map(Finding::name), &films);
    assert_eq!(found.drawn.splits.values().sum::<usize>(), 15);
    assert_eq!(found.drawn.splits.len(), 2, "both parts have films");
}

#[test]
fn rsna_is_of_targets_and_others() {
    let films: Vec<(String, usize)> = (0..12)
        .map(|number| (format!("stage_2_train_images/film{number}.png"), usize::from(number % 4 >= 2)))
        .collect();
    let found = check(&rsna(), Benchmark::Rsna, &["Pneumonia", "No Finding"], &films);
    let areas: Vec<f64> =
        found.classes.iter().map(|class| class.auroc.as_ref().unwrap().averaged.interval.estimate).collect();
    assert!((areas[0] - areas[1]).abs() < 1e-12, "of two classes, one is ranked as well as the other");
}

#[test]
fn covid_is_of_covid_and_normal_films() {
    let films: Vec<(String, usize)> = ["COVID", "Normal"]
        .iter()
        .enumerate()
        .flat_map(|(class, name)| {
            (1..=6).map(move |number| (format!("{name}/images/{name}-{number}.png"), class))
        })
        .collect();
    check(&covid(), Benchmark::Covid, &["COVID-19", "No Finding"], &films);
}

#[test]
fn films_are_drawn_with_the_seed_and_prompts_five_times() {
    let copy = covid();
    let evaluator = copy.evaluator(DataSet::CovidRadiography);
    let run = |seed| {
        let options = BenchmarkOptions {
            per_class: NonZeroUsize::new(3),
            resampling: Resampling { resamples: 20, seed },
            ..BenchmarkOptions::default()
        };
        benchmark(&evaluator, Benchmark::Covid, &options, &mut ()).unwrap()
    };
    let found = run(1);
    assert_eq!(found, run(1));
    assert_eq!(found.subject.images, 6);
    let draws = found.prompts.draws.as_ref().unwrap();
    assert_eq!((draws.per_class, &draws.seeds[..], draws.unvaried.len()), (10, &[1, 2, 3, 4, 5][..], 0));
    let accuracy = found.accuracy.as_ref().unwrap();
    let members = &accuracy.averaged.members;
    assert_eq!(members.len(), 5);
    assert!((accuracy.averaged.interval.estimate - members.iter().sum::<f64>() / 5.0).abs() < 1e-12);
    assert!(accuracy.deviation.is_some());
    assert_eq!(found.confusion.rows().iter().flatten().sum::<u64>(), 30, "six films in five draws");
}

#[test]
fn a_copy_without_the_films_is_refused_by_name() {
    let copy = covid();
    let evaluator = copy.evaluator(DataSet::CovidRadiography);
    let refused = |set, options: &BenchmarkOptions| {
        let error = benchmark(&evaluator, set, options, &mut ()).unwrap_err();
        (with_causes(&error).replace(copy.at().to_str().unwrap(), "AT"), error)
    };
    let (words, error) = refused(Benchmark::Covid, &BenchmarkOptions::default());
    assert!(matches!(error, BenchmarkError::TooFewFilms { per_class: 1500, .. }));
    assert_eq!(
        words,
        "COVID needs 1500 films of each class, and AT/manifest.csv has COVID-19 6, Normal 6; complete the copy, or draw fewer"
    );
    let (words, error) = refused(Benchmark::Rsna, &BenchmarkOptions::default());
    assert!(matches!(error, BenchmarkError::NoDataSet { data_set: DataSet::RsnaPneumonia, .. }));
    assert_eq!(
        words,
        "RSNA is drawn from RSNA Pneumonia, and no such film of AT/manifest.csv has the source `rsna`; make a manifest of your copy first"
    );
    let mut other = options(&copy, 3);
    let prompts = other.prompts.clone().unwrap();
    fs::write(&prompts, fs::read_to_string(&prompts).unwrap().replace("COVID-19", "COVID")).unwrap();
    let (words, _) = refused(Benchmark::Covid, &other);
    assert_eq!(
        words,
        "cannot use prompts AT/prompts.toml: COVID chooses among COVID-19, No Finding, and the file has no class `COVID-19`"
    );
    other.prompts = Some(copy.at().join("none.toml"));
    let (words, _) = refused(Benchmark::Covid, &other);
    assert!(words.starts_with("cannot use prompts AT/none.toml: "), "{words}");
}

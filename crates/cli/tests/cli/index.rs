//! `index build` and `index query`.

use std::fs;

use crate::setting::{bundle, images, json_lines, medclip, score, text};

fn index(directory: &std::path::Path, arguments: &[&str]) -> std::process::Output {
    let mut command = medclip(&["index"]);
    command.args(arguments).args(["--model", bundle().to_str().unwrap()]);
    command.current_dir(directory).output().unwrap()
}

#[test]
fn an_image_finds_itself_and_a_sentence_finds_images() {
    let directory = images(&["set/a.png", "set/b.png", "set/c.jpg", "set/d.png"]);
    fs::write(directory.path().join("set/e.png"), "no image").unwrap();
    let built = index(directory.path(), &["build", "-o", "films.index", "set"]);
    assert_eq!(built.status.code(), Some(1), "{}", text(&built.stderr));
    assert!(text(&built.stderr).contains("films.index: 4 vectors"), "{}", text(&built.stderr));
    assert!(!directory.path().join("films.index.run").exists());

    let query = ["query", "films.index", "-k", "3", "--format", "json"];
    let by_image =
        index(directory.path(), &[&query[..], &["--image", "set/b.png", "--sheet", "hits.html"]].concat());
    assert_eq!(by_image.status.code(), Some(0), "{}", text(&by_image.stderr));
    let lines = json_lines(&by_image);
    assert_eq!(lines.len(), 3);
    assert_eq!((lines[0]["rank"].as_u64(), lines[0]["path"].as_str()), (Some(1), Some("set/b.png")));
    assert!(lines[0]["cosine"].as_f64().unwrap() > 0.999);
    let page = fs::read_to_string(directory.path().join("hits.html")).unwrap();
    assert_eq!(page.matches("data:image/png;base64,").count(), 4);
    assert!(page.contains("Research use only, not for diagnosis."));

    let sentence = ["query", "films.index", "--text", "There is cardiomegaly."];
    let by_text = index(directory.path(), &sentence);
    assert_eq!(by_text.status.code(), Some(0), "{}", text(&by_text.stderr));
    let table = text(&by_text.stdout);
    assert_eq!(table.lines().count(), 6, "{table}");
    assert!(table.ends_with("Research use only, not for diagnosis.\n"));
    assert!(text(&by_text.stderr).is_empty());
    let long = "the heart is large ".repeat(20);
    for (sentence, says) in [
        (&*long, "80 tokens, of which the model reads 38"),
        ("Herzvergrößerung.", "1 of its 2 tokens are unknown"),
        ("", "gives no token"),
    ] {
        let doubtful = index(directory.path(), &["query", "films.index", "--text", sentence]);
        assert_eq!(doubtful.status.code(), Some(0), "{}", text(&doubtful.stderr));
        let warning = text(&doubtful.stderr);
        assert!(warning.starts_with("warning: the sentence may not mean what it says: "), "{warning}");
        assert!(warning.contains(says), "{warning}");
    }
}

#[test]
fn embeddings_of_a_scored_archive_give_the_same_index() {
    let directory = images(&["set/a.png", "set/b.png", "set/c.jpg"]);
    let scored = score(
        directory.path(),
        &["set", "--output", "scores", "--columns", "embedding", "--shard-size", "2"],
    );
    assert_eq!(scored.status.code(), Some(0), "{}", text(&scored.stderr));
    let built = index(directory.path(), &["build", "-o", "a.index", "--scores", "scores"]);
    assert_eq!(built.status.code(), Some(0), "{}", text(&built.stderr));
    assert_eq!(index(directory.path(), &["build", "-o", "b.index", "set"]).status.code(), Some(0));
    let [a, b] = ["a", "b"].map(|name| {
        let query = ["query", &format!("{name}.index"), "--image", "set/c.jpg", "--format", "csv"];
        text(&index(directory.path(), &query).stdout)
    });
    assert!(a.starts_with("rank,cosine,path\n1,") && a == b, "{a}{b}");
}

#[test]
fn what_cannot_be_searched_is_refused() {
    let directory = images(&["set/a.png"]);
    let refused = |arguments: &[&str], message: &str| {
        let output = index(directory.path(), arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(text(&output.stderr).contains(message), "{}", text(&output.stderr));
    };
    assert_eq!(score(directory.path(), &["set", "--output", "plain.parquet"]).status.code(), Some(0));
    refused(&["build", "-o", "x.index", "--scores", "plain.parquet"], "has no column `embedding`");
    refused(&["build", "-o", "set", "set/a.png"], "set is a directory");
    fs::write(directory.path().join("text.index"), "text").unwrap();
    refused(&["query", "text.index", "--image", "set/a.png"], "text.index: is not an index of medclip");
    refused(&["query", "text.index"], "--image");
}

#[test]
fn a_name_twice_is_refused_before_anything_is_embedded_and_blocks_nothing() {
    let directory = images(&["set/a.png", "set/b.png"]);
    let refused = |arguments: &[&str], message: &str| {
        let output = index(directory.path(), arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let errors = text(&output.stderr);
        assert!(errors.contains(message), "{errors}");
        assert!(!directory.path().join("x.index.run").exists(), "{arguments:?}");
        errors
    };
    let errors = refused(&["build", "-o", "x.index", "set", "set/b.png"], "inputs 2 and 3 are the same");
    assert!(!errors.contains("b.png"), "{errors}");
    refused(
        &["build", "-o", "x.index", "set/a.png", "set", "--log-paths"],
        "inputs 1 and 2 are the same (set/a.png)",
    );
    refused(&["build", "-o", "x.index", "set", "--recall", "2"], "above 0 and at most 1");
    fs::write(directory.path().join("no.png"), "no image").unwrap();
    refused(&["build", "-o", "x.index", "no.png"], "no image has an embedding");
    let built = index(directory.path(), &["build", "-o", "x.index", "set"]);
    assert_eq!(built.status.code(), Some(0), "{}", text(&built.stderr));
}

#[test]
fn what_an_earlier_build_left_is_continued_or_replaced() {
    let directory = images(&["set/a.png", "set/b.png"]);
    let run = directory.path().join("x.index.run");
    // What a build leaves that was killed behind its embeddings, of other images.
    let scored =
        score(directory.path(), &["set/a.png", "--output", "x.index.run/", "--columns", "embedding"]);
    assert_eq!(scored.status.code(), Some(0), "{}", text(&scored.stderr));
    let insisting = index(directory.path(), &["build", "-o", "x.index", "set", "--resume"]);
    assert_eq!(insisting.status.code(), Some(2));
    assert!(text(&insisting.stderr).contains("is another run"), "{}", text(&insisting.stderr));
    let built = index(directory.path(), &["build", "-o", "x.index", "set"]);
    assert_eq!(built.status.code(), Some(0), "{}", text(&built.stderr));
    assert!(text(&built.stderr).contains("replacing") && !run.exists());
    // What is none of its own stays.
    fs::create_dir(&run).unwrap();
    fs::write(run.join("mine"), "mine").unwrap();
    assert_eq!(index(directory.path(), &["build", "-o", "x.index", "set"]).status.code(), Some(2));
    assert!(run.join("mine").exists());
}

#[test]
fn checks_of_an_index_apply_to_its_queries() {
    let directory = images(&["set/a.png", "set/b.png"]);
    image::GrayImage::from_pixel(300, 300, image::Luma([9]))
        .save(directory.path().join("set/blank.png"))
        .unwrap();
    let build = ["build", "-o", "x.index", "set", "--qc", "blank=abstain", "--qc", "low_resolution=pass"];
    let built = index(directory.path(), &build);
    assert_eq!(built.status.code(), Some(1), "{}", text(&built.stderr));
    assert!(text(&built.stderr).contains("1 without scores (1 withheld)"), "{}", text(&built.stderr));
    let refused = index(directory.path(), &["query", "x.index", "--image", "set/blank.png"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("withheld by intake checks: blank"), "{}", text(&refused.stderr));
    let found = index(directory.path(), &["query", "x.index", "--image", "set/a.png", "--format", "json"]);
    assert_eq!(found.status.code(), Some(0), "{}", text(&found.stderr));
    assert!(json_lines(&found)[0]["cosine"].as_f64().unwrap() > 0.9999);
}

#[test]
fn embeddings_of_films_shown_otherwise_are_not_mixed() {
    let directory = images(&["a.png", "b.png", "c.png"]);
    for (name, extra) in [("a", &[][..]), ("b", &["--qc", "blank=abstain"]), ("c", &[])] {
        let (input, output) = (format!("{name}.png"), format!("{name}.parquet"));
        let arguments = [&[input.as_str(), "--output", &output, "--columns", "embedding"], extra].concat();
        assert_eq!(score(directory.path(), &arguments).status.code(), Some(0));
    }
    let mixed = index(directory.path(), &["build", "-o", "x.index", "--scores", "a.parquet", "b.parquet"]);
    assert_eq!(mixed.status.code(), Some(2));
    assert!(text(&mixed.stderr).contains("qc `` and `blank=abstain`"), "{}", text(&mixed.stderr));
    let twice = index(directory.path(), &["build", "-o", "x.index", "--scores", "a.parquet", "a.parquet"]);
    assert!(text(&twice.stderr).contains("an earlier row has the same path"), "{}", text(&twice.stderr));
    let same = index(directory.path(), &["build", "-o", "x.index", "--scores", "a.parquet", "c.parquet"]);
    assert_eq!(same.status.code(), Some(0), "{}", text(&same.stderr));
}

#[cfg(feature = "dicom")]
#[test]
fn a_film_finds_itself_however_it_was_shown() {
    use crate::dicom_file::Builder;

    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("set")).unwrap();
    for seed in 1..4 {
        let ramp: Vec<u16> = (0..48 * 40).map(|index: u16| index * (2 * seed + 1) % 4096).collect();
        let frames: Vec<u16> = ramp.iter().chain(ramp.iter().rev()).map(|value| value / seed).collect();
        let file = Builder::gray(40, 48, 12).text(0x0028_0008, *b"IS", "2");
        let file = file.window("1920\\960", "3840\\1920").pixels(&frames).file();
        fs::write(directory.path().join("set").join(format!("{seed}.dcm")), file).unwrap();
    }
    for options in [&["--frame", "2"][..], &["--window", "600,300"], &["--window", "min-max", "--frame", "2"]]
    {
        let built = index(directory.path(), &[&["build", "-o", "x.index", "set"], options].concat());
        assert_eq!(built.status.code(), Some(0), "{}", text(&built.stderr));
        for name in ["set/1.dcm", "set/3.dcm"] {
            let query = ["query", "x.index", "--image", name, "--format", "json", "--sheet", "hits.html"];
            let found = index(directory.path(), &query);
            let best = &json_lines(&found)[0];
            assert_eq!(best["path"], name, "{options:?}");
            assert!(best["cosine"].as_f64().unwrap() > 0.9999, "{options:?}: {best}");
            let page = fs::read_to_string(directory.path().join("hits.html")).unwrap();
            assert!(!page.contains("cannot be shown") && page.contains("Shown with window"), "{options:?}");
        }
    }
}

/// An index may come from anybody and names what it likes: a page shows nothing from elsewhere.
#[test]
fn a_page_shows_films_below_the_root_alone() {
    let directory = images(&["set/a.png", "set/b.png", "other/c.png"]);
    let place = |name: &str| directory.path().join(name).display().to_string();
    let shown = |index_name: &str, root: &[&str]| {
        let query = ["query", index_name, "-k", "9", "--image", "set/b.png", "--sheet", "hits.html"];
        let output = index(directory.path(), &[&query[..], root].concat());
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let page = fs::read_to_string(directory.path().join("hits.html")).unwrap();
        // The query is shown too: the user named it.
        (page.matches("data:image/png;base64,").count() - 1, page, text(&output.stderr))
    };
    let (set, other) = (place("set"), place("other"));
    let built = index(directory.path(), &["build", "-o", "absolute.index", &set, &other]);
    assert_eq!(built.status.code(), Some(0), "{}", text(&built.stderr));
    let (count, page, said) = shown("absolute.index", &[]);
    assert_eq!(count, 0);
    assert!(page.contains("name a directory that holds it to show it"), "{page}");
    assert!(said.contains("no picture of 3 films") && said.contains("--root DIR"), "{said}");
    for (root, expected) in [(&set, 2), (&other, 1), (&place("."), 3)] {
        let (count, page, said) = shown("absolute.index", &["--root", root]);
        assert!(count == expected && !said.contains("no picture"), "{root}: {count} {said}");
        assert_eq!(page.matches("it lies outside of the directory").count(), 3 - expected, "{root}");
    }

    let built = index(directory.path(), &["build", "-o", "relative.index", "set", "other"]);
    assert_eq!(built.status.code(), Some(0), "{}", text(&built.stderr));
    for (root, expected) in [(&[][..], 3), (&["--root", "set"], 2), (&["--root", &other], 1)] {
        assert_eq!(shown("relative.index", root).0, expected, "{root:?}");
    }
    let up = index(&directory.path().join("other"), &["build", "-o", "up.index", "../set"]);
    assert_eq!(up.status.code(), Some(0), "{}", text(&up.stderr));
    let query = ["query", "up.index", "--text", "There is edema.", "--sheet", "hits.html"];
    let output = index(&directory.path().join("other"), &query);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let page = fs::read_to_string(directory.path().join("other/hits.html")).unwrap();
    assert_eq!(page.matches("data:image/png;base64,").count(), 0, "`..` leads out");

    let wrong = index(
        directory.path(),
        &["query", "relative.index", "--text", "x", "--sheet", "x.html", "--root", "no"],
    );
    assert_eq!(wrong.status.code(), Some(2));
    assert!(text(&wrong.stderr).contains("--root no is not a directory"), "{}", text(&wrong.stderr));
}

/// A link in the place of a film leads nowhere else either.
#[cfg(unix)]
#[test]
fn a_page_follows_no_link_out_of_the_root() {
    let directory = images(&["set/a.png", "set/b.png", "secret/c.png"]);
    let built = index(directory.path(), &["build", "-o", "films.index", "set"]);
    assert_eq!(built.status.code(), Some(0), "{}", text(&built.stderr));
    fs::remove_file(directory.path().join("set/a.png")).unwrap();
    std::os::unix::fs::symlink("../secret/c.png", directory.path().join("set/a.png")).unwrap();
    let query =
        ["query", "films.index", "--text", "There is edema.", "--sheet", "hits.html", "--root", "set"];
    let output = index(directory.path(), &query);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let page = fs::read_to_string(directory.path().join("hits.html")).unwrap();
    assert_eq!(page.matches("data:image/png;base64,").count(), 1);
    assert!(page.contains("it lies outside of the directory"));
}

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
    let built = index(directory.path(), &["build", "films.index", "set"]);
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
    let scored = score(directory.path(), &["set", "--output", "scores", "--embeddings", "--shard-size", "2"]);
    assert_eq!(scored.status.code(), Some(0), "{}", text(&scored.stderr));
    let built = index(directory.path(), &["build", "a.index", "--scores", "scores"]);
    assert_eq!(built.status.code(), Some(0), "{}", text(&built.stderr));
    assert_eq!(index(directory.path(), &["build", "b.index", "set"]).status.code(), Some(0));
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
    refused(&["build", "x.index", "--scores", "plain.parquet"], "has no column `embedding`");
    refused(&["build", "set", "set/a.png"], "set is a directory");
    fs::write(directory.path().join("text.index"), "text").unwrap();
    refused(&["query", "text.index", "--image", "set/a.png"], "text.index: is not an index of medclip");
    refused(&["query", "text.index"], "--image");
}

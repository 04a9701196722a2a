//! What training programs save beside a model is left alone, and a choice is made known.

#![allow(clippy::unwrap_used, reason = "a test whose setting is broken fails")]

#[allow(unreachable_pub, reason = "a module of several test binaries")]
mod support;

use medclip_weights::{TensorFile, TensorFileError, TensorFileOptions, WeightsNote};

use support::{Node, archive, dict, legacy, model};

fn part(part: &str) -> TensorFileOptions {
    TensorFileOptions { part: Some(part.to_owned()) }
}

/// Both formats of a checkpoint, opened.
fn open(root: &Node, options: &TensorFileOptions) -> [Result<TensorFile, TensorFileError>; 2] {
    [archive(root), legacy(root)].map(|bytes| TensorFile::from_bytes("a.pt", bytes, options))
}

/// The first number of the model that is read of a checkpoint, and what is said about it.
fn first(root: &Node, options: &TensorFileOptions) -> (f32, Vec<WeightsNote>) {
    let [(value, notes), other] = open(root, options).map(|file| {
        let mut file = file.unwrap();
        assert_eq!(file.names().collect::<Vec<_>>(), ["linear.bias", "linear.weight"]);
        (file.f32("linear.weight").unwrap()[0], file.notes().to_vec())
    });
    assert_eq!((value, &notes), (other.0, &other.1), "the formats differ");
    (value, notes)
}

fn default() -> TensorFileOptions {
    TensorFileOptions::default()
}

#[test]
fn a_state_dictionary_wins_over_tensors_beside_it() {
    let loose = || Node::Tensor(9.0);
    let many = |key| dict(&[("a", loose()), ("b", loose()), ("c", loose()), (key, model(1.0))]);
    for root in [
        many("state_dict"),
        many("model_state_dict"),
        many("model"),
        many("module"),
        many("net"),
        many("network_weights"),
        many("params"),
        dict(&[("epoch", loose()), ("model", dict(&[("state_dict", model(1.0))]))]),
        dict(&[
            ("optimizer", model(8.0)),
            ("callbacks", dict(&[("best", loose())])),
            ("state_dict", model(1.0)),
        ]),
        dict(&[("args", Node::Settings), ("epoch", Node::Int(3)), ("best", loose()), ("model", model(1.0))]),
        // A name that is not known, and nothing else to choose.
        dict(&[("optimizer", model(8.0)), ("classifier_v2", model(1.0))]),
    ] {
        assert_eq!(first(&root, &default()), (1.0, vec![]));
    }
}

#[test]
fn what_training_saves_beside_a_model_is_skipped() {
    for (what, pickle) in [
        ("a path", &b"cpathlib\nPosixPath\n(X\x01\x00\x00\x00/X\x01\x00\x00\x00atR"[..]),
        ("a set", b"c__builtin__\nset\n](K\x01e\x85R"),
        ("a default dictionary", b"ccollections\ndefaultdict\ncbuiltins\nlist\n\x85RX\x01\x00\x00\x00aK\x01s"),
        ("a counter", b"ccollections\nCounter\n}K\x1eK\x01s\x85R"),
        ("a number of NumPy", b"cnumpy.core.multiarray\nscalar\ncnumpy\ndtype\nX\x02\x00\x00\x00f8\x89\x88\x87R(K\x03X\x01\x00\x00\x00<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tbc_codecs\nencode\nX\x01\x00\x00\x00aX\x06\x00\x00\x00latin1\x86R\x86R"),
        ("an array of NumPy", b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85c_codecs\nencode\nX\x01\x00\x00\x00bX\x06\x00\x00\x00latin1\x86R\x87R(K\x01tb"),
        ("a time", b"cdatetime\ntimedelta\nK\x00K\x05K\x00\x87R"),
    ] {
        let root = dict(&[("extra", Node::Raw(pickle)), ("state_dict", model(1.0))]);
        assert_eq!(first(&root, &default()), (1.0, vec![]), "{what}");
    }
    // What would be called is refused all the same, wherever it stands.
    for harm in [&b"cbuiltins\neval\nX\x01\x00\x00\x001\x85R"[..], b"cos\nsystem\nX\x02\x00\x00\x00id\x85R"] {
        let root = dict(&[("extra", Node::Raw(harm)), ("state_dict", model(1.0))]);
        for refused in open(&root, &default()) {
            assert!(
                refused.unwrap_err().to_string().contains("; refused: save the model's state_dict() alone")
            );
        }
    }
}

#[test]
fn weights_win_over_their_averages_and_it_is_said() {
    for (raw, averaged) in [
        ("state_dict", "state_dict_ema"),
        ("model", "model_ema"),
        ("model", "ema"),
        ("net", "ema_state_dict"),
        ("params", "params_ema"),
        ("state_dict", "swa_state_dict"),
    ] {
        let root = dict(&[(averaged, model(2.0)), (raw, model(1.0))]);
        let (value, notes) = first(&root, &default());
        assert_eq!(value, 1.0);
        let [WeightsNote::Taken { taken, averaged: is_average, others, .. }] = notes.as_slice() else {
            panic!("{notes:?}");
        };
        assert_eq!((taken.as_str(), *is_average, others.len()), (raw, false, 1));
        assert_eq!((others[0].part.as_str(), others[0].averaged), (averaged, true));
        assert_eq!(
            notes[0].to_string(),
            format!(
                "a.pt: the weights under `{raw}` were taken, not the averaged weights (EMA) under `{averaged}`"
            )
        );
        // The other on demand, of which nothing needs to be said.
        assert_eq!(first(&root, &part(averaged)), (2.0, vec![]));
        assert_eq!(first(&root, &part(raw)), (1.0, vec![]));
    }
}

#[test]
fn averages_alone_are_taken_and_named_as_such() {
    for root in [
        dict(&[("model_ema", model(2.0)), ("epoch", Node::Int(3))]),
        dict(&[("ema", dict(&[("module", model(2.0))])), ("decay", Node::Tensor(9.0))]),
        dict(&[("state_dict_ema", model(2.0)), ("optimizer", model(8.0))]),
    ] {
        let (value, notes) = first(&root, &default());
        assert_eq!(value, 2.0);
        assert!(notes[0].to_string().starts_with("a.pt: the averaged weights (EMA) under `"), "{}", notes[0]);
    }
}

#[test]
fn parts_that_nothing_tells_apart_are_asked_for() {
    let root = dict(&[("teacher", model(2.0)), ("student", model(1.0)), ("optimizer", model(8.0))]);
    for refused in open(&root, &default()) {
        let error = refused.unwrap_err().to_string();
        assert_eq!(
            error,
            "a.pt: the file holds weights under `student` and `teacher`; say which part to take"
        );
    }
    assert_eq!(first(&root, &part("teacher")).0, 2.0);
    for (part_of, has) in [("techer", "`student` and `teacher`"), ("", "`student` and `teacher`")] {
        for refused in open(&root, &part(part_of)) {
            assert!(refused.unwrap_err().to_string().contains(has), "{part_of}");
        }
    }
    let root = dict(&[("state_dict", model(1.0)), ("state_dict_ema", model(2.0))]);
    for refused in open(&root, &part("ema")) {
        let error = refused.unwrap_err().to_string();
        assert!(
            error.contains("nothing under `ema`; its parts are `linear` and `state_dict_ema`"),
            "{error}"
        );
    }
}

#[test]
fn wrappers_leave_no_trace_in_names() {
    for names in [
        ["module.linear.weight", "module.linear.bias"],
        ["_orig_mod.linear.weight", "_orig_mod.linear.bias"],
        ["module._orig_mod.linear.weight", "module._orig_mod.linear.bias"],
        ["_orig_mod.module.linear.weight", "_orig_mod.module.linear.bias"],
        ["linear._orig_mod.weight", "linear._orig_mod.bias"],
        ["_fsdp_wrapped_module.linear._checkpoint_wrapped_module.weight", "_fsdp_wrapped_module.linear.bias"],
    ] {
        let state = dict(&[(names[0], Node::Tensor(1.0)), (names[1], Node::Tensor(0.5))]);
        assert_eq!(first(&state, &default()), (1.0, vec![]), "{names:?}");
        let wrapped = dict(&[("model", state), ("best", Node::Tensor(9.0))]);
        assert_eq!(first(&wrapped, &default()), (1.0, vec![]), "{names:?}");
    }
    // What `AveragedModel` counts is beside the model.
    let counted = [("n_averaged", 7.0), ("module.a", 1.0)];
    let file = TensorFile::from_bytes("a", support::safetensors(&counted), &default()).unwrap();
    assert_eq!(file.names().collect::<Vec<_>>(), ["a", "n_averaged"]);
}

#[test]
fn a_file_that_refers_to_itself_is_read_once() {
    // Sixty dictionaries of sixty references to one another would be read 60⁴ times.
    let mut pickle = b"\x80\x02".to_vec();
    for index in 0..60_u8 {
        pickle.extend([b'}', b'q', index]);
    }
    for index in 0..60_u8 {
        pickle.extend([b'h', index, b'(']);
        for key in 0..60_u8 {
            pickle.extend([b'X', 1, 0, 0, 0, b'0' + key, b'h', key]);
        }
        pickle.push(b'u');
    }
    pickle.extend(b"h\x00.");
    let mut file = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}.".to_vec();
    file.extend(pickle);
    file.extend(b"\x80\x02].");
    let start = std::time::Instant::now();
    let error = TensorFile::from_bytes("a", file, &default()).unwrap_err().to_string();
    assert!(error.contains("a dictionary without tensors"), "{error}");
    assert!(start.elapsed().as_secs() < 5);
}

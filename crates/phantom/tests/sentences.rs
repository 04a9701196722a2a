//! The project's own labeler reads phantom sentences as they are meant.

use medclip_core::Certainty;
use medclip_labeler::Labeler;
use medclip_phantom::Phantom;

#[test]
fn the_labeler_finds_what_every_sentence_states() {
    let labeler = Labeler::new();
    let mut differences = std::collections::BTreeSet::new();
    for seed in 0..400 {
        for sentence in Phantom::random(seed, 8).unwrap().sentences() {
            let read = labeler.sentence(&sentence.text);
            for (finding, stated) in sentence.labels.iter() {
                if stated != Certainty::Unmentioned && read[finding] != stated {
                    differences.insert(format!(
                        "{finding}: {stated:?}, read {:?}: {}",
                        read[finding], sentence.text
                    ));
                }
            }
        }
    }
    assert!(differences.is_empty(), "{differences:#?}");
}

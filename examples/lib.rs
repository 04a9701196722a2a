//! Programs that embed medclip, one question each; see the files beside this one.
//!
//! | program | question |
//! |---|---|
//! | `score_one_image` | What does the model say of this film? |
//! | `is_it_fit` | Is this a film that the model was made for? |
//! | `own_findings` | How do I ask for findings of my own? |
//! | `how_alike` | How alike are two films? |
//! | `score_archive` | How do I score an archive, so that nothing is lost when it is stopped? |
//! | `make_phantoms` | How were the films of `examples/images` drawn? |
//!
//! `outside` is a project of its own with `medclip` as its only dependency.

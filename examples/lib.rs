//! Programs that embed medclip; see the files beside this one.
//!
//! | program | shows |
//! |---|---|
//! | `score_one_image` | opening a bundle and scoring one file |
//! | `make_phantoms` | drawing the synthetic radiographs of `examples/images` |

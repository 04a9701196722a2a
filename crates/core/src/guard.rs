//! Panics of other people's code as errors. The workspace catches panics here and nowhere else.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static IS_QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work` and turns a panic into its message. The program's panic hook still reports it.
///
/// What `work` was changing is lost with the panic: whoever passes it must not look at it afterwards.
///
/// # Errors
/// The panic's message.
pub fn catch<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| message(payload.as_ref()))
}

/// As [`catch`], for code whose panics are expected, such as decoders of damaged files: [`is_quiet`] holds meanwhile, so that a
/// program's panic hook can leave them unreported.
///
/// # Errors
/// The panic's message.
pub fn catch_quietly<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    let before = IS_QUIET.replace(true);
    let result = catch(work);
    IS_QUIET.set(before);
    result
}

/// Whether a panic of this thread becomes an error in [`catch_quietly`]. A panic hook may ask.
pub fn is_quiet() -> bool {
    IS_QUIET.get()
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "without a message".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_with_its_message() {
        assert_eq!(catch(|| 7), Ok(7));
        assert_eq!(catch_quietly(|| panic!("row {}", 3)), Err::<(), _>("row 3".to_owned()));
        assert_eq!(catch(|| std::panic::panic_any(5)), Err::<(), _>("without a message".to_owned()));
    }

    #[test]
    fn only_expected_panics_are_quiet() {
        assert_eq!(catch_quietly(|| (is_quiet(), catch(is_quiet))), Ok((true, Ok(true))));
        assert!(!is_quiet());
        let _ = catch_quietly(|| catch_quietly(|| panic!("inner")).is_err() && is_quiet());
        assert!(!is_quiet());
    }
}

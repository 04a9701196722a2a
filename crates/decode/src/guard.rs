//! Decoders are other people's code and parse untrusted bytes: here, and nowhere else, their panics become errors.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    static SILENT: Cell<bool> = const { Cell::new(false) };
}

/// Runs a decoder; a panic gives its message, and nothing on standard error.
///
/// The first call puts a hook before the one that the program has; it speaks as ever of panics outside of decoders. What a
/// decoder was at work on is dropped with the panic, so nothing half-made is seen.
pub(crate) fn guard<T>(decode: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let outer = take_hook();
        set_hook(Box::new(move |panic| {
            if !SILENT.get() {
                outer(panic);
            }
        }));
    });
    let before = SILENT.replace(true);
    let result = catch_unwind(AssertUnwindSafe(decode));
    SILENT.set(before);
    result.map_err(|panic| message(panic.as_ref()))
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without a message".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_with_its_words() {
        assert_eq!(guard(|| 7), Ok(7));
        assert_eq!(guard(|| panic!("row {}", 3)), Err::<(), _>("row 3".to_owned()));
        assert!(!SILENT.get());
    }
}

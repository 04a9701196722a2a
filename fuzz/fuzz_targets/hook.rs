//! The fuzzer stops at every panic, also at one that becomes an error. Those that the product expects are left alone here.

use std::panic;

use medclip_core::guard;

/// Puts a hook before the fuzzer's own, which aborts. To be called once, as the target's `init`.
pub(crate) fn allow_expected_panics() {
    let abort = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if !guard::is_quiet() {
            abort(info);
        }
    }));
}

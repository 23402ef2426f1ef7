//! Panics of code that is run on behalf of the judge: caught, and returned as a text instead of printed.

use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::path::Path;
use std::sync::Once;

thread_local! {
    /// `Some` while this thread is in [`catch`]: the message of its panic, once there was one.
    static CAUGHT: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs a function, and prints nothing if it panics.
///
/// # Errors
/// The panic's message, and the file and line in which it arose.
pub fn catch<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let other_panics = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !keep(info) {
                other_panics(info);
            }
        }));
    });
    let before = CAUGHT.replace(Some(String::new()));
    let done = panic::catch_unwind(AssertUnwindSafe(run));
    let message = CAUGHT.replace(before).unwrap_or_default();
    done.map_err(|_| message)
}

/// Keeps a panic's message for [`catch`]. False on a thread that is not in it.
fn keep(info: &PanicHookInfo<'_>) -> bool {
    CAUGHT.with_borrow_mut(|caught| {
        let Some(message) = caught else { return false };
        let payload = info.payload();
        let text = payload.downcast_ref::<&str>().copied();
        let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        let text = text.unwrap_or("a panic without a message");
        // The path's other parts belong to the machine on which the judge was built.
        let place = info.location().map(|at| (Path::new(at.file()).file_name().unwrap_or_default(), at.line()));
        let place = place.map(|(file, line)| format!(", at {}:{line}", file.display()));
        *message = format!("{text}{}", place.unwrap_or_default());
        true
    })
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn what_a_caught_panic_says_is_kept_with_its_place() {
        assert_eq!(catch(|| 7), Ok(7));
        let message = catch(|| panic!("no {}", "way")).expect_err("a panic");
        assert!(message.starts_with("no way, at panics.rs:"), "{message}");
    }

    /// Runs this very test again, as a process whose standard error can be read.
    #[test]
    fn a_caught_panic_prints_nothing_and_any_other_does() {
        const INSIDE: &str = "SOCKLAB_TEST_PANICS";
        if std::env::var_os(INSIDE).is_some() {
            assert!(catch(|| panic!("this is caught")).is_err());
            assert!(panic::catch_unwind(|| panic!("this is not")).is_err());
            return;
        }
        let name = std::thread::current().name().map(str::to_owned).expect("the test's name");
        let mut again = Command::new(std::env::current_exe().expect("this program"));
        let output = again.args(["--exact", &name, "--nocapture"]).env(INSIDE, "1").output().expect("it runs");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{error}");
        assert!(error.contains("this is not") && !error.contains("this is caught"), "{error}");
    }
}

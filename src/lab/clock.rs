//! The time of day: the machine's own, by hand; the scene's, where a scene has its clock stand.

use std::cell::Cell;
use std::io;

use jiff::civil::DateTime;
use jiff::fmt::strtime::{BrokenDownTime, Config, PosixCustom};
use jiff::{Zoned, tz::TimeZone};

thread_local! {
    static STANDS_AT: Cell<Option<DateTime>> = const { Cell::new(None) };
}

/// The moment at which a scene's clock stands: `2026-11-21 02:01:06`, in UTC.
pub(super) fn moment(text: &str) -> io::Result<DateTime> {
    text.parse().map_err(|error| io::Error::other(format!("a scene's clock stands at {text:?}: {error}")))
}

/// From now on, this role's clock stands, or goes as the machine's does.
pub(super) fn stands_at(moment: Option<DateTime>) {
    STANDS_AT.set(moment);
}

/// The time in the format that is asked for, `strftime(3)` of the C locale: the local time by hand, the scene's in a
/// demo. Directives that are not known stay as they are; `jiff` knows some that C does not, such as `%Q`.
///
/// # Errors
///
/// The time cannot be written in this format.
pub fn strftime(format: &str) -> io::Result<String> {
    let now = match STANDS_AT.get() {
        Some(moment) => moment.to_zoned(TimeZone::UTC).map_err(io::Error::other)?,
        None => Zoned::now(),
    };
    let config = Config::new().custom(PosixCustom::new()).lenient(true);
    BrokenDownTime::from(&now).to_string_with_config(&config, format).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_stands_tells_its_moment_in_any_format_and_leaves_what_it_does_not_know() {
        stands_at(Some(moment("2026-11-21 02:01:06").expect("a moment")));
        let told = |format: &str| strftime(format).expect("a text");
        assert_eq!(told("%Y-%m-%d %X"), "2026-11-21 02:01:06");
        assert_eq!(told("%Y年%m月%d日 %s"), "2026年11月21日 1795226466");
        assert_eq!(told("%, %K, no percent"), "%, %K, no percent");
        assert_eq!(told(&"%c".repeat(512)).len(), 12_288);
        assert_eq!(told("\0"), "\0");
        assert_eq!(told("%1000000d"), "%1000000d");
        stands_at(None);
        assert_ne!(told("%s"), "1795226466");
    }
}

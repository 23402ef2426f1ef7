//! A time server with an allow-list. The task is in TASK.md.

use std::env;
use std::io;
use std::net::UdpSocket;
use std::time::{SystemTime, UNIX_EPOCH};

const FORMATS: [&str; 4] = ["%Y-%m-%d %H:%M:%S", "%Y %m %d", "%Y年%m月%d日", "%H:%M:%S"];

fn main() -> io::Result<()> {
    let host = env::var("HOST").unwrap_or("127.0.0.1".to_owned());
    let port = env::var("PORT").unwrap_or("9000".to_owned());
    let socket = UdpSocket::bind(format!("{host}:{port}"))?;

    let mut buf = [0; 1024];
    loop {
        let (_len, client) = socket.recv_from(&mut buf)?;
        // May this be asked?
        let _time = strftime(FORMATS[0]);
        socket.send_to(b"what time is it?", client)?;
    }
}

/// The present time of UTC: year, month, day, hour, minute, second.
fn now() -> [u64; 6] {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let is_leap = |year: u64| year % 4 == 0 && year % 100 != 0 || year % 400 == 0;
    let (mut days, mut year) = (seconds / 86_400, 1970);
    while days >= if is_leap(year) { 366 } else { 365 } {
        days -= if is_leap(year) { 366 } else { 365 };
        year += 1;
    }
    let mut month = 1;
    for length in [31, if is_leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    [year, month, days + 1, seconds / 3600 % 24, seconds / 60 % 60, seconds % 60]
}

/// The same in a format, of which `%Y`, `%m`, `%d`, `%H`, `%M` and `%S` are filled in.
fn strftime(format: &str) -> String {
    let [year, month, day, hour, minute, second] = now();
    let text = format.replace("%Y", &format!("{year:04}"));
    let two = [("%m", month), ("%d", day), ("%H", hour), ("%M", minute), ("%S", second)];
    two.iter().fold(text, |text, (code, number)| text.replace(code, &format!("{number:02}")))
}

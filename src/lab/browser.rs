//! Tells a web browser's request from a command: any web page can make a browser send one to a port of this machine,
//! under a name of the page's own choice, too, which it lets stand for 127.0.0.1 (DNS rebinding).

/// The methods of HTTP, RFC 9110 section 9, RFC 5789 and WebDAV's. A page without leave of the server can use GET, HEAD
/// and POST, and makes the browser ask with OPTIONS.
const METHODS: [&str; 17] = [
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "DELETE",
    "CONNECT",
    "OPTIONS",
    "TRACE",
    "PATCH",
    "PROPFIND",
    "PROPPATCH",
    "MKCOL",
    "COPY",
    "MOVE",
    "LOCK",
    "UNLOCK",
    "PRI",
];

/// The methods that a page can have a browser begin with.
const FIRST_METHODS: [&str; 4] = ["GET", "HEAD", "POST", "OPTIONS"];

/// What a TLS connection begins with, RFC 8446 section 5.1: a record of the handshake, of a version 3.x.
const TLS_HANDSHAKE: &str = "\x16\x03";

/// Headers of which each request of a browser has at least one.
const HEADERS: [&str; 4] = ["host", "origin", "referer", "user-agent"];

/// Whether a text that came over the network is a web browser's request, or the beginning of one.
///
/// A request begins with its request line, RFC 9112 section 3: `POST /path HTTP/1.1`. A page chooses the path, so the
/// line can be longer than a server's buffer: a method with a target is enough. Whatever the method, an HTTP version at
/// the end of a line is, too, and so is a header that browsers send. Of a first piece that is shorter, the beginning of
/// a method is enough. A page of `https:` sends a TLS handshake.
pub(super) fn is_browser_request(text: &str) -> bool {
    let text = text.trim_start();
    if text.starts_with(TLS_HANDSHAKE) || is_cut_short(text) {
        return true;
    }
    let (method, rest) = text.split_once([' ', '\t']).unwrap_or((text, ""));
    let target = rest.trim_start().to_ascii_lowercase();
    let has_target = target.is_empty() || target.starts_with(['/', '*']) || target.starts_with("http");
    (METHODS.contains(&method) && has_target) || text.lines().any(|line| ends_with_version(line) || is_header(line))
}

/// Whether a text is the beginning of a method and nothing more.
fn is_cut_short(text: &str) -> bool {
    !text.is_empty() && FIRST_METHODS.iter().any(|method| method.starts_with(text))
}

/// Whether a line ends as a request line does: a method, a target and `HTTP/1.1`, in any case.
fn ends_with_version(line: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    let version = words.get(2..).and_then(<[&str]>::last).map(|word| word.to_ascii_lowercase());
    version.and_then(|word| word.strip_prefix("http/").map(|rest| rest.starts_with(|c: char| c.is_ascii_digit())))
        == Some(true)
}

fn is_header(line: &str) -> bool {
    line.split_once(':').is_some_and(|(name, _)| HEADERS.iter().any(|header| name.eq_ignore_ascii_case(header)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_browser_sends_is_known_whole_or_in_part() {
        for text in [
            "POST / HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\ntouch pwned\n",
            "GET /;touch%20pwned HTTP/1.1\r\n",
            "get / http/1.1\r\n",
            "GET http://127.0.0.1:8080/ HTTP/1.1\r\n",
            "POST /a-path-that-is-longer-than-the-buffer",
            "OPTIONS * HTTP/1.0",
            "POST",
            "\r\nPOST / HTTP/1.1",
            "BREW /pot HTTP/1.1\r\n",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n",
            "P",
            "GE",
            "OPTION",
            "GET / HTTP/1.1\r\nHost: rebound.example:8080\r\n\r\n",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x12\x04",
            "GET /chat HTTP/1.1\r\nUpgrade: websocket\r\n",
            "\x16\x03\x01\x02\0\x01\0\x01\u{fc}\x03\x03",
            "Host: 127.0.0.1:8080\r\nContent-Type: text/plain\r\n\r\ntouch pwned",
            "ath HTTP/1.1\r\nhost: x\r\n",
        ] {
            assert!(is_browser_request(text), "{text:?}");
        }
    }

    #[test]
    fn commands_are_none() {
        for text in [
            "",
            "ls -l /",
            "head /etc/hosts",
            "get /a",
            "patch /tmp/a",
            "echo GET / POST",
            "GETS",
            "p",
            "w",
            "COPY a b",
            "ping -c 1 host",
            "curl http://127.0.0.1:8080/",
            "echo HTTP/1.1",
            "cat <<x\nhello: host\nx",
            "date; echo host: me",
        ] {
            assert!(!is_browser_request(text), "{text:?}");
        }
    }
}

//! An upload server: under a name there is a whole file, or nothing.

use std::env;
use std::fs;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};

fn main() -> io::Result<()> {
    let host = env::var("HOST").unwrap_or("127.0.0.1".to_owned());
    let port = env::var("PORT").unwrap_or("8080".to_owned());
    let folder = PathBuf::from(env::var("FOLDER").unwrap_or("inbox".to_owned()));
    fs::create_dir_all(&folder)?;
    let listener = TcpListener::bind(format!("{host}:{port}"))?;
    loop {
        let (conn, client) = listener.accept()?;
        if let Err(error) = serve(conn, &folder) {
            eprintln!("{client}: {error}");
        }
    }
}

const LONGEST_HEADER: usize = 65_536;
const LARGEST: usize = 1_048_576;
const LONGEST_NAME: usize = 255;

/// What a header says.
enum Request {
    Put { name: String, size: usize, digest: String },
    Get { name: String },
}

/// Serves one client, until it leaves, in the middle of a request or not; or until its header cannot be used.
fn serve(mut conn: TcpStream, folder: &Path) -> io::Result<()> {
    while let Some(request) = read_header(&mut conn)? {
        match request {
            Request::Put { name, size, digest } => {
                // It comes, whatever is wrong with it.
                let mut file = vec![0; size];
                conn.read_exact(&mut file)?;
                match keep(folder, &name, &file, &digest) {
                    Ok(()) => answer(&mut conn, r#"{"ok": true}"#)?,
                    Err(why) => refuse(&mut conn, &why)?,
                }
            }
            Request::Get { name } => match path_of(folder, &name).and_then(|path| fs::read(path).map_err(told)) {
                Ok(file) => {
                    answer(&mut conn, &format!(r#"{{"ok": true, "filesize": {}}}"#, file.len()))?;
                    conn.write_all(&file)?;
                }
                Err(why) => refuse(&mut conn, &why)?,
            },
        }
    }
    refuse(&mut conn, "the header cannot be used")
}

/// Keeps a file: all of it, or nothing. The error says why not.
fn keep(folder: &Path, name: &str, file: &[u8], digest: &str) -> Result<(), String> {
    let (unfinished, path) = (folder.join(".unfinished"), path_of(folder, name)?);
    if sha256(file) != digest {
        return Err("the digest is another one".to_owned());
    }
    // There is one client at a time: nobody takes the name in between.
    if path.exists() {
        return Err("the name is taken".to_owned());
    }
    // What lies there from an earlier start is overwritten.
    fs::write(&unfinished, file).and_then(|()| fs::rename(&unfinished, path)).map_err(told)
}

fn path_of(folder: &Path, name: &str) -> Result<PathBuf, String> {
    if name.is_empty() || name.starts_with('.') || name.contains(['/', '\0']) || name.len() > LONGEST_NAME {
        return Err("the name is not allowed".to_owned());
    }
    Ok(folder.join(name))
}

/// In words that need no escapes.
fn told(error: io::Error) -> String {
    error.kind().to_string()
}

/// Reads a header; `None` if it cannot be used.
fn read_header(conn: &mut TcpStream) -> io::Result<Option<Request>> {
    let mut length = [0; 4];
    conn.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length) as usize;
    if length > LONGEST_HEADER {
        return Ok(None);
    }
    let mut header = vec![0; length];
    conn.read_exact(&mut header)?;
    Ok(understood(&header))
}

fn understood(header: &[u8]) -> Option<Request> {
    let fields = fields(std::str::from_utf8(header).ok()?)?;
    let field = |wanted| fields.iter().find(|(name, _)| *name == wanted).map(|(_, value)| *value);
    let name = text_of(field("filename")?)?;
    match field("cmd")? {
        r#""get""# => Some(Request::Get { name }),
        r#""put""# => {
            let size = field("filesize")?.parse().ok().filter(|size| *size <= LARGEST)?;
            Some(Request::Put { name, size, digest: text_of(field("sha256")?)? })
        }
        _ => None,
    }
}

fn refuse(conn: &mut TcpStream, why: &str) -> io::Result<()> {
    answer(conn, &format!(r#"{{"ok": false, "error": "{why}"}}"#))
}

fn answer(conn: &mut TcpStream, header: &str) -> io::Result<()> {
    conn.write_all(&[&(header.len() as u32).to_be_bytes(), header.as_bytes()].concat())
}

/// SHA-256, in hexadecimal digits. FIPS 180-4 describes it.
fn sha256(data: &[u8]) -> String {
    const K: [u32; 64] = [
        0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98,
        0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
        0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8,
        0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
        0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819,
        0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
        0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
        0xc67178f2,
    ];
    let mut h: [u32; 8] =
        [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];
    let mut padded = data.to_vec();
    padded.push(0x80);
    padded.resize((padded.len() + 8).div_ceil(64) * 64 - 8, 0);
    padded.extend((data.len() as u64 * 8).to_be_bytes());
    for block in padded.chunks(64) {
        let mut w: Vec<u32> = block.chunks(4).map(|four| u32::from_be_bytes(four.try_into().unwrap())).collect();
        for at in 16..64 {
            let (a, b) = (w[at - 15], w[at - 2]);
            let one = a.rotate_right(7) ^ a.rotate_right(18) ^ a >> 3;
            let two = b.rotate_right(17) ^ b.rotate_right(19) ^ b >> 10;
            w.push(w[at - 16].wrapping_add(one).wrapping_add(w[at - 7]).wrapping_add(two));
        }
        let mut v = h;
        for at in 0..64 {
            let [a, b, c, _, e, f, g, last] = v;
            let one = (e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25))
                .wrapping_add(e & f ^ !e & g)
                .wrapping_add(last.wrapping_add(K[at]).wrapping_add(w[at]));
            let two = (a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22)).wrapping_add(a & b ^ a & c ^ b & c);
            v.rotate_right(1);
            v[4] = v[4].wrapping_add(one);
            v[0] = one.wrapping_add(two);
        }
        h.iter_mut().zip(v).for_each(|(h, v)| *h = h.wrapping_add(v));
    }
    h.iter().map(|word| format!("{word:08x}")).collect()
}

/// The fields of a JSON object: their names and their values as they stand there, `5`, or `"a.txt"` with its quotation
/// marks and escapes. `None` if the text is no JSON object.
fn fields(text: &str) -> Option<Vec<(&str, &str)>> {
    let (mut fields, mut rest) = (Vec::new(), text.trim_matches(BLANKS).strip_prefix('{')?.trim_start_matches(BLANKS));
    while !rest.starts_with('}') {
        if !fields.is_empty() {
            rest = rest.strip_prefix(',')?.trim_start_matches(BLANKS);
        }
        let behind = value(rest.starts_with('"').then_some(rest)?, 0)?;
        let name = &rest[1..rest.len() - behind.len() - 1];
        rest = behind.trim_start_matches(BLANKS).strip_prefix(':')?.trim_start_matches(BLANKS);
        let behind = value(rest, 20)?;
        fields.push((name, &rest[..rest.len() - behind.len()]));
        rest = behind.trim_start_matches(BLANKS);
    }
    (rest == "}").then_some(fields)
}

/// The text of a JSON string as it stands in [`fields`], with its escapes read; `None` if it is no string.
fn text_of(value: &str) -> Option<String> {
    let mut units = Vec::new();
    let mut rest = value.strip_prefix('"')?.strip_suffix('"')?.chars();
    while let Some(c) = rest.next() {
        let c = match c {
            '\\' => match rest.next()? {
                'b' => '\x08',
                'f' => '\x0c',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'u' => {
                    units.push(u16::from_str_radix(rest.as_str().get(..4)?, 16).ok()?);
                    rest.nth(3);
                    continue;
                }
                other => other,
            },
            other => other,
        };
        units.extend_from_slice(c.encode_utf16(&mut [0; 2]));
    }
    String::from_utf16(&units).ok()
}

const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];

/// What is behind a JSON value; `None` if there is none. Lists and objects are at most `deep` deep.
fn value(text: &str, deep: usize) -> Option<&str> {
    if let Some(string) = text.strip_prefix('"') {
        let mut is_escaped = false;
        let end = string.find(|c| {
            let was_escaped = is_escaped;
            is_escaped = c == '\\' && !was_escaped;
            c == '"' && !was_escaped || c < ' '
        })?;
        return string[end..].strip_prefix('"');
    }
    if text.starts_with(['{', '[']) && deep > 0 {
        let end = if text.starts_with('{') { '}' } else { ']' };
        let mut rest = text[1..].trim_start_matches(BLANKS);
        let mut is_first = true;
        while !rest.starts_with(end) {
            if !std::mem::replace(&mut is_first, false) {
                rest = rest.strip_prefix(',')?.trim_start_matches(BLANKS);
            }
            if end == '}' {
                let behind = value(rest.starts_with('"').then_some(rest)?, 0)?;
                rest = behind.trim_start_matches(BLANKS).strip_prefix(':')?.trim_start_matches(BLANKS);
            }
            rest = value(rest, deep - 1)?.trim_start_matches(BLANKS);
        }
        return Some(&rest[1..]);
    }
    let word = ["true", "false", "null"].iter().find_map(|word| text.strip_prefix(word));
    let number = text.trim_start_matches(|c: char| c.is_ascii_digit() || "-+.eE".contains(c));
    word.or((number.len() < text.len()).then_some(number))
}

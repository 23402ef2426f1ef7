//! Path traversal.

mod claims;

use std::fs;
use std::path::{Component, Path, PathBuf};

use serde_json::Value;
use socklab::prelude::*;

/// No header here is longer, in bytes.
const LONGEST_HEADER: i32 = 1024;

/// No file here is longer, in bytes.
const LONGEST_FILE: u64 = 1024;

pub fn lab() -> Lab {
    Lab::new(38, "path-traversal", 9991)
        .in_chapter(Chapter::Files)
        .on_one_host()
        .asks("What may a file name from the network say?")
        .scene(
            Scene::new("a name with two dots, as the authors' programs send and believe it")
                .server(server)
                .with_folder()
                .client(client)
                .with_folder()
                .typed(&["put ../up.txt", "q"])
                .ends_waiting(),
        )
        .scene(
            Scene::new("the server's own program is replaced, in two ways")
                .server(replaced_server)
                .with_folder()
                .client(raw_client)
                .ends_waiting(),
        )
        .scene(
            Scene::new("normpath is no check")
                .server(normpath_server)
                .with_folder()
                .client(three_ways_client)
                .ends_waiting(),
        )
        .scene(Scene::new("a command goes through a table").server(table_server).client(commanding_client))
        .scene(
            Scene::new("the kernel looks for the name, beneath the folder")
                .server(beneath_server)
                .with_folder()
                .client(naming_client),
        )
        .scene(
            Scene::new("the name is checked before, too").server(checking_server).with_folder().client(naming_client),
        )
        .claims(claims::all())
}

fn server(at: Endpoint) -> io::Result<()> {
    serve(at, |name| Path::new("server_home").join(name), false)
}

/// The homework of the old texts: the client has `client_home`, the server has `server_home`.
fn client(at: Endpoint) -> io::Result<()> {
    work_in("lab-38-client", "client_home")?;
    fs::write("up.txt", "hello\n")?;
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    while let Some(line) = prompt(">>") {
        match line.split_whitespace().collect::<Vec<&str>>()[..] {
            ["q", ..] => break,
            ["put", name, ..] => {
                let file = File::open_path(Path::new("client_home").join(name))?; // ①
                let mut buf = [0; LONGEST_FILE as usize];
                let len = file.read(&mut buf)?;
                let header = format!(r#"{{"func": "put", "file_name": "{name}", "file_size": {len}}}"#);
                conn.send(&length_of(&header))?;
                conn.send(header.as_bytes())?; // ②
                for line in buf[..len].split_inclusive(|byte| *byte == b'\n') {
                    conn.send(line)?;
                }
            }
            _ => say!("input error"),
        }
    }
    Ok(())
}

/// Receives a header and a file on each connection, and stores the file where `path_of` says.
fn serve(at: Endpoint, path_of: fn(&str) -> PathBuf, reads_its_program: bool) -> io::Result<()> {
    lay_out()?;
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    say!("start.....");
    loop {
        let (conn, _client) = listener.accept()?;
        let mut four = [0; 4];
        conn.recv(&mut four)?;
        let mut header = vec![0; length_in(four)];
        let len = conn.recv(&mut header)?;
        let Some((name, size)) = name_and_size(&header[..len]) else { continue };
        say!("{}", as_python_prints(&header[..len]));
        let path = path_of(&name); // ③
        let Some(file) = create(&path)? else { continue }; // ④
        let mut have = 0;
        while have < size {
            let mut buf = [0; LONGEST_FILE as usize];
            let len = conn.recv(&mut buf[..size - have])?;
            if len == 0 {
                break;
            }
            file.write_all(&buf[..len])?; // ⑤
            have += len;
        }
        say!("file received, {have} bytes in all");
        drop(file);
        note(&what_lies_where()?);
        if reads_its_program {
            read_program()?;
        }
    }
}

/// Opens the file as Python's `open(path, "wb")` does, wherever the path leads. By hand that could be any file of
/// yours: so this program looks first whether it is in the lab's own folder. The authors' programs do not.
fn create(path: &Path) -> io::Result<Option<File>> {
    let folder = Path::new(".").join(path).parent().map(Path::canonicalize).transpose()?;
    if folder.is_some_and(|folder| folder.starts_with(std::env::current_dir().unwrap_or_default())) {
        return File::create_path(path).map(Some);
    }
    say!("this lab writes nothing outside of its own folder");
    Ok(None)
}

fn replaced_server(at: Endpoint) -> io::Result<()> {
    serve(at, |name| Path::new("server_home").join(name), true)
}

/// Writes its headers itself, as any program can.
fn raw_client(at: Endpoint) -> io::Result<()> {
    // A path that begins with a slash, and leads to the folder in which its reader works: `proc(5)`.
    for (name, program) in [("../server.py", "print('one')\n"), ("/proc/self/cwd/server.py", "print('two')\n")] {
        let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        conn.connect(&at.address())?;
        let header = format!(r#"{{"func": "put", "file_name": "{name}", "file_size": {}}}"#, program.len());
        conn.send(&[&length_of(&header), header.as_bytes(), program.as_bytes()].concat())?;
    }
    Ok(())
}

fn normpath_server(at: Endpoint) -> io::Result<()> {
    serve(at, |name| normpath(&Path::new("server_home").join(name)), true)
}

/// What Python's `os.path.normpath` makes of a path. It looks at the text alone.
fn normpath(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if normal.file_name().is_some_and(|last| last != "..") => {
                normal.pop();
            }
            other => normal.push(other),
        }
    }
    normal
}

/// The header is that of the homework by classes.
fn three_ways_client(at: Endpoint) -> io::Result<()> {
    let names = ["../server.py", "x/../../server.py", "/proc/self/cwd/server.py"];
    for (name, program) in names.into_iter().zip(["print('one')\n", "print('two')\n", "print('three')\n"]) {
        let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        conn.connect(&at.address())?;
        let header = format!(r#"{{"cmd": "put", "filename": "{name}", "filesize": {}}}"#, program.len());
        conn.send(&[&length_of(&header), header.as_bytes(), program.as_bytes()].concat())?;
    }
    Ok(())
}

/// The commands that there are stand in one place, and no name of a function of the program's is one.
fn table_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    loop {
        let mut four = [0; 4];
        if conn.recv(&mut four)? == 0 {
            return Ok(());
        }
        let mut header = vec![0; length_in(four)];
        let len = conn.recv(&mut header)?;
        let header: Value = serde_json::from_slice(&header[..len]).unwrap_or_default();
        conn.send(answer_to(&header).as_bytes())?;
    }
}

fn answer_to(header: &Value) -> String {
    match header["cmd"].as_str() {
        Some("put") => put(header),
        Some("help") => "put, help".to_owned(),
        _ => "no such command; help lists them".to_owned(), // ①
    }
}

/// What `put` answers before the bytes come. (This scene stores none.)
fn put(header: &Value) -> String {
    match (header["filename"].as_str(), header["filesize"].as_u64()) {
        (Some(name), Some(size)) if size <= LONGEST_FILE => format!("send {size} bytes for {name}"),
        (None, _) => "put needs a filename".to_owned(),
        _ => format!("put needs a filesize, 0 to {LONGEST_FILE}"),
    }
}

fn commanding_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    let headers = [
        r#"{"cmd": "__init__"}"#,
        r#"{"cmd": "run"}"#,
        r#"{"cmd": "server_close"}"#,
        r#"{"cmd": "help"}"#,
        r#"{"cmd": "put"}"#,
        r#"{"cmd": "put", "filename": "f1", "filesize": 1e300}"#,
        r#"{"cmd": "put", "filename": "f1", "filesize": 6}"#,
    ];
    for header in headers {
        conn.send(&[&length_of(header), header.as_bytes()].concat())?;
        let mut buf = [0; 1024];
        let len = conn.recv(&mut buf)?;
        say!("{header}: {}", String::from_utf8_lossy(&buf[..len]));
    }
    Ok(())
}

fn beneath_server(at: Endpoint) -> io::Result<()> {
    store_for(at, store)
}

/// Empties the file of this name, or makes it, and writes the bytes. Nothing but the kernel looks at the name.
fn store(inbox: &Folder, name: &str, bytes: &[u8]) -> io::Result<()> {
    let file = inbox.open_or_create(name)?;
    file.truncate(0)?;
    file.write_all(bytes)
}

fn checking_server(at: Endpoint) -> io::Result<()> {
    store_for(at, |inbox, name, bytes| {
        plain_name(name)?;
        store(inbox, name, bytes)
    })
}

/// Receives a header and a file, again and again, and answers what became of it.
fn store_for(at: Endpoint, store: fn(&Folder, &str, &[u8]) -> io::Result<()>) -> io::Result<()> {
    lay_out()?;
    lay_in_the_way()?;
    let inbox = Folder::open("server_home")?;
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    loop {
        let mut four = [0; 4];
        if conn.recv(&mut four)? == 0 {
            break;
        }
        let mut header = vec![0; length_in(four)];
        let len = conn.recv(&mut header)?;
        let Some((name, size)) = name_and_size(&header[..len]) else { break };
        let mut file = vec![0; size];
        let len = conn.recv(&mut file)?;
        let answer = match store(&inbox, &name, &file[..len]) {
            Ok(()) => "stored".to_owned(),
            Err(error) => format!("refused: {}", why(&error)),
        };
        conn.send(answer.as_bytes())?;
    }
    read_program()
}

/// The kernel's refusals in words.
fn why(error: &io::Error) -> String {
    match error.raw_os_error().map(Errno) {
        Some(Errno::EXDEV) => "it leads out of the folder".to_owned(),
        Some(Errno::ELOOP) => "there is a link on the way".to_owned(),
        Some(Errno::EISDIR) => "it names a folder".to_owned(),
        Some(Errno::ENOENT) => "it names nothing".to_owned(),
        Some(Errno::ENAMETOOLONG) => "it is too long".to_owned(),
        _ => error.to_string(),
    }
}

fn naming_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    for name in names() {
        let header = serde_json::json!({ "func": "put", "file_name": name, "file_size": 6 }).to_string();
        conn.send(&[&length_of(&header), header.as_bytes(), b"hello\n"].concat())?;
        let mut buf = [0; 1024];
        let len = conn.recv(&mut buf)?;
        say!("{}: {}", in_short(&name), String::from_utf8_lossy(&buf[..len]));
    }
    Ok(())
}

fn names() -> Vec<String> {
    let lead_out = ["../server.py", "/proc/self/cwd/server.py", "sub/../../server.py", "sub/../f2"];
    let no_names = ["", ".", "..", "f1/", "a\0b"];
    let twins = ["readme", "README"];
    let in_the_way = ["link", "door/server.py", "null", "fifo", "sub"];
    let mut names = ["f1"].into_iter().chain(lead_out).chain(no_names).map(str::to_owned).collect::<Vec<String>>();
    names.extend([255, 256].map(|len| "n".repeat(len)));
    names.extend(twins.into_iter().chain(in_the_way).map(str::to_owned));
    names
}

/// `"f1"`, or `"nnn…" (255 bytes)`.
fn in_short(name: &str) -> String {
    match name.get(..24) {
        Some(begin) if name.len() > 24 => format!("\"{begin}…\" ({} bytes)", name.len()),
        _ => format!("\"{}\"", name.as_bytes().escape_ascii()),
    }
}

/// The four bytes that stand before a header.
fn length_of(header: &str) -> [u8; 4] {
    (header.len() as i32).to_ne_bytes()
}

/// How long the header is; nothing of one that is too long.
fn length_in(four: [u8; 4]) -> usize {
    let length = i32::from_ne_bytes(four);
    if (0..=LONGEST_HEADER).contains(&length) { length as usize } else { 0 }
}

/// The file's name and size in a header, if that has both, and the size is none that is too large.
fn name_and_size(header: &[u8]) -> Option<(String, usize)> {
    let header: Value = serde_json::from_slice(header).ok()?;
    let field = |names: [&str; 2]| names.iter().find_map(|name| header.get(name)).cloned();
    let size = field(["file_size", "filesize"])?.as_u64().filter(|size| *size <= LONGEST_FILE)?;
    Some((field(["file_name", "filename"])?.as_str()?.to_owned(), size as usize))
}

/// A dictionary as Python prints it.
fn as_python_prints(header: &[u8]) -> String {
    String::from_utf8_lossy(header).replace('"', "'")
}

/// Works in a folder of this name from now on, with this folder in it: nobody's files are touched, also by hand.
fn work_in(own: &str, home: &str) -> io::Result<()> {
    work_in_own_folder()?;
    fs::create_dir_all(own)?;
    std::env::set_current_dir(own)?;
    fs::create_dir_all(home)
}

/// What the server finds when it starts: its program, and beside it the folder for what it receives.
fn lay_out() -> io::Result<()> {
    work_in("lab-38-server", "server_home")?;
    fs::write("server.py", "print('I am the server')\n")
}

/// What a stranger, or somebody with an account on the server's machine, may have left in the folder.
fn lay_in_the_way() -> io::Result<()> {
    fs::remove_dir_all("server_home")?;
    fs::create_dir_all("server_home/sub")?;
    let home = Folder::open("server_home")?;
    home.make_link("../server.py", "link")?;
    home.make_link("..", "door")?;
    home.make_link("/dev/null", "null")?;
    home.make_fifo("fifo")
}

/// What lies beside the server's program, and what in its folder.
fn what_lies_where() -> io::Result<String> {
    let list = |folder: &str| {
        let names = fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
        let mut names = names.collect::<io::Result<Vec<String>>>()?;
        names.sort();
        Ok::<_, io::Error>(if names.is_empty() { "nothing".to_owned() } else { names.join(", ") })
    };
    Ok(format!("in the server's folder: {}; in server_home: {}", list(".")?, list("server_home")?))
}

/// Shows what the server's program says now.
fn read_program() -> io::Result<()> {
    let file = File::open_path("server.py")?;
    let mut buf = [0; 80];
    let len = file.read(&mut buf)?;
    say!("server.py: {}", String::from_utf8_lossy(&buf[..len]).trim_end());
    Ok(())
}

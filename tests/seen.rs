//! What a student sees of the program's own words: what it prints, what it says last, and where it sent what it should
//! not have printed.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use crate::support::{has, read, run, side_by_side, skip, socklab, temporary};

/// A new folder with these files.
fn folder(name: &str, files: &[(&str, &str)]) -> PathBuf {
    let folder = temporary().join("seen").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    for (name, text) in files {
        fs::write(folder.join(name), text).expect("a file");
    }
    folder
}

/// What is printed of one check of exercise 30, applied to what is in a folder.
fn graded(folder: &Path, more: &[&str]) -> String {
    let arguments = ["grade", "30", "--seed", "1", "--check", "one-message", "--case", "0", "--folder"];
    let output = run(socklab().args(arguments).arg(folder).args(more));
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(8) || output.status.code() == Some(0), "{complaint}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn object(text: &str) -> Json {
    serde_json::from_str(text).expect("JSON")
}

/// A program in one language, which is executed only if the machine has this.
struct Attempt {
    takes: &'static str,
    file: &'static str,
    program: &'static str,
}

/// Each prints a line, takes a client, prints another one, and ends by an error in a function of its own.
const CRASHING: [Attempt; 6] = [
    Attempt {
        takes: "python3",
        file: "server.py",
        program: r#"
import json, os, socket
def serve(client):
    print("a client is here")
    json.loads("{" + str(len(client.recv(4))))
server = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])))
print("ready")
serve(server.accept()[0])
"#,
    },
    Attempt {
        takes: "node",
        file: "server.js",
        program: r#"
function serve(data) {
  console.log("a client is here");
  data.readUInt32BE(data.length);
}
console.log("ready");
require("net").createServer((client) => client.on("data", serve)).listen(process.env.PORT, process.env.HOST);
"#,
    },
    Attempt {
        takes: "java",
        file: "Server.java",
        program: r#"
import java.net.*;
public class Server {
    static void serve(Socket client) throws Exception {
        System.out.println("a client is here");
        int[] few = new int[1];
        few[client.getInputStream().read() + 7] = 1;
    }
    public static void main(String[] arguments) throws Exception {
        int port = Integer.parseInt(System.getenv("PORT"));
        ServerSocket server = new ServerSocket(port, 5, InetAddress.getByName(System.getenv("HOST")));
        System.out.println("ready");
        serve(server.accept());
    }
}
"#,
    },
    Attempt {
        takes: "go",
        file: "server.go",
        program: r#"
package main
import ("fmt"; "net"; "os")
func serve(client net.Conn) {
	fmt.Println("a client is here")
	piece := make([]byte, 4)
	count, _ := client.Read(piece)
	fmt.Println(piece[count+7])
}
func main() {
	server, _ := net.Listen("tcp", os.Getenv("HOST")+":"+os.Getenv("PORT"))
	fmt.Println("ready")
	client, _ := server.Accept()
	serve(client)
}
"#,
    },
    Attempt {
        takes: "rustc",
        file: "server.rs",
        program: r#"
use std::io::Read;
fn serve(mut client: std::net::TcpStream) {
    println!("a client is here");
    let mut piece = [0; 4];
    let count = client.read(&mut piece).unwrap();
    println!("{}", piece[count + 7]);
}
fn main() {
    let place = format!("{}:{}", std::env::var("HOST").unwrap(), std::env::var("PORT").unwrap());
    let server = std::net::TcpListener::bind(place).unwrap();
    println!("ready");
    serve(server.accept().unwrap().0);
}
"#,
    },
    Attempt {
        takes: "cc",
        file: "server.c",
        program: r#"
#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
static void serve(int client)
{
    char piece[4];
    puts("a client is here");
    ssize_t count = read(client, piece, sizeof piece);
    assert(count > 7);
}
int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    struct sockaddr_in here = { AF_INET, htons(atoi(getenv("PORT"))), { inet_addr(getenv("HOST")) } };
    int server = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(server, (struct sockaddr *)&here, sizeof here) || listen(server, 5)) return 1;
    puts("ready");
    serve(accept(server, NULL, NULL));
}
"#,
    },
];

/// The place in its own file at which each ends, and what the language calls that.
const CRASHES: [(&str, &str); 6] = [
    ("server.py\", line 5, in serve", "JSONDecodeError"),
    ("server.js:4:", "ERR_OUT_OF_RANGE"),
    ("Server.java:7", "ArrayIndexOutOfBoundsException"),
    ("server.go:8", "index out of range"),
    ("server.rs:7:", "index out of bounds"),
    ("server.c:12", "Assertion `count > 7' failed"),
];

#[test]
fn a_program_that_ends_by_an_error_shows_where_and_why_in_every_language() {
    let test = "a_program_that_ends_by_an_error_shows_where_and_why_in_every_language";
    let here: Vec<(&Attempt, &(&str, &str))> =
        CRASHING.iter().zip(&CRASHES).filter(|(attempt, _)| has(attempt.takes)).collect();
    if here.len() < CRASHING.len() {
        skip(test, "not every language is here");
    }
    side_by_side(&here, |(attempt, (place, what))| {
        let folder = folder(&format!("crash-{}", attempt.takes), &[(attempt.file, attempt.program)]);
        let report = graded(&folder, &[]);
        let (story, rest) = report.split_once("its last words").unwrap_or_else(|| panic!("no last words: {report}"));
        assert!(rest.contains(place) && rest.contains(what), "{report}");
        assert!(!report.contains("Picked up"), "{report}");
        // What was printed stands at its step.
        let at = |words: &str| story.find(words).unwrap_or_else(|| panic!("no {words:?}: {report}"));
        assert!(at("1  the program starts") < at("prints │ ready"), "{report}");
        assert!(at("our client connects") < at("prints │ a client is here"), "{report}");
    });
}

#[test]
fn both_streams_of_a_program_stand_in_story_transcript_and_json() {
    let test = "both_streams_of_a_program_stand_in_story_transcript_and_json";
    if !has("python3") {
        return skip(test, "python3 is not here");
    }
    let solution = read("labs/30-struct-header/exercise/solutions/python/server.py");
    let begin = "import sys\nprint('out \"of\" it \\\\ \\x1b[2J')\nprint('on the side', file=sys.stderr)\n";
    let folder = folder("streams", &[("server.py", &(begin.to_owned() + &solution))]);
    let transcript = graded(&folder, &["--transcript"]);
    assert!(transcript.contains(r#"│ out "of" it \ \x1b[2J"#), "{transcript}");
    assert!(transcript.contains("its stderr") && transcript.contains("│ on the side"), "{transcript}");
    let steps = object(&graded(&folder, &["--json"]))["checks"][0]["steps"].clone();
    let has = |step: &str| steps.as_array().expect("steps").iter().any(|one| one == step);
    assert!(has(r#"the program prints: out "of" it \ \x1b[2J"#), "{steps}");
    assert!(has("the program writes to its standard error: on the side"), "{steps}");
}

#[test]
fn what_was_printed_and_should_have_been_sent_is_told() {
    if !has("python3") {
        return skip("what_was_printed_and_should_have_been_sent_is_told", "python3 is not here");
    }
    let answers = |how: &str| {
        let program = format!(
            "import os, socket, struct, sys
server = socket.create_server((os.environ['HOST'], int(os.environ['PORT'])))
client = server.accept()[0]
length, = struct.unpack('!I', client.recv(4, socket.MSG_WAITALL))
answer = client.recv(length, socket.MSG_WAITALL).upper()
{how}
client.recv(1)
"
        );
        graded(&folder("printed", &[("server.py", &program)]), &[])
    };
    let to_output = answers("print(answer.decode())");
    assert!(to_output.contains("it printed \"ABCDE\" and did not send it"), "{to_output}");
    let unfinished = answers("print(struct.pack('!I', length) + answer, end='')");
    assert!(unfinished.contains("it printed \"ABCDE\" and did not send it"), "{unfinished}");
    let to_errors = answers("print(answer, file=sys.stderr)");
    assert!(to_errors.contains("it wrote to its standard error \"ABCDE\" and did not send it"), "{to_errors}");
    let other = answers("print('I have read it')");
    assert!(!other.contains("did not send it"), "{other}");
    let sent_as_well = answers("print(answer); client.sendall(answer)");
    assert!(!sent_as_well.contains("did not send it"), "{sent_as_well}");
}

#[test]
fn what_was_sent_or_complained_and_should_have_been_printed_is_told() {
    if !has("python3") {
        return skip("what_was_sent_or_complained_and_should_have_been_printed_is_told", "python3 is not here");
    }
    let solution = read("labs/30-struct-header/exercise-client/solutions/python/client.py");
    let told = |how: &str| {
        let program = solution.replace("print(recv_exact(conn, length).decode(), flush=True)", how);
        assert_ne!(program, solution);
        let folder = folder("unprinted", &[("client.py", &program)]);
        let arguments = ["grade", "30-client", "--seed", "1", "--check", "one-line", "--folder"];
        String::from_utf8(run(socklab().args(arguments).arg(folder)).stdout).expect("UTF-8")
    };
    let complained = told("print(recv_exact(conn, length).decode(), file=sys.stderr)");
    assert!(complained.contains("it wrote to its standard error \"") && complained.contains("did not print it"));
    let sent = told("conn.sendall(recv_exact(conn, length))");
    assert!(!sent.contains("standard error"), "{sent}");
}

#[test]
fn nothing_is_escaped_twice() {
    if !has("python3") {
        return skip("nothing_is_escaped_twice", "python3 is not here");
    }
    // It ends at any bytes that are no text.
    let program = "import os, socket, sys
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind((os.environ['HOST'], int(os.environ['PORT'])))
while True:
    data, client = server.recvfrom(65536)
    try:
        data.decode()
    except UnicodeDecodeError:
        sys.exit('a \"quoted\" \\\\ line\\n\\tand \\x1b[2J another one')
    server.sendto(b'whole %d ' % len(data) + data, client)
";
    let folder = folder("escapes", &[("server.py", program)]);
    let judged = |more: &[&str]| {
        let arguments = ["grade", "02", "--seed", "1", "--check", "any-bytes", "--folder"];
        let output = run(socklab().args(arguments).arg(&folder).args(more));
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let report = judged(&[]);
    assert!(report.contains(r"\xff"), "the check sends bytes that are no text: {report}");
    assert!(!report.contains(r"\\x"), "{report}");
    assert!(report.contains(r#"│ a "quoted" \ line"#), "{report}");
    let failure = object(&judged(&["--json"]))["checks"][0]["failure"].clone();
    assert_eq!(failure["last_words"], "a \"quoted\" \\ line\n\tand \\x1b[2J another one", "{failure}");
    assert!(!failure["expected"].to_string().contains(r"\\\\x"), "{failure}");
    let xml = temporary().join("seen/escapes.xml");
    judged(&["--junit", xml.to_str().expect("UTF-8")]);
    let xml = fs::read_to_string(&xml).expect("a file");
    assert!(xml.contains(r"a &quot;quoted&quot; \ line"), "{xml}");
    assert!(!xml.contains(r"\\x"), "{xml}");
}

/// Programs that never get so far that a check begins, and one that spins and one that crashes after it: what each is
/// helped with.
const KINDS: [(&str, &str, &str); 9] = [
    ("needs arguments", "import sys\nport = int(sys.argv[1])\n", "{host} {port}"),
    (
        "parses arguments",
        "import argparse\np = argparse.ArgumentParser()\np.add_argument('port')\np.parse_args()\n",
        "{port}",
    ),
    ("asks at the keyboard", "port = input('Port: ')\n", "Nobody types anything here"),
    ("is not Python", "def f(:\n", "does not understand the file"),
    ("wants a helper", "import my_framing\n", "of its own folder"),
    (
        "has a port of its own",
        "import socket\nserver = socket.create_server(('127.0.0.1', 9))\nserver.accept()\n",
        "HOST and PORT are in the environment",
    ),
    (
        "is of the other kind",
        "import os, socket\nserver = socket.socket(type=socket.SOCK_DGRAM)\n\
         server.bind((os.environ['HOST'], int(os.environ['PORT'])))\nserver.recv(9)\n",
        "This exercise is about TCP",
    ),
    ("never listens", "while True: pass\n", "look for a loop before it opens its socket"),
    (
        "is killed",
        "import os, socket\nserver = socket.create_server((os.environ['HOST'], int(os.environ['PORT'])))\n\
         server.accept()[0].recv(4)\nos.kill(os.getpid(), 11)\n",
        "-fsanitize=address",
    ),
];

#[test]
fn a_hint_fits_the_kind_of_failure() {
    if !has("python3") {
        return skip("a_hint_fits_the_kind_of_failure", "python3 is not here");
    }
    side_by_side(&KINDS, |(name, program, hint)| {
        let folder = folder(&format!("kind {name}"), &[("server.py", program)]);
        let check = object(&graded(&folder, &["--json"]))["checks"][0].clone();
        assert!(check["hint"].as_str().is_some_and(|given| given.contains(hint)), "one that {name}: {check:#}");
    });
}

//! Sticky requests.

mod claims;

use socklab::prelude::*;

/// A command of 1,115 bytes.
const LONG: &str = concat!(
    "echo 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 ",
    "38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63 64 65 66 67 68 69 70 71 72 73 ",
    "74 75 76 77 78 79 80 81 82 83 84 85 86 87 88 89 90 91 92 93 94 95 96 97 98 99 100 101 102 103 104 105 106 ",
    "107 108 109 110 111 112 113 114 115 116 117 118 119 120 121 122 123 124 125 126 127 128 129 130 131 132 133 ",
    "134 135 136 137 138 139 140 141 142 143 144 145 146 147 148 149 150 151 152 153 154 155 156 157 158 159 160 ",
    "161 162 163 164 165 166 167 168 169 170 171 172 173 174 175 176 177 178 179 180 181 182 183 184 185 186 187 ",
    "188 189 190 191 192 193 194 195 196 197 198 199 200 201 202 203 204 205 206 207 208 209 210 211 212 213 214 ",
    "215 216 217 218 219 220 221 222 223 224 225 226 227 228 229 230 231 232 233 234 235 236 237 238 239 240 241 ",
    "242 243 244 245 246 247 248 249 250 251 252 253 254 255 256 257 258 259 260 261 262 263 264 265 266 267 268 ",
    "269 270 271 272 273 274 275 276 277 278 279 280 281 282 283 284 285 286 287 288 289 290 291 292 293 294 295 ",
    "296 297 298 299 300 301 302 303 304 ok",
);

/// No request and no answer here is longer. A receiver that believes any length can be made to wait forever.
const LONGEST: usize = 64 * 1024;

pub fn lab() -> Lab {
    Lab::new(22, "sticky-requests", 8080)
        .in_chapter(Chapter::Stream)
        .asks("Why do two commands run as one?")
        .scene(
            Scene::new("two requests in the queue when the server looks")
                .server(late_server)
                .runs_also(["echo a echo b "])
                .client(client)
                .ends_waiting()
                .show_receive_queues(),
        )
        .scene(
            Scene::new("the second request after the first one was read")
                .server(server)
                .runs_also(["echo a ", "echo b "])
                .client(spaced_client)
                .ends_waiting()
                .show_receive_queues(),
        )
        .scene(
            Scene::new("a request of 1,115 bytes")
                .server(server)
                .runs_also([&LONG[..1024], &LONG[1024..]])
                .client(typing_client)
                .typed_slowly(&[LONG, "true"])
                .ends_waiting()
                .show_receive_queues(),
        )
        .scene(
            Scene::new("the cure: each request behind its length")
                .server(framing_server)
                .runs_also(["echo a ", "echo b ", LONG])
                .client(framing_client)
                .ends_waiting()
                .show_receive_queues(),
        )
        .claims(claims::all())
}

/// A server that is busy when the requests come.
fn late_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    loop {
        let (conn, _client) = listener.accept()?;
        meet("both requests are in the queue");
        serve(&conn)?;
    }
}

/// As the servers of the old texts: what one recv brings is one command.
fn serve(conn: &Socket) -> io::Result<()> {
    let mut buf = [0; 1024];
    loop {
        let len = conn.recv(&mut buf)?; // ③
        if len == 0 {
            return Ok(());
        }
        say!("cmd: \"{}\"", buf[..len].escape_ascii());
        let ran = run_command(&String::from_utf8_lossy(&buf[..len]))?;
        conn.send(&[ran.stdout, ran.stderr].concat())?;
    }
}

/// Sends two requests, and then reads two answers.
fn client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    conn.send(b"echo a ")?; // ①
    conn.send(b"echo b ")?; // ②
    let mut buf = [0; 1024];
    for _ in 0..2 {
        let len = conn.recv(&mut buf)?;
        say!("answer: \"{}\"", buf[..len].escape_ascii());
    }
    Ok(())
}

fn server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    loop {
        let (conn, _client) = listener.accept()?;
        serve(&conn)?;
    }
}

fn spaced_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    conn.send(b"echo a ")?;
    meet("the server has read the first request");
    conn.send(b"echo b ")?;
    let mut buf = [0; 1024];
    for _ in 0..2 {
        let len = conn.recv(&mut buf)?;
        say!("answer: \"{}\"", buf[..len].escape_ascii());
    }
    Ok(())
}

fn typing_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    while let Some(command) = prompt(">>>") {
        conn.send(command.as_bytes())?;
        let mut buf = [0; 1024];
        let len = conn.recv(&mut buf)?;
        say!("{}", String::from_utf8_lossy(&buf[..len]).trim_end());
    }
    Ok(())
}

fn framing_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    loop {
        let (conn, _client) = listener.accept()?;
        meet("all three requests are in the queue");
        let mut requests = Decoder::new(FixedHeader::NETWORK, LONGEST);
        let mut buf = [0; 1024];
        loop {
            let len = conn.recv(&mut buf)?;
            if len == 0 {
                break;
            }
            requests.push(&buf[..len]);
            // As many requests as are whole: none, one or several. The rest stays in the decoder.
            while let Some(request) = requests.next_message()? {
                say!("cmd: \"{}\"", request.escape_ascii());
                let ran = run_command(&String::from_utf8_lossy(request))?;
                let mut answer = Vec::new();
                FixedHeader::NETWORK.encode(&[ran.stdout, ran.stderr].concat(), &mut answer)?;
                conn.send(&answer)?;
            }
        }
    }
}

fn framing_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    let requests = ["echo a ", "echo b ", LONG];
    for request in requests {
        let mut framed = Vec::new();
        FixedHeader::NETWORK.encode(request.as_bytes(), &mut framed)?;
        conn.send(&framed)?;
    }
    let mut answers = Decoder::new(FixedHeader::NETWORK, LONGEST);
    let mut missing = requests.len();
    let mut buf = [0; 1024];
    while missing > 0 {
        let len = conn.recv(&mut buf)?;
        if len == 0 {
            break;
        }
        answers.push(&buf[..len]);
        while let Some(answer) = answers.next_message()? {
            say!("answer: \"{}\"", answer.escape_ascii());
            missing -= 1;
        }
    }
    Ok(())
}

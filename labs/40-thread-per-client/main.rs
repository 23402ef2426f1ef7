//! A thread for each client: what they share, what they cost, and what happens when there are no more.

mod claims;

use std::fs;
use std::net::Shutdown;
use std::sync::{Arc, Barrier};
use std::thread;

use socklab::clients::{self, SMALL_BUFFER, shout};
use socklab::prelude::*;

/// How many bytes a thread takes at once, at most.
const PIECE: usize = 4096;

/// How many threads a pool has here.
const WORKERS: usize = 2;

pub fn lab() -> Lab {
    let [two, leaves, stops, resets] = clients::scenes(server, server_with_small_buffers);
    Lab::new(40, "thread-per-client", clients::PORT)
        .in_chapter(Chapter::ManyClients)
        .on_one_host()
        .asks("What does a thread for each client give a server, and what limits it?")
        .scene(two)
        .scene(leaves)
        .scene(stops)
        .scene(resets)
        .scene(
            Scene::new("one number for the process, and one for each thread")
                .server(numbered_server)
                .client(brief_client)
                .role("second-client", brief_client),
        )
        .scene(Scene::new("what a hundred threads cost").server(costing_server))
        .scene(
            Scene::new("no room for another thread")
                .server(limited_server)
                .client(waiting_client)
                .role("second-client", waiting_client)
                .role("third-client", unserved_client),
        )
        .scene(
            Scene::new("a pool of two threads that accept: the third client waits in the kernel")
                .server(accepting_pool)
                .client(slow_client)
                .role("second-client", slow_client)
                .role("third-client", hopeful_client)
                .show_accept_queues()
                .ends_waiting(),
        )
        .scene(
            Scene::new("a pool of two threads behind a queue: the third client waits in the server")
                .server(queueing_pool)
                .client(slow_client)
                .role("second-client", slow_client)
                .role("third-client", hopeful_client)
                .show_accept_queues()
                .show_receive_queues()
                .ends_waiting(),
        )
        .scene(
            Scene::new("a pool that says that it is full")
                .server(refusing_pool)
                .client(slow_client)
                .role("second-client", slow_client)
                .role("third-client", refused_client)
                .ends_waiting(),
        )
        .scene(
            Scene::new("one table of descriptors: a number that was left over")
                .server(leftover_server)
                .client(halting_client)
                .role("second-client", listening_client),
        )
        .scene(
            Scene::new("the cure: shutdown, then join, then close")
                .server(orderly_server)
                .client(half_client)
                .role("second-client", listening_client),
        )
        .scene(
            Scene::new("a panic ends its thread, and the end of main ends them all")
                .server(mortal_server)
                .client(unlucky_client)
                .role("second-client", surviving_client)
                .role("third-client", stopping_client),
        )
        .scene(
            Scene::new("the shape of socketserver: a TCP server with a thread for each request")
                .server(tcp_server)
                .client(brief_client)
                .role("second-client", brief_client),
        )
        .scene(
            Scene::new("the shape of socketserver: a UDP server, where a request is data and a socket")
                .server(udp_server)
                .client(udp_client)
                .role("second-client", udp_client),
        )
        .claims(claims::all())
}

fn server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    serve(&listener)
}

fn server_with_small_buffers(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_send_buffer_size(SMALL_BUFFER)?; // each connection of this listener gets it
    listener.bind(&at.address())?;
    listener.listen(5)?;
    serve(&listener)
}

/// Gives each connection a thread.
fn serve(listener: &Socket) -> io::Result<()> {
    loop {
        let (conn, _client) = listener.accept()?; // ①
        start_thread(move || answer(&conn))?; // ②
    }
}

/// What a thread does: it answers until its client has finished, and waits for nobody else.
fn answer(conn: &Socket) -> io::Result<()> {
    loop {
        let mut buf = [0; PIECE];
        let len = conn.recv(&mut buf)?; // ③
        if len == 0 {
            return Ok(());
        }
        send_all(conn, &shout(&buf[..len]))?; // ④
    }
}

/// Sends all of it, in as many calls as that takes.
fn send_all(conn: &Socket, data: &[u8]) -> io::Result<()> {
    let mut sent = 0;
    while sent < data.len() {
        sent += conn.send(&data[sent..])?;
    }
    Ok(())
}

/// Has a number for itself, and each of its threads has one.
fn numbered_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    process_id();
    thread_id();
    let mut threads = Vec::new();
    for _ in 0..2 {
        let (conn, _client) = listener.accept()?;
        let thread = start_thread(move || {
            process_id();
            thread_id();
            answer(&conn)
        })?;
        threads.push(thread);
    }
    for thread in threads {
        thread.join()?;
    }
    Ok(())
}

fn brief_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    conn.send(b"hello")?;
    conn.recv(&mut [0; 1024])?;
    Ok(())
}

/// Starts threads that do nothing, twice, and looks at what its process has more than before.
fn costing_server(_at: Endpoint) -> io::Result<()> {
    const THREADS: usize = 100;
    for stack in [8192, 64] {
        let (address_space, memory) = (status("VmSize")?, status("VmRSS")?);
        // They all wait here twice, and this thread with them: when all are there, and before they end.
        let gate = Arc::new(Barrier::new(THREADS + 1));
        let mut threads = Vec::new();
        for _ in 0..THREADS {
            let gate = Arc::clone(&gate);
            threads.push(thread::Builder::new().stack_size(stack << 10).spawn(move || {
                gate.wait();
                gate.wait();
            })?);
        }
        gate.wait();
        let (address_space, memory) = (status("VmSize")? - address_space, status("VmRSS")?.saturating_sub(memory));
        say!("{} threads with stacks of {stack} KiB", status("Threads")? - 1);
        say!("  address space: {}", at_least(address_space, (THREADS * stack) as u64));
        say!("  memory of them: {}", less_than(memory, (THREADS * 64) as u64));
        gate.wait();
        for thread in threads {
            thread.join().map_err(|_panic| io::Error::other("a thread panicked"))?;
        }
    }
    Ok(())
}

/// The numbers themselves are other ones at each run.
fn at_least(is: u64, bound: u64) -> String {
    if is >= bound { format!("at least {bound} KiB more") } else { format!("less than {bound} KiB more") }
}

fn less_than(is: u64, bound: u64) -> String {
    if is < bound { format!("less than {bound} KiB more") } else { format!("{bound} KiB more, or still more") }
}

/// One of the numbers in this process's `/proc/self/status`, of `proc(5)`: of memory, in KiB.
fn status(name: &str) -> io::Result<u64> {
    let text = fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.ok_or_else(|| io::ErrorKind::NotFound.into())
}

/// May have no more address space than for two threads, whose stacks are 2 MiB.
fn limited_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    limit_address_space(status("VmSize")? << 10, 5)?;
    let mut threads = Vec::new();
    for _ in 0..3 {
        let (conn, client) = listener.accept()?;
        match start_thread(move || answer(&conn)) {
            Ok(thread) => threads.push(thread),
            Err(error) => say!("nobody can serve {client}: {error}"),
        }
    }
    for thread in threads {
        thread.join()?;
    }
    Ok(())
}

fn waiting_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    meet("the third client has called");
    conn.send(b"hello")?;
    conn.recv(&mut [0; 1024])?;
    Ok(())
}

fn unserved_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    conn.recv(&mut [0; 1024])?;
    Ok(())
}

/// As many threads as it wants at most, and each of them accepts.
fn accepting_pool(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let listener = Arc::new(listener);
    let mut workers = Vec::new();
    for _ in 0..WORKERS {
        let listener = Arc::clone(&listener);
        workers.push(start_thread(move || {
            loop {
                let (conn, _client) = listener.accept()?; // ②
                answer(&conn)?;
            }
        })?);
    }
    for worker in workers {
        worker.join()?;
    }
    Ok(())
}

/// As many threads, and a queue before them.
fn queueing_pool(at: Endpoint) -> io::Result<()> {
    let queue = Arc::new(Queue::new()?);
    for _ in 0..WORKERS {
        let queue = Arc::clone(&queue);
        start_thread(move || {
            loop {
                let conn: Socket = queue.take()?;
                answer(&conn)?;
            }
        })?;
    }
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    loop {
        let (conn, _client) = listener.accept()?;
        queue.put(conn)?;
    }
}

/// Has a thread for each client, up to a number, and tells others at once.
fn refusing_pool(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let places = Arc::new(()); // each thread has a copy of it as long as it lives
    loop {
        let (conn, _client) = listener.accept()?;
        if Arc::strong_count(&places) > WORKERS {
            conn.send(b"busy")?;
            continue; // the connection is closed
        }
        let place = Arc::clone(&places);
        start_thread(move || {
            let _place = place;
            answer(&conn)
        })?;
    }
}

/// Keeps its thread until the third client has called.
fn slow_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    conn.send(b"hello")?;
    conn.recv(&mut [0; 1024])?;
    meet("the third client has called");
    Ok(())
}

fn hopeful_client(at: Endpoint) -> io::Result<()> {
    meet("both threads are busy");
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?; // ③
    say!("connected");
    conn.send(b"anybody?")?; // ④
    conn.recv(&mut [0; 1024])?; // ⑤
    Ok(())
}

fn refused_client(at: Endpoint) -> io::Result<()> {
    meet("both threads are busy");
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    conn.recv(&mut [0; 1024])?;
    conn.recv(&mut [0; 1024])?;
    Ok(())
}

/// How long a request is in the next two scenes.
const REQUEST: usize = 5;

/// Closes a connection on which a thread of it still works.
fn leftover_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    let number = conn.number(); // all that the thread knows of it
    let thread = start_thread(move || {
        let conn = Socket::of_number(number);
        let mut buf = [0; REQUEST];
        let len = conn.recv_with_flags(&mut buf, libc::MSG_WAITALL)?; // ①
        conn.send(&shout(&buf[..len]))?; // ⑤
        Ok(())
    })?;
    meet("the thread sleeps in recv, with half a request");
    drop(conn); // ②
    let (other, _client) = listener.accept()?; // ③
    thread.join()?;
    drop(other);
    Ok(())
}

/// Ends a thread before it closes what that works on.
fn orderly_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    let (conn, _client) = listener.accept()?;
    let conn = Arc::new(conn); // both have it, and who is the last one closes it
    let of_thread = Arc::clone(&conn);
    let thread = start_thread(move || {
        let mut buf = [0; REQUEST];
        let len = of_thread.recv_with_flags(&mut buf, libc::MSG_WAITALL)?; // ②
        say!("{len} bytes, and no more will come");
        Ok(())
    })?;
    meet("the thread sleeps in recv, with half a request");
    conn.shutdown(Shutdown::Both)?; // ①
    thread.join()?;
    drop(conn); // ③
    let (other, _client) = listener.accept()?;
    other.send(b"welcome")?;
    Ok(())
}

/// Sends half a request, and the rest later.
fn halting_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    conn.send(b"se")?;
    meet("the server's thread has half of it");
    meet("the second client is connected");
    conn.send(b"ven")?; // ④
    meet("the server's thread has all of it");
    conn.recv(&mut [0; 1024])?;
    Ok(())
}

/// Sends half a request, and waits for what comes.
fn half_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    conn.send(b"se")?;
    conn.recv(&mut [0; 1024])?;
    Ok(())
}

/// Sends nothing at all.
fn listening_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    let mut buf = [0; 1024];
    let len = conn.recv(&mut buf)?;
    say!("I have sent nothing, and got {:?}", String::from_utf8_lossy(&buf[..len]));
    Ok(())
}

/// Has two clients with a thread each. When the third one has called, `main` comes to its end.
fn mortal_server(at: Endpoint) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&at.address())?;
    listener.listen(5)?;
    for _ in 0..2 {
        let (conn, _client) = listener.accept()?;
        start_thread(move || divide(&conn))?;
    }
    let (_conn, _client) = listener.accept()?;
    Ok(())
}

/// Divides: `8/2` is answered with `4`. It does not look what it divides by.
fn divide(conn: &Socket) -> io::Result<()> {
    loop {
        let mut buf = [0; 3];
        let len = conn.recv(&mut buf)?;
        let [dividend, b'/', divisor] = buf[..len] else { return Ok(()) };
        let quotient = (dividend - b'0') / (divisor - b'0');
        conn.send(&[b'0' + quotient])?;
    }
}

fn unlucky_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    meet("the second client is connected");
    conn.send(b"7/0")?;
    conn.recv(&mut [0; 1024])?;
    Ok(())
}

fn surviving_client(at: Endpoint) -> io::Result<()> {
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    meet("the first client has gone");
    conn.send(b"8/2")?;
    conn.recv(&mut [0; 1024])?;
    conn.recv(&mut [0; 1024])?;
    Ok(())
}

fn stopping_client(at: Endpoint) -> io::Result<()> {
    meet("the others have been served");
    meet("the second client waits");
    let conn = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    conn.connect(&at.address())?;
    Ok(())
}

/// The parts of which Python's `socketserver` makes a server, under their names there.
trait Server: Sized + Send + Sync + 'static {
    type Request: Send + 'static;

    /// A connection, or a datagram: what one thread is to care for.
    fn get_request(&self) -> io::Result<(Self::Request, Address)>;
    /// What the author of a server writes.
    fn handle(request: &Self::Request, client: &Address) -> io::Result<()>;
    /// Tells the client that nothing more comes.
    fn shutdown_request(request: &Self::Request) -> io::Result<()>;
    /// Gives back what the request has of the kernel's.
    fn close_request(request: Self::Request);
}

/// `ThreadingMixIn`: a thread for each request.
fn process_request<S: Server>(_server: &S, request: S::Request, client: Address) -> io::Result<Thread> {
    start_thread(move || {
        let result = S::handle(&request, &client); // finish_request
        // The client may have gone, and that is no error of this request.
        let _ = S::shutdown_request(&request);
        S::close_request(request);
        result
    })
}

/// `serve_forever`, for so many requests.
fn serve_requests(server: &impl Server, requests: usize) -> io::Result<()> {
    let mut threads = Vec::new();
    for _ in 0..requests {
        let (request, client) = server.get_request()?;
        threads.push(process_request(server, request, client)?);
    }
    for thread in threads {
        thread.join()?; // server_close, as long as block_on_close is true
    }
    Ok(())
}

struct TcpServer {
    socket: Socket,
}

impl TcpServer {
    const REQUEST_QUEUE_SIZE: i32 = 5;

    fn new(at: Endpoint) -> io::Result<TcpServer> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.bind(&at.address())?; // server_bind
        socket.local_addr()?;
        socket.listen(TcpServer::REQUEST_QUEUE_SIZE)?; // server_activate
        Ok(TcpServer { socket })
    }
}

impl Server for TcpServer {
    type Request = Socket;

    fn get_request(&self) -> io::Result<(Socket, Address)> {
        self.socket.accept()
    }

    fn handle(request: &Socket, _client: &Address) -> io::Result<()> {
        answer(request)
    }

    fn shutdown_request(request: &Socket) -> io::Result<()> {
        request.shutdown(Shutdown::Write)
    }

    fn close_request(request: Socket) {
        drop(request);
    }
}

fn tcp_server(at: Endpoint) -> io::Result<()> {
    serve_requests(&TcpServer::new(at)?, 2)
}

struct UdpServer {
    socket: Arc<Socket>,
}

impl UdpServer {
    const MAX_PACKET_SIZE: usize = 8192;

    fn new(at: Endpoint) -> io::Result<UdpServer> {
        let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
        socket.bind(&at.address())?; // server_bind
        socket.local_addr()?;
        Ok(UdpServer { socket: Arc::new(socket) }) // server_activate: there is nothing to listen for
    }
}

impl Server for UdpServer {
    type Request = (Vec<u8>, Arc<Socket>);

    fn get_request(&self) -> io::Result<(Self::Request, Address)> {
        let mut data = vec![0; UdpServer::MAX_PACKET_SIZE];
        let (len, client) = self.socket.recv_from(&mut data)?;
        data.truncate(len);
        Ok(((data, Arc::clone(&self.socket)), client))
    }

    fn handle((data, socket): &Self::Request, client: &Address) -> io::Result<()> {
        socket.send_to(&shout(data), client)?;
        Ok(())
    }

    fn shutdown_request(_request: &Self::Request) -> io::Result<()> {
        Ok(()) // it is the server's only socket
    }

    fn close_request(_request: Self::Request) {}
}

fn udp_server(at: Endpoint) -> io::Result<()> {
    serve_requests(&UdpServer::new(at)?, 2)
}

fn udp_client(at: Endpoint) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.send_to(b"hello", &at.address())?;
    socket.recv_from(&mut [0; 1024])?;
    Ok(())
}

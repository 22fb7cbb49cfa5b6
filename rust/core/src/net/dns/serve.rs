//! DNS on real sockets, UDP and TCP, from names that somebody publishes.
//!
//! A server has its own copy of the names and takes the newest before each query, so that nobody
//! waits for a cluster that is busy. It knows no time but the cluster's.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::server::Dns;
use super::wire::{Transport, rcode};
use crate::base::Time;

/// How long a thread waits before it looks whether it is to stop.
const PATIENCE: Duration = Duration::from_millis(100);
/// How often a stream may be silent that long before it is closed.
const IDLE_TURNS: u32 = 100;
/// Streams at a time.
const MAX_STREAMS: u64 = 128;
const UDP_THREADS: usize = 2;

/// Names as they are now, for servers to take.
#[derive(Debug)]
pub struct Published {
    version: AtomicU64,
    state: Mutex<(Dns, Time)>,
}

impl Published {
    /// Names at a time.
    pub fn new(dns: Dns, now: Time) -> Arc<Self> {
        Arc::new(Self { version: AtomicU64::new(1), state: Mutex::new((dns, now)) })
    }

    /// Says what the names are now.
    pub fn publish(&self, dns: &Dns, now: Time) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.0.seen() == dns.seen() && state.1 == now && state.0.same_settings(dns) {
            return;
        }
        state.0.take_names(dns);
        state.1 = now;
        self.version.fetch_add(1, Ordering::Release);
    }
}

macro_rules! counters {
    ($($name:ident: $doc:literal),* $(,)?) => {
        /// What a server counts.
        #[derive(Debug, Default)]
        pub struct Counters { $(#[doc = $doc] pub $name: AtomicU64),* }

        impl Counters {
            /// Names and figures.
            pub fn all(&self) -> Vec<(&'static str, u64)> {
                vec![$((stringify!($name), self.$name.load(Ordering::Relaxed))),*]
            }
        }
    };
}

counters! {
    udp: "Datagrams that came.",
    tcp: "Messages that came over streams.",
    connections: "Streams that were opened.",
    noerror: "Replies NOERROR.",
    nxdomain: "Replies NXDOMAIN.",
    servfail: "Replies SERVFAIL.",
    refused: "Replies REFUSED.",
    other: "Replies with another code, such as BADVERS.",
    truncated: "Replies that did not fit.",
    malformed: "Messages that make no sense: answered FORMERR.",
    not_implemented: "Messages with an operation of another kind: answered NOTIMP.",
    ignored: "Messages without a reply: shorter than a header, or replies themselves.",
    closed: "Streams that were cut: too many, broken off or silent.",
    failed: "Replies that could not be sent.",
    panics: "Bugs of ours: answered SERVFAIL.",
}

/// A server; it stops when it is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    published: Arc<Published>,
    /// What was asked outside is remembered by all threads together.
    outside: Mutex<Dns>,
    counters: Counters,
    stop: AtomicBool,
    streams: AtomicU64,
}

impl Server {
    /// Listens at an address, UDP and TCP on the same port; port 0 is any that is free.
    ///
    /// # Errors
    /// When the port is taken.
    pub fn start(address: SocketAddr, published: Arc<Published>) -> io::Result<Self> {
        let (udp, tcp) = bind(address)?;
        let address = udp.local_addr()?;
        udp.set_read_timeout(Some(PATIENCE))?;
        let outside = published.state.lock().unwrap_or_else(PoisonError::into_inner).0.clone();
        let shared = Arc::new(Shared {
            published,
            outside: Mutex::new(outside),
            counters: Counters::default(),
            stop: AtomicBool::new(false),
            streams: AtomicU64::new(0),
        });
        let mut threads = Vec::new();
        for _ in 0..UDP_THREADS {
            let (socket, shared) = (udp.try_clone()?, Arc::clone(&shared));
            threads.push(std::thread::spawn(move || datagrams(&socket, &shared)));
        }
        let listening = Arc::clone(&shared);
        threads.push(std::thread::spawn(move || streams(&tcp, &listening)));
        Ok(Self { address, shared, threads })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it counted so far.
    pub fn counters(&self) -> Vec<(&'static str, u64)> {
        self.shared.counters.all()
    }

    /// Stops it and waits until it has.
    pub fn stop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        // Wakes the thread that waits for streams.
        let mut wake = self.address;
        if wake.ip().is_unspecified() {
            wake.set_ip(match wake {
                SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
                SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
            });
        }
        drop(TcpStream::connect_timeout(&wake, PATIENCE));
        for thread in self.threads.drain(..) {
            drop(thread.join());
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Both sockets on one port.
fn bind(address: SocketAddr) -> io::Result<(UdpSocket, TcpListener)> {
    // A port that is free for one may be taken for the other.
    for attempt in 0.. {
        let udp = UdpSocket::bind(address)?;
        match TcpListener::bind(udp.local_addr()?) {
            Ok(tcp) => return Ok((udp, tcp)),
            Err(error) if address.port() != 0 || attempt == 16 => return Err(error),
            Err(_) => {}
        }
    }
    unreachable!("the loop returns")
}

/// A thread's own names and memory.
struct Worker<'a> {
    shared: &'a Shared,
    dns: Dns,
    now: Time,
    version: u64,
    turn: u64,
    buffer: Vec<u8>,
}

impl<'a> Worker<'a> {
    fn new(shared: &'a Shared) -> Self {
        let state = shared.published.state.lock().unwrap_or_else(PoisonError::into_inner);
        let version = shared.published.version.load(Ordering::Acquire);
        let (dns, now) = (state.0.clone(), state.1);
        Self { shared, dns, now, version, turn: 0, buffer: Vec::with_capacity(4096) }
    }

    fn refresh(&mut self) {
        let version = self.shared.published.version.load(Ordering::Acquire);
        if version != self.version {
            let state = self.shared.published.state.lock().unwrap_or_else(PoisonError::into_inner);
            self.dns.take_names(&state.0);
            self.now = state.1;
            self.version = version;
        }
    }

    /// Answers a message into the buffer; `false` when it gets no reply.
    fn answer(&mut self, message: &[u8], transport: Transport) -> bool {
        self.refresh();
        self.turn = self.turn.wrapping_add(1);
        let (dns, buffer) = (&mut self.dns, &mut self.buffer);
        let (now, turn) = (self.now, self.turn);
        let shared = dns.is_outside(message).then(|| {
            let mut outside = self.shared.outside.lock().unwrap_or_else(PoisonError::into_inner);
            if !outside.same_settings(dns) {
                outside.clone_from(dns);
            }
            dns.swap_outside(&mut outside);
            outside
        });
        let answered =
            catch_unwind(AssertUnwindSafe(|| dns.answer(message, transport, now, turn, buffer)));
        if let Some(mut outside) = shared {
            self.dns.swap_outside(&mut outside);
        }
        let counters = &self.shared.counters;
        let count = |counter: &AtomicU64| {
            counter.fetch_add(1, Ordering::Relaxed);
        };
        let Ok(answered) = answered else {
            count(&counters.panics);
            return failure(message, &mut self.buffer);
        };
        let Some((code, kind, truncated)) = answered else {
            count(&counters.ignored);
            return false;
        };
        if truncated {
            count(&counters.truncated);
        }
        count(match code {
            rcode::NOERROR => &counters.noerror,
            rcode::NXDOMAIN => &counters.nxdomain,
            rcode::SERVFAIL => &counters.servfail,
            rcode::REFUSED => &counters.refused,
            rcode::FORMERR if kind == 0 => &counters.malformed,
            rcode::NOTIMP if kind == 0 => &counters.not_implemented,
            _ => &counters.other,
        });
        true
    }
}

/// SERVFAIL with the header alone.
fn failure(message: &[u8], buffer: &mut Vec<u8>) -> bool {
    buffer.clear();
    let Some(id) = message.first_chunk::<2>() else { return false };
    buffer.extend_from_slice(id);
    buffer.extend_from_slice(&[0x80, rcode::SERVFAIL as u8, 0, 0, 0, 0, 0, 0, 0, 0]);
    true
}

fn datagrams(socket: &UdpSocket, shared: &Shared) {
    let mut worker = Worker::new(shared);
    let mut message = vec![0; usize::from(u16::MAX)];
    while !shared.stop.load(Ordering::Acquire) {
        // A timeout, or news of a client that is gone.
        let Ok((len, client)) = socket.recv_from(&mut message) else { continue };
        shared.counters.udp.fetch_add(1, Ordering::Relaxed);
        if worker.answer(&message[..len], Transport::Udp)
            && socket.send_to(&worker.buffer, client).is_err()
        {
            shared.counters.failed.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn streams(listener: &TcpListener, shared: &Arc<Shared>) {
    while !shared.stop.load(Ordering::Acquire) {
        let Ok((stream, _)) = listener.accept() else { continue };
        if shared.stop.load(Ordering::Acquire) {
            return;
        }
        shared.counters.connections.fetch_add(1, Ordering::Relaxed);
        if shared.streams.fetch_add(1, Ordering::AcqRel) >= MAX_STREAMS {
            shared.streams.fetch_sub(1, Ordering::AcqRel);
            shared.counters.closed.fetch_add(1, Ordering::Relaxed);
            continue;
        }
        let mine = Arc::clone(shared);
        std::thread::spawn(move || {
            if converse(stream, &mine).is_err() {
                mine.counters.closed.fetch_add(1, Ordering::Relaxed);
            }
            mine.streams.fetch_sub(1, Ordering::AcqRel);
        });
    }
}

/// Answers message after message, each with its length before it, until the stream ends.
fn converse(mut stream: TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    let mut worker = Worker::new(shared);
    let mut message = Vec::new();
    loop {
        let mut len = [0; 2];
        if !fill(&mut stream, &mut len, shared)? {
            return Ok(());
        }
        message.resize(usize::from(u16::from_be_bytes(len)), 0);
        if !fill(&mut stream, &mut message, shared)? {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        shared.counters.tcp.fetch_add(1, Ordering::Relaxed);
        if worker.answer(&message, Transport::Tcp) {
            let len = (worker.buffer.len() as u16).to_be_bytes();
            stream.write_all(&[&len[..], &worker.buffer].concat())?;
        }
    }
}

/// Reads until the buffer is full; `false` at the end of the stream before anything was read.
fn fill(stream: &mut TcpStream, buffer: &mut [u8], shared: &Shared) -> io::Result<bool> {
    let (mut at, mut silent) = (0, 0);
    while at < buffer.len() {
        if shared.stop.load(Ordering::Acquire) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        match stream.read(&mut buffer[at..]) {
            Ok(0) if at == 0 => return Ok(false),
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => (at, silent) = (at + count, 0),
            Err(error)
                if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) =>
            {
                silent += 1;
                if silent > IDLE_TURNS {
                    return Err(error);
                }
            }
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

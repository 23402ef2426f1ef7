//! The chapters of the course.

/// A chapter: labs that build on each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Chapter {
    /// UDP: one `sendto`, one `recvfrom`.
    Datagrams,
    /// TCP connections from `socket` to `close`.
    Conversation,
    /// A run of bytes that keeps no boundaries.
    Stream,
    /// Messages in a stream: lengths, headers and delimiters.
    Framing,
    /// Files over a stream.
    Files,
    /// A server with more than one client.
    ManyClients,
    /// What the calls cause on the wire.
    UnderTheApi,
}

impl Chapter {
    /// All chapters, in their order.
    pub const ALL: [Chapter; 7] = [
        Chapter::Datagrams,
        Chapter::Conversation,
        Chapter::Stream,
        Chapter::Framing,
        Chapter::Files,
        Chapter::ManyClients,
        Chapter::UnderTheApi,
    ];

    /// Its title, as pages have it.
    pub fn title(self) -> &'static str {
        match self {
            Chapter::Datagrams => "Datagrams",
            Chapter::Conversation => "A conversation over TCP",
            Chapter::Stream => "The stream has no edges",
            Chapter::Framing => "Framing",
            Chapter::Files => "Files",
            Chapter::ManyClients => "Many clients at once",
            Chapter::UnderTheApi => "Under the API",
        }
    }
}

//! The gate of an exercise: a program starts, and listens on `PORT` or comes to our server there. What the checks claim
//! lies beyond it. A program that does not get through it in its first check fails all of them, for this one reason.

/// How far a program has got, or what is awaited of it next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// It must start.
    Start,
    /// It must listen with TCP on `PORT`.
    Listen,
    /// It must bind a UDP socket to `PORT`.
    Bind,
    /// It must connect with TCP to `PORT`.
    Connect,
    /// It must send a datagram to `PORT`.
    Send,
    /// It is through.
    Passed,
}

impl Gate {
    /// What a program must do to get through, in words that complete "it …".
    pub fn claim(self) -> &'static str {
        match self {
            Gate::Start | Gate::Passed => "starts",
            Gate::Listen => "starts, and listens on PORT with TCP",
            Gate::Bind => "starts, and binds a UDP socket to PORT",
            Gate::Connect => "starts, and connects to PORT with TCP",
            Gate::Send => "starts, and sends a datagram to PORT",
        }
    }
}

/// What a program is told that takes the exercise's default port although `PORT` names another one.
pub fn default_port_is_not_it(default: u16) -> String {
    format!(
        "it takes port {default}, which is right only where PORT is not set: take HOST and PORT from the environment, \
         or write {{host}} and {{port}} in its command"
    )
}

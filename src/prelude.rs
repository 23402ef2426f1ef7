//! What every lab uses.

pub use std::io::{self, IoSlice};
pub use std::process::ExitCode;
pub use std::time::Duration;

pub use crate::file::{Entry, File, Folder, SplicePipe, plain_name};
pub use crate::framing::{BodySize, ByteOrder, Decoder, Delimiter, FixedHeader, Format, FramingError, Integer};
pub use crate::framing::{JsonDecoder, JsonHeader, Part, TextLength};
pub use crate::lab::{Chapter, Checked, Claim, Endpoint, Lab, Scene, Verdict};
pub use crate::lab::{Forked, Thread, fork, reap_child, start_thread, wait_for_child, zombies};
pub use crate::lab::{Input, Pipe, StartedCommand, end_leftovers, start_command};
pub use crate::lab::{Queue, limit_address_space, limit_descriptors, process_id, thread_id};
pub use crate::lab::{at_full_speed, be_interrupted, be_killed, meet, note, obey_sigpipe, processor_time, prompt};
pub use crate::lab::{is_by_hand, own_folder, port_owner, run_command, start_program, strftime, work_in_own_folder};
pub use crate::say;
pub use crate::socket::{Address, Domain, Epoll, Instruction, Protocol, Socket, Type, pause};
pub use crate::socket::{catch_signal, set_alarm, signals_caught};
pub use crate::trace::Calls::{Receives, Sends};
pub use crate::trace::{Errno, SocketOption, Syscall, TcpState, Trace, Unseen, Value};

//! Programs that the kernel runs on each datagram that arrives at a socket: `SO_ATTACH_FILTER` of `socket(7)`, in the
//! language of BSD's packet filter (the kernel's documentation, `networking/filter`).

use socket2::SockFilter;

/// One instruction. The program looks at the datagram from its UDP header on: the payload begins at 8.
pub struct Instruction(pub(super) SockFilter);

impl Instruction {
    /// Loads four bytes. In a datagram that ends before them the program is over, and nothing of it is kept.
    pub fn load_word(at: u32) -> Instruction {
        Instruction::new(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, at)
    }

    /// Leaves out the next `count` instructions, unless the four bytes that were loaded are these.
    pub fn skip_unless(bytes: [u8; 4], count: u8) -> Instruction {
        Instruction::new(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, count, u32::from_be_bytes(bytes))
    }

    /// Ends the program: at most `len` bytes of the datagram are kept; with 0 it is dropped.
    pub fn keep(len: u32) -> Instruction {
        Instruction::new(libc::BPF_RET | libc::BPF_K, 0, len)
    }

    fn new(code: u32, if_not: u8, operand: u32) -> Instruction {
        Instruction(SockFilter::new(code as u16, 0, if_not, operand))
    }
}

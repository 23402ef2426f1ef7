//! All tests that look at the programs from outside: one program, of which each file is a module.

mod anywhere;
mod attacks;
mod authors;
mod by_hand;
mod capture;
mod diagram;
mod exercises;
mod faults;
mod honesty;
mod hostile;
mod interop;
mod judge;
mod odd_programs;
mod output;
mod pages;
mod sandbox;
mod sandbox_faults;
mod sandbox_languages;
mod stage;
mod students;
mod sturdy;
mod support;
mod tidy;
mod transcripts;
mod wire;
mod wire_sturdy;

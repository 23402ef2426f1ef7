//! Lab 42, as a program of its own.

socklab::program!();

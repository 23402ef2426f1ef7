//! Lab 12, as a program of its own.

socklab::program!();

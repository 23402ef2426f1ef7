//! Lab 10, as a program of its own.

socklab::program!();

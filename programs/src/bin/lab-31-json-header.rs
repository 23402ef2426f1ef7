//! Lab 31, as a program of its own.

socklab::program!();

//! Lab 11, as a program of its own.

socklab::program!();

//! Lab 33, as a program of its own.

socklab::program!();

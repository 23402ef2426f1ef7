//! Lab 37, as a program of its own.

socklab::program!();

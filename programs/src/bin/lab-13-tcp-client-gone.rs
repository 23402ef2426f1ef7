//! Lab 13, as a program of its own.

socklab::program!();

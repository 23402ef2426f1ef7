//! Lab 23, as a program of its own.

socklab::program!();

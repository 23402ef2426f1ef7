//! Lab 32, as a program of its own.

socklab::program!();

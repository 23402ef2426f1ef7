//! Lab 26, as a program of its own.

socklab::program!();

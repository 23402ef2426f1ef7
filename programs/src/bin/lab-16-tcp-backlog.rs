//! Lab 16, as a program of its own.

socklab::program!();

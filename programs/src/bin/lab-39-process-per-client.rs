//! Lab 39, as a program of its own.

socklab::program!();

//! Lab 29, as a program of its own.

socklab::program!();

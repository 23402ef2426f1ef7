//! Lab 15, as a program of its own.

socklab::program!();

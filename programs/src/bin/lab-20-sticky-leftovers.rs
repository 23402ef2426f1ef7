//! Lab 20, as a program of its own.

socklab::program!();

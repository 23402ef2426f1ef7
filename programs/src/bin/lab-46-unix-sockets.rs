//! Lab 46, as a program of its own.

socklab::program!();

//! Lab 17, as a program of its own.

socklab::program!();

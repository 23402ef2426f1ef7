//! Lab 40, as a program of its own.

socklab::program!();

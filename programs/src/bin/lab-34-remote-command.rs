//! Lab 30, as a program of its own.

socklab::program!();

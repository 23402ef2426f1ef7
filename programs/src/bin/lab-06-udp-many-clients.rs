//! Lab 06, as a program of its own.

socklab::program!();

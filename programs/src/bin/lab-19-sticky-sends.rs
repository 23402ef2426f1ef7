//! Lab 19, as a program of its own.

socklab::program!();

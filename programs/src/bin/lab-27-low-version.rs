//! Lab 27, as a program of its own.

socklab::program!();

//! Lab 44, as a program of its own.

socklab::program!();

//! Lab 25, as a program of its own.

socklab::program!();

//! Lab 28, as a program of its own.

socklab::program!();

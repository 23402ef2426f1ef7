//! Lab 22, as a program of its own.

socklab::program!();

//! Lab 05, as a program of its own.

socklab::program!();

//! Lab 24, as a program of its own.

socklab::program!();

//! Lab 18, as a program of its own.

socklab::program!();

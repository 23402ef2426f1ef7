//! Lab 43, as a program of its own.

socklab::program!();

//! Lab 38, as a program of its own.

socklab::program!();

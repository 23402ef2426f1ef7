//! Lab 04, as a program of its own.

socklab::program!();

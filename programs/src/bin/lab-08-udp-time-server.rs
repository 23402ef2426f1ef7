//! Lab 08, as a program of its own.

socklab::program!();

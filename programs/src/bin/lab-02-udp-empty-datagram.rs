//! Lab 02, as a program of its own.

socklab::program!();

//! Lab 21, as a program of its own.

socklab::program!();

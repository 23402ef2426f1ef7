//! Lab 36, as a program of its own.

socklab::program!();

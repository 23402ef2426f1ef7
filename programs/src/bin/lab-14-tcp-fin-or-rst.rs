//! Lab 14, as a program of its own.

socklab::program!();

//! Lab 48, as a program of its own.

socklab::program!();

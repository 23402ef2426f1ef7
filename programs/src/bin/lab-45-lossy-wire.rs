//! Lab 45, as a program of its own.

socklab::program!();

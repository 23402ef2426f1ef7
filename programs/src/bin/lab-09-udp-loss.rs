//! Lab 09, as a program of its own.

socklab::program!();

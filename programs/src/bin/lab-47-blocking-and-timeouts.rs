//! Lab 47, as a program of its own.

socklab::program!();

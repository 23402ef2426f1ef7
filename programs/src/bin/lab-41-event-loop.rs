//! Lab 41, as a program of its own.

socklab::program!();

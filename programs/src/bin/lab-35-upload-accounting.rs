//! Lab 35, as a program of its own.

socklab::program!();

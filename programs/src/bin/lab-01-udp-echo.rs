//! Lab 01, as a program of its own.

socklab::program!();

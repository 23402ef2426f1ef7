//! Lab 03, as a program of its own.

socklab::program!();

//! Lab 07, as a program of its own.

socklab::program!();

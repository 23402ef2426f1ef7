socklab::program!();

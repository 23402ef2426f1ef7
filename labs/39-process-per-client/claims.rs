use socklab::prelude::*;
pub fn all() -> Vec<Claim> { vec![] }

#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| socklab_fuzz::framing_json(bytes));

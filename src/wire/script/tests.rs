use proptest::prelude::*;

use super::*;

#[test]
fn what_makes_no_sense_is_refused_with_the_word_that_makes_none() {
    let wrong = [
        "lose 3",
        "drop 0",
        "drop 5-3",
        "drop 3-",
        "drop 3,,4",
        "drop 3x",
        "drop 4294967296",
        "drop 101%",
        "drop -1%",
        "drop NaN%",
        "drop inf%",
        "drop x%",
        "drop 3:5%",
        "drop syn:fin",
        "drop client:server",
        "drop 3:4",
        "delay",
        "delay 10",
        "delay 0ms",
        "delay 6s",
        "delay -1ms",
        "delay 99999999999999999999s",
        "delay 18446744073709551615s",
        "mtu",
        "mtu 67",
        "mtu 65536",
        "mtu 1500 bytes",
        "rate 1bit",
        "rate 7kbit",
        "rate 10",
        "rate 99999999999gbit",
        "sack off",
    ];
    for line in wrong {
        let error = Script::of(&[line]).expect_err(line);
        let word = line.split_once(' ').map_or("", |(_, rest)| rest).split(':').next().unwrap_or_default();
        let quoted = error.contains(&format!("{:?}", line.split(' ').next().unwrap_or_default()));
        assert!(error.contains(word) || quoted, "{line}: {error}");
    }
}
#[test]
fn a_later_script_comes_behind_an_earlier_one_and_its_sizes_hold() {
    let first = Script::of(&["mtu 576", "rate 1mbit", "drop 1", "sack"]).expect("a script");
    let second = Script::of(&["drop 2", "mtu 1000"]).expect("a script");
    let both = first.and(&second);
    assert_eq!(both.to_string(), "drop 1, drop 2, mtu 1000, rate 1mbit, sack");
    assert!(both.sack());
    assert_eq!(first.and(&Script::default()).to_string(), first.to_string());
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_fail(
        word in "drop|delay|duplicate|reorder|corrupt|mtu|rate|",
        rest in "\\PC{0,20}",
    ) {
        let _ = Script::of(&[&format!("{word} {rest}")]);
    }

    #[test]
    fn what_was_read_is_written_so_that_it_is_read_the_same(
        mtu in 68u16..,
        kbit in 8u64..10_000_000,
        millis in 1u64..=5000,
        first in 1u32..100,
        more in 0u32..100,
    ) {
        let lines = [
            format!("drop client:data:{first}-{}", first + more),
            format!("delay {millis}ms:server"),
            format!("mtu {mtu}"),
            format!("rate {kbit}kbit"),
        ];
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let script = Script::of(&lines).expect("a script");
        let written = script.to_string();
        let again = Script::of(&written.split(", ").collect::<Vec<_>>()).expect("a script");
        prop_assert_eq!(again.to_string(), written);
        prop_assert_eq!((script.mtu(), script.rate), (mtu, Some(kbit * 1000)));
    }
}

//! A cut: some lines of a recorded scene, verbatim and in order, with marks that the page explains below.

/// Stands in the place of lines that are left out.
pub const GAP: &str = "⋮";

/// The most lines that a cut has.
const MOST_LINES: usize = 25;

/// The marks, in the order in which they are given.
const MARKS: [char; 20] =
    ['①', '②', '③', '④', '⑤', '⑥', '⑦', '⑧', '⑨', '⑩', '⑪', '⑫', '⑬', '⑭', '⑮', '⑯', '⑰', '⑱', '⑲', '⑳'];

/// Whether this is a cut of the scene, and the text below explains its marks.
pub fn check(cut: &str, scene: &str, below: &str) -> Result<(), String> {
    let lines: Vec<(&str, Option<char>)> = cut.lines().map(split_mark).collect();
    if lines.len() > MOST_LINES {
        return Err(format!("{} lines: a cut has at most {MOST_LINES}", lines.len()));
    }
    let marks: Vec<char> = lines.iter().filter_map(|(_, mark)| *mark).collect();
    if let Some((is, should)) = marks.iter().zip(MARKS).find(|(is, should)| *is != should) {
        return Err(format!("the mark {is} stands where {should} should: they go from top to bottom, from ① on"));
    }
    is_of_the_scene(&lines, scene)?;
    let explained = explained(below);
    if explained != marks {
        let list = |marks: &[char]| marks.iter().map(char::to_string).collect::<Vec<_>>().join(" ");
        return Err(format!("the marks are [{}], and below are explained [{}]", list(&marks), list(&explained)));
    }
    Ok(())
}

/// A line without the mark behind it, if it has one: two blanks and ①.
fn split_mark(line: &str) -> (&str, Option<char>) {
    let marked = line.char_indices().next_back().filter(|(_, last)| MARKS.contains(last));
    match marked.and_then(|(at, mark)| Some((line[..at].strip_suffix("  ")?, mark))) {
        Some((line, mark)) => (line, Some(mark)),
        None => (line, None),
    }
}

/// Whether the lines are the scene's, in order, with a gap where lines are left out and nowhere else. The scene's
/// title, and lines without text, may be left out or not, and so may the blanks before a role's name.
fn is_of_the_scene(lines: &[(&str, Option<char>)], scene: &str) -> Result<(), String> {
    let is_title = |line: &str| line.starts_with("── ");
    let recorded: Vec<&str> =
        scene.lines().map(str::trim_start).filter(|line| !line.is_empty() && !is_title(line)).collect();
    let title = scene.lines().find(|line| is_title(line));
    // Where the next line may be, if none is left out: several places, where a scene repeats itself.
    let mut next = vec![0];
    let mut gap = false;
    for (line, mark) in lines.iter().filter(|(line, _)| !line.is_empty()) {
        if Some(*line) == title && next == [0] && !gap {
            continue;
        }
        if line.strip_prefix(GAP).is_some_and(|words| words.is_empty() || words.starts_with(' ')) {
            if gap || mark.is_some() {
                return Err(format!("{line:?}: a gap has no mark, and no second gap behind it"));
            }
            gap = true;
            continue;
        }
        let found = |at: usize| recorded.get(at) == Some(&line.trim_start());
        let first = next.iter().min().copied().unwrap_or(0);
        let places: Vec<usize> = if gap {
            (first + 1..recorded.len()).filter(|at| found(*at)).collect()
        } else {
            next.iter().copied().filter(|at| found(*at)).collect()
        };
        if places.is_empty() {
            return Err(match recorded.iter().position(|other| *other == line.trim_start()) {
                None => format!("{line:?} is no line of the scene"),
                Some(at) if gap => format!("{line:?}: nothing is left out before it, or it comes earlier (line {at})"),
                Some(at) => {
                    format!("{line:?} does not follow the line before it: {GAP} is missing, or the order ({at})")
                }
            });
        }
        next = places.into_iter().map(|at| at + 1).collect();
        gap = false;
    }
    let at_the_end = next.contains(&recorded.len());
    match (gap, next.iter().any(|at| *at < recorded.len())) {
        (true, false) => Err(format!("nothing is left out at the end, where {GAP} stands")),
        (false, _) if !at_the_end => Err(format!("lines are left out at the end: {GAP} is missing")),
        _ => Ok(()),
    }
}

/// The marks that a text explains, `- ① …`, up to the next heading or the next cut.
fn explained(below: &str) -> Vec<char> {
    let text = below.lines().take_while(|line| !line.starts_with('#') && !line.starts_with("<!-- cut: "));
    let marks = text.filter_map(|line| line.strip_prefix("- ")?.chars().next().filter(|first| MARKS.contains(first)));
    marks.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCENE: &str = "── 1. a scene ─────\n\na  one\nb  two\nb  │ said\na  three\nb  two\na  four\n";

    fn holds(cut: &str) -> Result<(), String> {
        check(cut, SCENE, "")
    }

    #[test]
    fn a_whole_scene_is_a_cut() {
        assert_eq!(holds(SCENE), Ok(()));
        assert_eq!(holds("a  one\nb  two\nb  │ said\na  three\nb  two\na  four\n"), Ok(()));
    }

    #[test]
    fn lines_may_be_left_out_where_a_gap_says_so() {
        for good in [
            "⋮\nb  two\nb  │ said\n⋮\n",
            "a  one\n⋮\na  four\n",
            "⋮ what there was\na  three\n⋮ and more\n",
            "a  one\n⋮\nb  two\na  four\n",
            "── 1. a scene ─────\n\n⋮\na  four\n",
            "⋮\nb  two\n⋮\nb  two\n⋮\n",
            "a  one\nb  two\n⋮\nb  two\na  four\n",
            "⋮\n",
        ] {
            assert_eq!(holds(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn what_is_not_a_cut_is_refused_with_the_reason() {
        for (bad, why) in [
            // A line of its own, changed by a blank, a word, or its role.
            ("a  one\n⋮\na  five\n⋮\n", "no line of the scene"),
            ("a one\n⋮\n", "no line of the scene"),
            ("b  one\n⋮\n", "no line of the scene"),
            ("⋮\nb  │ sai\n⋮\n", "no line of the scene"),
            // Lines left out without a word.
            ("a  one\nb  │ said\n⋮\n", "does not follow"),
            ("b  two\n⋮\n", "does not follow"),
            ("a  one\nb  two\n", "at the end"),
            ("", "at the end"),
            // A gap where nothing is left out.
            ("⋮\na  one\n⋮\n", "nothing is left out before"),
            // (The second `b  two` is behind a gap, but its next line is another.)
            ("a  one\n⋮\nb  two\nb  │ said\n⋮\n", "does not follow"),
            ("⋮\nb  two\n⋮\nb  │ said\n⋮\n", "comes earlier"),
            ("⋮\na  four\n⋮\n", "nothing is left out at the end"),
            ("a  one\n⋮\n⋮ more\na  four\n", "no second gap"),
            // Another order, and a line too often.
            ("⋮\na  three\n⋮\na  one\n⋮\n", "nothing is left out before it, or it comes earlier"),
            ("⋮\na  four\na  three\n", "does not follow"),
            ("⋮\nb  two\n⋮\nb  two\n⋮\nb  two\n⋮\n", "comes earlier"),
            ("a  one\na  one\n⋮\n", "does not follow"),
            // A title of another scene, and one in the middle.
            ("── 2. a scene ─────\n⋮\n", "no line of the scene"),
            ("⋮\n── 1. a scene ─────\n⋮\n", "no line of the scene"),
        ] {
            let error = holds(bad).expect_err(bad);
            assert!(error.contains(why), "{bad}: {error}, not {why}");
        }
    }

    #[test]
    fn marks_go_from_top_to_bottom_and_each_is_explained() {
        let cut = "a  one  ①\n⋮\na  three  ②\n⋮\n";
        assert_eq!(check(cut, SCENE, "\n- ① one,\n  and more\n\nText.\n\n- ② three\n\n## Next\n\n- ③ no\n"), Ok(()));
        for below in ["", "- ① one\n", "- ② three\n- ① one\n", "- ① a\n- ② b\n- ③ c\n", "1. ① a\n2. ② b\n"]
        {
            let error = check(cut, SCENE, below).expect_err(below);
            assert!(error.contains("below are explained"), "{error}");
        }
        // What is explained behind the next heading or the next cut is another's.
        for below in ["- ① one\n### More\n- ② three\n", "- ① one\n<!-- cut: scene 2 -->\n- ② three\n"] {
            assert!(check(cut, SCENE, below).is_err(), "{below}");
        }
        for (bad, why) in [
            ("a  one  ②\n⋮\na  three  ①\n⋮\n", "stands where ① should"),
            ("a  one  ①\n⋮\na  three  ③\n⋮\n", "stands where ② should"),
            ("a  one  ①\n⋮\na  three  ①\n⋮\n", "stands where ② should"),
            // One blank is not two, and a mark is the last thing in its line.
            ("a  one ①\n⋮\n", "no line of the scene"),
            ("a  one  ① here\n⋮\n", "no line of the scene"),
            ("⋮  ①\na  three\n⋮\n", "a gap has no mark"),
        ] {
            let error = check(bad, SCENE, "- ① a\n- ② b\n").expect_err(bad);
            assert!(error.contains(why), "{bad}: {error}, not {why}");
        }
    }

    #[test]
    fn blanks_before_a_name_may_be_left_out_or_not() {
        let scene = "       a  one\nsecond-a  two\n       a  │ 1\n";
        for good in [scene, "a  one\nsecond-a  two\na  │ 1\n", "  a  one\n⋮\n  a  │ 1\n"] {
            assert_eq!(check(good, scene, ""), Ok(()), "{good}");
        }
        assert!(check("a   one\n⋮\n", scene, "").is_err());
    }

    #[test]
    fn a_mark_is_no_part_of_the_line() {
        assert_eq!(split_mark("a  one  ①"), ("a  one", Some('①')));
        for line in ["a  one", "", "①", "a ①", "a  one  (1)", "⋮"] {
            assert_eq!(split_mark(line), (line, None));
        }
    }

    #[test]
    fn a_cut_of_more_than_twenty_five_lines_is_too_long() {
        let scene: String = (0..30).map(|n| format!("a  {n}\n")).collect();
        let cut = |lines: usize| scene.lines().take(lines).map(|line| format!("{line}\n")).collect::<String>() + "⋮\n";
        assert_eq!(check(&cut(24), &scene, ""), Ok(()));
        assert!(check(&cut(25), &scene, "").expect_err("26 lines").contains("at most 25"));
    }

    #[test]
    fn where_a_scene_repeats_itself_any_of_the_repeats_will_do() {
        let scene = "a  x\nb  y\na  x\nb  z\na  x\nb  y\nb  end\n";
        for good in ["⋮\na  x\nb  z\n⋮\n", "⋮\na  x\nb  y\nb  end\n", "a  x\n⋮\na  x\nb  y\n⋮\n", "⋮\nb  end\n"]
        {
            assert_eq!(check(good, scene, ""), Ok(()), "{good}");
        }
        for bad in ["a  x\nb  z\n⋮\n", "⋮\nb  z\n⋮\nb  z\n⋮\n", "⋮\nb  y\na  x\nb  y\n⋮\n"] {
            assert!(check(bad, scene, "").is_err(), "{bad}");
        }
    }
}

//! The commands that a page gives.

/// A fence of commands, or one command in the text.
#[derive(Debug, PartialEq)]
pub struct Given {
    /// The page and the line.
    pub place: String,
    pub steps: Vec<Step>,
}

#[derive(Debug, PartialEq)]
pub enum Step {
    /// From here on it is this terminal's.
    Terminal(u32),
    /// A command, and the exit code that the page promises.
    Command { line: String, code: i32 },
    /// What is typed.
    Keys(String),
}

/// The most times that a test repeats what a page repeats.
const MOST_RUNS: u32 = 20;

impl Given {
    pub fn is_for_terminals(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::Terminal(_)))
    }

    /// Whether it plays something many times.
    pub fn repeats(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::Command { line, .. } if line.contains(" --repeat ")))
    }

    /// Whether it has programs that take the classic ports of the machine.
    pub fn needs_a_host(&self) -> bool {
        let takes_ports = |line: &str| is_role(line) || line.contains("python3");
        self.steps.iter().any(|step| matches!(step, Step::Command { line, .. } if takes_ports(line)))
    }
}

/// All commands that a page gives.
pub fn given(page: &str, text: &str) -> Vec<Given> {
    let mut all = Vec::new();
    let mut lines = text.lines().zip(1..).peekable();
    let has_terminals = text.contains("# terminal ");
    while let Some((line, number)) = lines.next() {
        let place = format!("{page}:{number}");
        if let Some(language) = line.trim_start().strip_prefix("```") {
            let inside: Vec<&str> =
                lines.by_ref().map(|(line, _)| line).take_while(|line| !line.trim_start().starts_with("```")).collect();
            // A script is no list of commands.
            let is_a_script = inside.iter().any(|line| line.trim() == "done");
            if language.trim() == "sh" && !is_a_script {
                let mut steps = steps(&inside);
                // Of the pages that have no recipes yet, a role by itself would wait for ever.
                steps.retain(|step| has_terminals || !matches!(step, Step::Command { line, .. } if is_role(line)));
                all.push(Given { place, steps });
            }
            continue;
        }
        let commands = in_text(line, lines.peek().map_or("", |(next, _)| next));
        all.extend(commands.into_iter().map(|step| Given { place: place.clone(), steps: vec![step] }));
    }
    all.retain(|given| !given.steps.is_empty());
    all
}

/// The steps of a fence.
fn steps(lines: &[&str]) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut whole = String::new();
    for line in lines {
        let line = line.trim();
        if let Some(begun) = line.strip_suffix('\\') {
            whole += begun;
            continue;
        }
        whole += line;
        steps.extend(step(&std::mem::take(&mut whole)));
    }
    steps
}

fn step(line: &str) -> Option<Step> {
    let Some(comment) = line.strip_prefix("# ") else {
        let (line, comment) = line.split_once(" # ").unwrap_or((line, ""));
        let line = line.trim();
        // A word in capitals, or …, stands for something that the reader has.
        let stands_for_another = line.contains('…')
            || line.split_whitespace().any(|word| word.len() > 1 && word.chars().all(|c| c.is_ascii_uppercase()));
        let is_a_command = !line.is_empty() && !line.starts_with('#') && !stands_for_another;
        return is_a_command.then(|| Step::Command { line: with_fewer_runs(line), code: promised(comment) });
    };
    if let Some(number) =
        comment.strip_prefix("terminal ").and_then(|rest| rest.split([':', ',', ' ']).next()?.parse().ok())
    {
        return Some(Step::Terminal(number));
    }
    match comment {
        "Ctrl-D" => Some(Step::Keys("\x04".to_owned())),
        "Ctrl-C" => Some(Step::Keys("\x03".to_owned())),
        "Enter" | "type:" => Some(Step::Keys("\n".to_owned())),
        _ => comment.strip_prefix("type: ").map(|typed| Step::Keys(format!("{typed}\n"))),
    }
}

/// The exit code that a comment promises: the number behind `exit`.
fn promised(comment: &str) -> i32 {
    let number = comment.split("exit ").nth(1).unwrap_or_default();
    let digits: String = number.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or(0)
}

/// The same with at most twenty runs, where it asks for more.
fn with_fewer_runs(line: &str) -> String {
    let mut words: Vec<String> = line.split(' ').map(str::to_owned).collect();
    for at in 1..words.len() {
        let is_a_count = ["--repeat", "--runs"].contains(&words[at - 1].as_str());
        if is_a_count && words[at].parse::<u32>().is_ok_and(|count| count > MOST_RUNS) {
            words[at] = MOST_RUNS.to_string();
        }
    }
    words.join(" ")
}

/// The demos that a line of the text names: `just lab 05 --scene 3`, and then perhaps (exit 6), or in the next line.
fn in_text(line: &str, next: &str) -> Vec<Step> {
    let parts: Vec<&str> = line.split('`').collect();
    let spans = parts.iter().enumerate().skip(1).step_by(2).filter(|(at, _)| at + 1 < parts.len());
    let demos = spans.filter(|(_, span)| is_lab(span) && !is_role(span));
    let commands = demos.filter_map(|(at, span)| {
        let last = at + 2 == parts.len() && parts[at + 1].trim().is_empty();
        let behind = if last { next } else { parts[at + 1] };
        let behind = behind.trim_start().strip_prefix('(').and_then(|rest| rest.split(')').next()).unwrap_or_default();
        // In a table, | is written with \\.
        step(&format!("{} # {behind}", span.replace("\\|", "|")))
    });
    commands.collect()
}

fn is_lab(line: &str) -> bool {
    line.strip_prefix("just lab ").is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
}

/// Whether it plays one role by hand: a word, and no flag, stands behind the lab.
fn is_role(line: &str) -> bool {
    let word = line.strip_prefix("just lab ").and_then(|rest| rest.split_whitespace().nth(1));
    word.is_some_and(|word| word.starts_with(|first: char| first.is_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(line: &str, code: i32) -> Step {
        Step::Command { line: line.to_owned(), code }
    }

    #[test]
    fn commands_are_the_lines_of_fences_and_demos_in_the_text() {
        let page = "A `just lab 05 --scene 3`\n(exit 6), `just lab 05 client`, `just lab NN` and `just start`.\n\n\
            ```sh\njust lab 01     # all\njust lab 01 --repeat 500   # exit 6 here\n\
            just lab 01 FILE\n\njust \\\n  labs\n```\n\n\
            ```text\njust no\n```\n```sh\nfor one in *; do\n\
            just labs\ndone\n```\n1. x\n   ```sh\n   just lab 2\n   ```\n";
        let all = given("p", page);
        let steps: Vec<&[Step]> = all.iter().map(|given| given.steps.as_slice()).collect();
        let expected: [&[Step]; 3] = [
            &[command("just lab 05 --scene 3", 6)],
            &[command("just lab 01", 0), command("just lab 01 --repeat 20", 6), command("just labs", 0)],
            &[command("just lab 2", 0)],
        ];
        assert_eq!(steps, expected);
        assert_eq!(all[1].place, "p:4");
        assert!(!all[1].is_for_terminals() && !all[1].needs_a_host());
    }

    #[test]
    fn a_recipe_has_terminals_and_what_is_typed_in_them() {
        let page = "```sh\n# terminal 1\njust lab 01 server\n# terminal 2: later\n\
            just lab 01 client   # exit 1\n# type: a b\n\
            # type:\n# a remark\n# Enter\n# Ctrl-D\n# terminal 1\n# Ctrl-C\n```\n";
        let keys = |keys: &str| Step::Keys(keys.to_owned());
        let expected = [
            Step::Terminal(1),
            command("just lab 01 server", 0),
            Step::Terminal(2),
            command("just lab 01 client", 1),
            keys("a b\n"),
            keys("\n"),
            keys("\n"),
            keys("\x04"),
            Step::Terminal(1),
            keys("\x03"),
        ];
        let all = given("p", page);
        assert_eq!(all[0].steps, expected);
        assert!(all[0].is_for_terminals() && all[0].needs_a_host());
    }

    #[test]
    fn a_role_without_a_terminal_is_left_out() {
        let page = "```sh\njust lab 01 server\njust lab 01 client --scene 2\njust lab 01 --scene 2\n```\n";
        assert_eq!(given("p", page)[0].steps, [command("just lab 01 --scene 2", 0)]);
    }
}

//! Commands that come over the network: which are executed, for whom, and within which limits.

use crate::support::{fixture, run, text};

#[test]
fn a_demo_executes_the_commands_of_its_scene_and_no_other() {
    let output = run(fixture("commanding-roles").args(["--scene", "1"]));
    let told = text(&output.stdout);
    assert!(output.status.success(), "{}", text(&output.stderr));
    for line in [
        r#"system("echo typed") = 0, 6 bytes on standard output"#,
        r#"system("echo a; echo b") = 0, 4 bytes on standard output"#,
        r#"system("echo neither") = 126, "#,
        r#""" "this command is not one of the demo's\n""#,
    ] {
        assert!(told.contains(line), "{line} is not in: {told}");
    }
}

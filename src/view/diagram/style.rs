//! How the picture looks: its colours and lines.

use std::fmt::Write as _;

/// The style sheet: a calm light one, and a dark one where the reader's system is dark. Each rule names its colour
/// itself: programs that show slides know no variables.
pub(super) fn sheet() -> String {
    let light = colours(&LIGHT);
    let dark = colours(&DARK);
    format!("<style>\n{FORM}{light}@media (prefers-color-scheme: dark) {{\n{dark}}}\n</style>\n")
}

struct Palette {
    paper: &'static str,
    edge: &'static str,
    ink: &'static str,
    dim: &'static str,
    faint: &'static str,
    wrong: &'static str,
    roles: [&'static str; 4],
    /// The same, as the ground of a printed line.
    tints: [&'static str; 4],
    /// The same, for whoever waits.
    bars: [&'static str; 4],
}

const LIGHT: Palette = Palette {
    paper: "#ffffff",
    edge: "#e3e7ec",
    ink: "#1d2733",
    dim: "#66727f",
    faint: "#c6cdd5",
    wrong: "#c3342b",
    roles: ["#2a6ab0", "#1f806a", "#7a55b3", "#97680f"],
    tints: ["#e9f1fa", "#e5f3ef", "#f1ebf9", "#f8f0df"],
    bars: ["#94b6db", "#8ec2b5", "#bda8da", "#cdb488"],
};

const DARK: Palette = Palette {
    paper: "#11161d",
    edge: "#2a323c",
    ink: "#e2e7ed",
    dim: "#93a0ae",
    faint: "#46515e",
    wrong: "#ff7a70",
    roles: ["#7ab2f0", "#66c6aa", "#bb9ff0", "#dcb45f"],
    tints: ["#1a2a3c", "#17302a", "#2a2340", "#33290f"],
    bars: ["#3f6088", "#37705f", "#66558a", "#7c6534"],
};

const FORM: &str = "\
text { font-family: ui-monospace, SFMono-Regular, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', \
'Liberation Mono', monospace; white-space: pre; paint-order: stroke; stroke-width: 5px; stroke-linejoin: round }
.lab, .question, .scene { font-family: system-ui, -apple-system, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif }
.question, .scene, .role, .fn, .flags, .wrong { font-weight: 600 }
.rest, .remark { font-style: italic }
.speech, .state, .role { stroke: none }
.life { stroke-width: 1.5 }
.after { stroke-width: 1.5; stroke-dasharray: 1 5; stroke-linecap: round }
.end { stroke-width: 3; stroke-linecap: round }
.wire { stroke-width: 1.2 }
.wire.data { stroke-width: 1.8 }
.rule { stroke-width: 1 }
.queue { stroke-width: 1.2 }
.pause { stroke-width: 1.2; stroke-dasharray: 3 2.5 }
.hand { fill: none; stroke-width: 1.3; stroke-linecap: round; stroke-linejoin: round }
.cross { fill: none; stroke-width: 2.4; stroke-linecap: round }
";

fn colours(palette: &Palette) -> String {
    let Palette { paper, edge, ink, dim, faint, wrong, roles, tints, bars } = palette;
    let mut rules = format!(
        "\
.paper {{ fill: {paper}; stroke: {edge} }}
.plate {{ fill: {paper} }}
text {{ fill: {ink}; stroke: {paper} }}
.lab, .detail, .rest, .frame, .remark, .legend, .dim {{ fill: {dim} }}
.number {{ fill: {dim}; opacity: .75 }}
.rule {{ stroke: {edge} }}
.wire, .after, .hand, .queue {{ stroke: {dim} }}
.head {{ fill: {dim} }}
.clock, .note {{ fill: {paper}; stroke: {dim} }}
.note {{ stroke: {faint} }}
.absent {{ fill: {paper}; stroke: {faint}; stroke-dasharray: 3 2.5 }}
.cross, .wire.bad {{ stroke: {wrong} }}
.wrong, .head.bad, .dot.bad {{ fill: {wrong}; opacity: 1 }}
"
    );
    for (index, ((role, tint), bar)) in roles.iter().zip(tints).zip(bars).enumerate() {
        let _ = write!(
            rules,
            "\
.chip.r{index}, .dot.r{index}, .pill.now.r{index}, .head.r{index} {{ fill: {role} }}
.life.r{index}, .end.r{index}, .wire.r{index} {{ stroke: {role} }}
.life.r{index} {{ opacity: .5 }}
.pill.r{index}, .pause.r{index}, .typed.r{index}, .dot.begun.r{index} {{ fill: {paper}; stroke: {role} }}
.pill.now.r{index} {{ fill: {role} }}
.says.r{index} {{ fill: {tint} }}
.inside.r{index} {{ fill: {tint}; stroke: {bar} }}
.waits.r{index} {{ fill: {bar} }}
"
        );
    }
    rules + &format!(".role.on, .state.now {{ fill: {paper} }}\n")
}

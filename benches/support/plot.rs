//! The drawing of the benchmark of servers: rates as lines, memory as bars. It is a slide, as those of docs/drawings.

use std::fmt::Write;

/// One server's rates, one for each count of connections, where it has one.
pub struct Line {
    pub label: &'static str,
    pub points: Vec<Option<f64>>,
}

/// One server's memory for a connection: its own, and the kernel's.
pub struct Bar {
    pub label: &'static str,
    pub values: [f64; 2],
    pub shown: [String; 2],
}

/// The lines' box: left, right, top, bottom.
const LEFT: f64 = 190.0;
const RIGHT: f64 = 850.0;
const TOP: f64 = 240.0;
const BOTTOM: f64 = 900.0;

/// Where the bars begin, and how long the longest is.
const BARS: f64 = 1330.0;
const LONGEST: f64 = 370.0;

/// Two labels are at least as far apart.
const APART: f64 = 46.0;

/// The colours of the servers, in their order.
const COLOURS: [(&str, &str); 5] = [
    ("#c3342b", "#ff7a70"),
    ("#97680f", "#dcb45f"),
    ("#2a6ab0", "#7ab2f0"),
    ("#1f806a", "#66c6aa"),
    ("#7a55b3", "#bb9ff0"),
];

/// The whole drawing.
pub fn drawing(counts: &[String], lines: &[Line], bars: &[Bar]) -> String {
    let mut svg = head();
    rates(&mut svg, counts, lines);
    memory(&mut svg, bars, lines);
    svg.push_str("</svg>\n");
    svg
}

fn head() -> String {
    let colours = |dark: bool| {
        let one = |(at, (light, at_night)): (usize, &(&str, &str))| {
            let colour = if dark { at_night } else { light };
            format!(
                ".line.s{at} {{ stroke: {colour} }}\n.dot.s{at}, .bar.s{at} {{ fill: {colour} }}\n\
                 .kernel.s{at} {{ stroke: {colour} }}\n"
            )
        };
        COLOURS.iter().enumerate().map(one).collect::<String>()
    };
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="1920" height="1080" viewBox="0 0 1920 1080"
 xml:space="preserve" role="img" aria-labelledby="title desc">
<title id="title">Many clients: round trips per second, and memory for a connection</title>
<desc id="desc">Made by benches/clients.rs. The figures are in the tables of the page that shows this drawing.</desc>
<style>
text {{ font-family: system-ui, -apple-system, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif; white-space: pre }}
.title, .strong {{ font-weight: 600 }}
.line {{ fill: none; stroke-width: 5; stroke-linejoin: round }}
.grid {{ stroke-width: 1.5 }}
.kernel {{ fill: none; stroke-width: 3 }}
.paper {{ fill: #ffffff; stroke: #e3e7ec }}
text {{ fill: #1d2733 }}
.dim {{ fill: #56626f }}
.grid {{ stroke: #c6cdd5 }}
{}@media (prefers-color-scheme: dark) {{
.paper {{ fill: #11161d; stroke: #2a323c }}
text {{ fill: #e2e7ed }}
.dim {{ fill: #a3b0be }}
.grid {{ stroke: #46515e }}
{}}}
</style>
<rect class="paper" x="1" y="1" width="1918" height="1078" rx="16"/>
<text class="title" font-size="48" x="80" y="100">Many clients: a process each, a thread each, one thread for all</text>
"##,
        colours(false),
        colours(true)
    )
}

fn text(svg: &mut String, class: &str, (x, y): (f64, f64), anchor: &str, content: &str) {
    let _ = writeln!(
        svg,
        "<text class=\"{class}\" font-size=\"26\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{content}</text>"
    );
}

fn rates(svg: &mut String, counts: &[String], lines: &[Line]) {
    text(svg, "strong", (80.0, 180.0), "start", "round trips per second");
    let most = lines.iter().flat_map(|line| line.points.iter().flatten()).fold(1.0, |most: f64, rate| most.max(*rate));
    let step = steps(most);
    let marks = (most / step).ceil().max(1.0);
    let height = |rate: f64| BOTTOM - rate / (marks * step) * (BOTTOM - TOP);
    for mark in 0..=marks as usize {
        let (rate, y) = (mark as f64 * step, height(mark as f64 * step));
        let _ = writeln!(svg, "<line class=\"grid\" x1=\"{LEFT}\" y1=\"{y:.1}\" x2=\"{RIGHT}\" y2=\"{y:.1}\"/>");
        let shown = if rate == 0.0 { "0".to_owned() } else { format!("{},000", rate / 1000.0) };
        text(svg, "dim", (LEFT - 18.0, y + 9.0), "end", &shown);
    }
    let across = |at: usize| LEFT + 40.0 + at as f64 * (RIGHT - LEFT - 80.0) / (counts.len() - 1) as f64;
    for (at, count) in counts.iter().enumerate() {
        text(svg, "dim", (across(at), BOTTOM + 44.0), "middle", count);
    }
    text(svg, "dim", ((LEFT + RIGHT) / 2.0, BOTTOM + 92.0), "middle", "connections, each with a message under way");
    let mut ends = Vec::new();
    for (series, line) in lines.iter().enumerate() {
        let points = line.points.iter().enumerate();
        let points: Vec<(f64, f64)> =
            points.filter_map(|(at, rate)| rate.map(|rate| (across(at), height(rate)))).collect();
        let path: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1} {y:.1}")).collect();
        let Some((_, end)) = points.last() else { continue };
        let _ = writeln!(svg, "<path class=\"line s{series}\" d=\"M {}\"/>", path.join(" L "));
        for (x, y) in &points {
            let _ = writeln!(svg, "<circle class=\"dot s{series}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"9\"/>");
        }
        ends.push((*end, series, line.label));
    }
    // Each label beside the end of its line, and no two over each other.
    ends.sort_by(|one, other| one.0.total_cmp(&other.0));
    let mut above = TOP - APART;
    let places: Vec<f64> = ends
        .iter()
        .map(|(end, ..)| {
            above = end.max(above + APART);
            above
        })
        .collect();
    let too_low = (above - BOTTOM).max(0.0);
    for ((_, series, label), y) in ends.iter().zip(places) {
        let y = y - too_low;
        let _ = writeln!(svg, "<circle class=\"dot s{series}\" cx=\"{}\" cy=\"{y:.1}\" r=\"9\"/>", RIGHT + 34.0);
        text(svg, "plain", (RIGHT + 58.0, y + 9.0), "start", label);
    }
}

/// How far the marks of an axis are apart: so that there are three to seven.
fn steps(most: f64) -> f64 {
    let mut step = 1000.0;
    for factor in [2.0, 2.5, 2.0].into_iter().cycle() {
        if most / step <= 7.0 {
            break;
        }
        step *= factor;
    }
    step
}

fn memory(svg: &mut String, bars: &[Bar], lines: &[Line]) {
    text(svg, "strong", (BARS, 180.0), "start", "KiB of memory for a connection");
    let most = bars.iter().flat_map(|bar| bar.values).fold(1.0, f64::max);
    let mut y = TOP + 30.0;
    for bar in bars {
        let series = lines.iter().position(|line| line.label == bar.label).unwrap_or_default();
        text(svg, "plain", (BARS, y), "start", bar.label);
        for (at, class) in ["bar", "kernel"].into_iter().enumerate() {
            let (top, width) = (y + 16.0 + at as f64 * 38.0, (bar.values[at] / most * LONGEST).max(2.0));
            let _ = writeln!(
                svg,
                "<rect class=\"{class} s{series}\" x=\"{BARS}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"26\"/>"
            );
            text(svg, "dim", (BARS + width + 18.0, top + 22.0), "start", &bar.shown[at]);
        }
        y += 134.0;
    }
    text(svg, "dim", (BARS, BOTTOM + 92.0), "start", "full: its own; outline: the kernel's");
}

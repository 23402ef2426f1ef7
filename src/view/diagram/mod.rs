//! A trace as a picture: a lifeline for each role, their calls, and the frames between them.
//!
//! `rows.rs` makes events a scene of `scene.rs`, in the words of `words.rs`. Where there are no frames, `ways.rs` finds
//! which call took what another one sent. `grid.rs` says where the columns are; `draw.rs` and `legend.rs` draw, with
//! the elements of `pen.rs` in the colours of `style.rs`.

mod draw;
mod grid;
mod legend;
mod pen;
mod rows;
mod scene;
mod style;
mod ways;
mod words;

use grid::{Grid, MARGIN};
use pen::{Anchor, Font, Pen, Short, Words};
pub use rows::MOST;
use scene::Scene;

use crate::trace::{Event, Start, What};

/// The picture, as SVG: the scenes one below the other.
///
/// Time runs downwards, a row for each event; nothing is to scale. Of a scene with more than [`MOST`] events the first
/// and the last ones are drawn, and the picture says how many are left out. It is the same for runs that differ in
/// times only.
pub fn svg(events: &[Event]) -> String {
    let start = events.iter().find_map(|event| match &event.what {
        What::Start(start) => Some(start),
        _ => None,
    });
    let scenes = scenes(events);
    let grid = Grid::of(&scenes);
    let mut pen = Pen::default();
    let mut y = MARGIN;
    if let Some(start) = start {
        y = heading(start, grid.width, &mut pen, y);
    }
    for (scene, number) in scenes.iter().zip(0..) {
        if number > 0 {
            y += 26.0;
            pen.line("rule", (MARGIN, y), (grid.width - MARGIN, y));
            y += 24.0;
        }
        y = draw::scene(scene, &grid, &mut pen, y);
    }
    let height = (legend::draw(&scenes, grid.width, &mut pen, y + 30.0) + MARGIN).ceil();
    let drawing = pen.finish();
    document(start, &scenes, (grid.width, height), 1.0, &drawing)
}

/// How large a slide is.
const SLIDE: (f64, f64) = (1920.0, 1080.0);
/// The smallest letters on a slide.
const SMALLEST_ON_A_SLIDE: f64 = 18.0;

/// A scene, or a part of it, on one slide.
pub struct Slide {
    /// The picture, as SVG.
    pub svg: String,
    /// How many slides the scene takes.
    pub of: usize,
}

/// One slide, 1920 by 1080 with letters of 18 at least: of one scene the part with this number, from 1.
///
/// # Errors
/// In words, where the scene does not fit the width of a slide, or has no such part.
pub fn slide(events: &[Event], number: usize) -> Result<Slide, String> {
    let scale = SMALLEST_ON_A_SLIDE / pen::SMALLEST;
    let (width, height) = (SLIDE.0 / scale, SLIDE.1 / scale);
    let start = events.iter().find_map(|event| match &event.what {
        What::Start(start) => Some(start),
        _ => None,
    });
    let scenes = scenes(events);
    let [scene] = &scenes[..] else {
        return Err(format!("a slide shows one scene, and here are {}: choose one with --scene", scenes.len()));
    };
    let mut grid = Grid::of(&scenes);
    if grid.width > width {
        let short = (grid.width - width).ceil();
        return Err(format!(
            "this scene is too wide for a slide (by {short} of {width:.0}): without --slide it is drawn in full"
        ));
    }
    grid.width = width;
    let mut pen = Pen::default();
    let lab = start.map_or_else(String::new, |start| format!("Lab {}: {}", start.lab, start.question));
    let lab = words::lines(&lab, ((width - 2.0 * MARGIN) / Font::Lab.columns(1)) as usize, 1).concat();
    pen.text(Font::Lab, (MARGIN, MARGIN + 4.0), Anchor::Start, &Words::plain(lab));
    // The legend stands at the bottom: how high it is shows when it is drawn.
    let legend = legend::draw(&scenes, width, &mut Pen::default(), 0.0);
    let bottom = height - MARGIN / 2.0 - legend - 6.0;
    legend::draw(&scenes, width, &mut pen, bottom);
    let of = draw::part(scene, &grid, &mut pen, (MARGIN + 16.0, bottom - 6.0), number);
    if number == 0 || number > of {
        return Err(format!("this scene takes {of} slides: there is no --part {number}"));
    }
    Ok(Slide { svg: document(start, &scenes, SLIDE, scale, &pen.finish()), of })
}

/// The drawing with all that belongs to a file.
fn document(start: Option<&Start>, scenes: &[Scene], size: (f64, f64), scale: f64, drawing: &str) -> String {
    let (width, height) = (Short(size.0), Short(size.1));
    let title = start.map_or_else(|| "A lab".to_owned(), |start| format!("Lab {}: {}", start.lab, start.question));
    let drawing =
        if scale == 1.0 { drawing.to_owned() } else { format!("<g transform=\"scale({scale:.5})\">\n{drawing}</g>\n") };
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" xml:space=\"preserve\" role=\"img\" aria-labelledby=\"title desc\">\n\
         <title id=\"title\">{}</title>\n<desc id=\"desc\">{}</desc>\n{}\
         <rect class=\"paper\" x=\"0.5\" y=\"0.5\" width=\"{}\" height=\"{}\" rx=\"10\"/>\n{drawing}</svg>\n",
        pen::escaped(&title),
        pen::escaped(&description(scenes)),
        style::sheet(),
        Short(size.0 - 1.0),
        Short(size.1 - 1.0),
    )
}

fn scenes(events: &[Event]) -> Vec<Scene> {
    let mut scenes: Vec<(String, Vec<&Event>)> = Vec::new();
    for event in events {
        if let What::Scene { text, .. } = &event.what {
            scenes.push((format!("{}. {text}", event.scene), Vec::new()));
        } else if let Some((_, events)) = scenes.last_mut() {
            events.push(event);
        }
    }
    let mut scenes: Vec<Scene> = scenes.into_iter().map(|(title, events)| Scene::of(title, &events)).collect();
    colour(&mut scenes);
    scenes
}

/// A role has the same colour in all scenes, and the server in all pictures.
fn colour(scenes: &mut [Scene]) {
    let mut others: Vec<String> = Vec::new();
    for lane in scenes.iter_mut().flat_map(|scene| &mut scene.lanes).filter(|lane| lane.lives) {
        if lane.name != "server" && !others.contains(&lane.name) {
            others.push(lane.name.clone());
        }
        lane.colour = match others.iter().position(|name| *name == lane.name) {
            None => 1,
            Some(0) => 0,
            Some(index) => 2 + (index - 1) % 2,
        };
    }
}

fn heading(start: &Start, width: f64, pen: &mut Pen, y: f64) -> f64 {
    let wire = if start.stage == "wire" { " · two hosts and a wire" } else { "" };
    pen.text(Font::Lab, (MARGIN, y + 12.0), Anchor::Start, &Words::plain(format!("Lab {}{wire}", start.lab)));
    let mut y = y + 36.0;
    for line in words::lines(&start.question, ((width - 2.0 * MARGIN) / Font::Question.columns(1)) as usize, 3) {
        pen.text(Font::Question, (MARGIN, y), Anchor::Start, &Words::plain(line));
        y += 24.0;
    }
    y + 10.0
}

/// The picture in words, for those who do not see it.
fn description(scenes: &[Scene]) -> String {
    let told = scenes.iter().map(|scene| {
        let roles: Vec<&str> = scene.lanes.iter().filter(|lane| lane.lives).map(|lane| lane.name.as_str()).collect();
        let calls = scene.calls();
        let arrows = scene.arrows.len() + scene.paths.len();
        let frames = if scene.arrows.is_empty() { "arrows between them" } else { "frames" };
        let findings: String = scene.findings.iter().map(|finding| format!(" At the end: {finding}.")).collect();
        format!("{}. Roles: {}. {calls} calls, {arrows} {frames}.{findings}", scene.title, roles.join(", "))
    });
    format!("A sequence diagram, time runs downwards. {}", told.collect::<Vec<_>>().join(" "))
}

//! Limits that figures must keep.

/// Says whether a figure keeps its limit.
pub fn keeps(what: &str, figure: f64, limit: f64, unit: &str) {
    let word = if figure <= limit { "keeps" } else { "BREAKS" };
    println!("  limit: {what}: {figure:.2}{unit} {word} at most {limit}{unit}");
}

//! The plot: bars, one panel for each question, drawn by hand since there are few of them.

use crate::figure::{Figure, Start};
use std::fmt::Write;

const WIDTH: f64 = 860.0;
const LABEL: f64 = 400.0;
const BAR: f64 = 16.0;
const STEP: f64 = 24.0;
const COLOURS: [(&str, &str); 3] = [("python", "#c98a1b"), ("node", "#4c8c4a"), ("", "#2f5d9b")];

struct Panel {
    title: String,
    bars: Vec<(String, f64)>,
}

/// Draws the chart as SVG; `load` is the machine's load average at the start, written below the bars.
pub(crate) fn svg(load: &str, starts: &[Start], figures: &[Figure]) -> String {
    let peers = |figure: &&Figure| figure.case.starts_with("verified");
    let panels = [
        Panel {
            title: "Init: from start to the first event asked for, ms (median)".to_owned(),
            bars: starts.iter().map(|s| (s.function.clone(), s.median_init())).collect(),
        },
        Panel {
            title: "Most memory held, MB".to_owned(),
            bars: starts
                .iter()
                .filter_map(|s| Some((s.function.clone(), s.peak_bytes? as f64 / 1e6)))
                .collect(),
        },
        Panel {
            title: "A webhook: processor for each event, microseconds".to_owned(),
            bars: figures.iter().filter(peers).filter_map(|f| Some((f.name(), f.processor()?))).collect(),
        },
        Panel {
            title: "Writer and poller: processor for each event, microseconds".to_owned(),
            bars: figures
                .iter()
                .filter(|f| ["writer", "poller"].contains(&f.function.as_str()))
                .filter_map(|f| Some((f.name(), f.processor()?)))
                .collect(),
        },
        Panel {
            title: "Outside calls for each event".to_owned(),
            bars: figures
                .iter()
                .filter(|f| ["writer", "poller"].contains(&f.function.as_str()))
                .map(|f| (f.name(), f.each(f.counts.outside)))
                .collect(),
        },
    ];
    let rows: usize = panels.iter().map(|panel| panel.bars.len() + 2).sum();
    let height = STEP * (rows as f64 + 1.0);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    let mut y = STEP;
    for panel in &panels {
        let most = panel.bars.iter().map(|(_, value)| *value).fold(f64::MIN_POSITIVE, f64::max);
        text(&mut svg, 8.0, y, "start", "bold", &panel.title);
        y += STEP;
        for (name, value) in &panel.bars {
            let colour = COLOURS.iter().find(|(start, _)| name.starts_with(start)).map_or("", |(_, c)| c);
            let width = (WIDTH - LABEL - 90.0) * value / most;
            text(&mut svg, LABEL - 8.0, y, "end", "normal", name);
            let top = y - BAR + 4.0;
            let _ = writeln!(
                svg,
                "<rect x=\"{LABEL}\" y=\"{top}\" width=\"{width:.1}\" height=\"{BAR}\" fill=\"{colour}\"/>"
            );
            text(&mut svg, LABEL + width + 6.0, y, "start", "normal", &short(*value));
            y += STEP;
        }
        y += STEP;
    }
    text(&mut svg, 8.0, y - STEP / 2.0, "start", "normal", &format!("load average {load}"));
    svg.push_str("</svg>\n");
    svg
}

fn text(svg: &mut String, x: f64, y: f64, anchor: &str, weight: &str, words: &str) {
    let words = words.replace('&', "&amp;").replace('<', "&lt;");
    let _ = writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" font-weight=\"{weight}\">{words}</text>"
    );
}

fn short(value: f64) -> String {
    if value >= 100.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}

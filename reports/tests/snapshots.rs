//! What the renderers say of a record made by hand, word for word.

mod specimen;

use countersign_reports::{Places, Style, WrittenFile, explain_failure, html, json_summary, junit, progress_line, terminal};
use specimen::{Specimen, every_verdict, killed, unhealthy};

const WIDE: Style = Style { colour: false, width: 120 };
const NARROW: Style = Style { colour: false, width: 50 };

fn on_terminal(specimen: &Specimen) -> String {
    let files = [
        WrittenFile { what: "Record", path: "reports/out/record.jsonl" },
        WrittenFile { what: "HTML", path: "reports/out/report.html" },
    ];
    terminal(&specimen.view(), WIDE, &Places { explain: "countersign explain", files: &files })
}

/// What a reader of the page reads: its text, one block a line, drawings left out. Its form is for the browser's test.
fn page(specimen: &Specimen) -> String {
    let page = html(&specimen.view());
    let mut out = String::new();
    let mut rest = page.split_once("<body>").map_or(page.as_str(), |(_, body)| body);
    while let Some((text, after)) = rest.split_once('<') {
        out.push_str(text);
        let (tag, after) = after.split_once('>').unwrap_or_default();
        let name = tag.trim_start_matches('/').split(' ').next().unwrap_or_default();
        if !["a", "b", "i", "q", "span", "code", "strong"].contains(&name) {
            out.push('\n');
        }
        rest = match tag.starts_with("svg ") {
            true => after.split_once("</svg>").map_or(after, |(_, after)| after),
            false => after,
        };
    }
    out.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_terminal() {
    for (name, make) in specimen::ALL {
        insta::assert_snapshot!(format!("terminal_{name}"), on_terminal(&make()));
    }
}

#[test]
fn one_failure_explained() {
    let specimen = every_verdict();
    insta::assert_snapshot!("explain_wide", explain_failure(&specimen.view(), "e2ee/replay", WIDE).unwrap());
    insta::assert_snapshot!("explain_narrow", explain_failure(&specimen.view(), "e2ee/mac-inner-field@counter", NARROW).unwrap());
    assert_eq!(explain_failure(&specimen.view(), "e2ee/nothing", WIDE), None);
}

#[test]
fn progress() {
    let specimen = every_verdict();
    let lines: Vec<String> =
        specimen.record.instances.iter().enumerate().map(|(at, i)| progress_line(i, at + 1, 11, WIDE)).collect();
    assert!(lines.iter().all(|l| l.chars().count() <= 120), "{lines:?}");
    insta::assert_snapshot!("progress", lines.join("\n"));
}

#[test]
fn junit_xml() {
    insta::assert_snapshot!("junit_every_verdict", junit(&every_verdict().view()));
    insta::assert_snapshot!("junit_killed", junit(&killed().view()));
    insta::assert_snapshot!("junit_unhealthy", junit(&unhealthy().view()));
}

#[test]
fn the_page() {
    insta::assert_snapshot!("html_every_verdict", page(&every_verdict()));
    insta::assert_snapshot!("html_killed", page(&killed()));
    insta::assert_snapshot!("html_unhealthy", page(&unhealthy()));
}

#[test]
fn the_summary_for_machines() {
    insta::assert_json_snapshot!("json_every_verdict", json_summary(&every_verdict().view()));
}

#[test]
fn colour_repeats_words_and_changes_none() {
    let specimen = every_verdict();
    let coloured = terminal(&specimen.view(), Style { colour: true, width: 120 }, &Places::default());
    let plain = terminal(&specimen.view(), WIDE, &Places::default());
    assert_ne!(coloured, plain);
    let mut stripped = String::new();
    let mut rest = coloured.as_str();
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        stripped.push_str(before);
        rest = after.split_once('m').unwrap().1;
    }
    assert_eq!(stripped + rest, plain);
}

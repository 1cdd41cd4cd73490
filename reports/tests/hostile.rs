//! Whatever a candidate puts into a record, the reports are inert.

#[path = "specimen/hostile.rs"]
mod hostile_record;
mod specimen;

use countersign_reports::{Places, Style, View, explain_failure, html, junit, progress_line, terminal};
use hostile_record::hostile;
use proptest::prelude::*;

/// Characters that a terminal would obey or that would change how a line reads.
fn dangerous(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// Elements that the page is made of. Anything else came from a candidate.
const ELEMENTS: [&str; 54] = [
    "html",
    "head",
    "meta",
    "title",
    "style",
    "body",
    "a",
    "header",
    "main",
    "footer",
    "nav",
    "section",
    "article",
    "div",
    "p",
    "h1",
    "h2",
    "h3",
    "h4",
    "ul",
    "ol",
    "li",
    "dl",
    "dt",
    "dd",
    "table",
    "caption",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "details",
    "summary",
    "figure",
    "figcaption",
    "pre",
    "code",
    "span",
    "b",
    "q",
    "strong",
    "svg",
    "rect",
    "!DOCTYPE",
    "em",
    "i",
    "small",
    "aside",
    "br",
    "hr",
    "abbr",
    "path",
    "text",
];
const VOID: [&str; 4] = ["meta", "!DOCTYPE", "br", "hr"];

/// Reads the page strictly: every `<` begins one of our elements, every attribute is quoted, every element is closed in order.
fn well_formed(page: &str) -> Result<(), String> {
    let (head, rest) = page.split_once("<style>").ok_or("no style")?;
    let (_, body) = rest.split_once("</style>").ok_or("style does not end")?;
    let page = format!("{head}{body}");
    let mut open: Vec<String> = Vec::new();
    let mut rest = page.as_str();
    while let Some((text, after)) = rest.split_once('<') {
        if text.contains('>') {
            return Err(format!("a bare `>` in {text:?}"));
        }
        let mut end = None;
        let mut quoted = false;
        for (at, c) in after.char_indices() {
            match c {
                '"' => quoted = !quoted,
                '<' if !quoted => return Err(format!("`<` within a tag: {}", after)),
                '>' if !quoted => {
                    end = Some(at);
                    break;
                }
                _ => {}
            }
        }
        let end = end.ok_or("a tag does not end")?;
        let (tag, rest_of_page) = after.split_at(end);
        let name = tag.trim_start_matches('/').split_whitespace().next().unwrap_or_default();
        if !ELEMENTS.contains(&name) {
            return Err(format!("not an element of ours: <{tag}>"));
        }
        if tag.to_lowercase().contains(" on")
            || tag.contains(" src")
            || tag.contains(" style=")
            || (tag.contains(" href=") && !tag.contains(" href=\"#"))
        {
            return Err(format!("an attribute that is not ours: <{tag}>"));
        }
        if tag.starts_with('/') {
            match open.pop() {
                Some(begun) if begun == name => {}
                other => return Err(format!("</{name}> closes {other:?}")),
            }
        } else if !VOID.contains(&name) {
            open.push(name.to_owned());
        }
        rest = rest_of_page.get(1..).unwrap_or_default();
    }
    if open.is_empty() { Ok(()) } else { Err(format!("not closed: {open:?}")) }
}

/// Every `href` leads somewhere, and every id stands once.
fn links_work(page: &str) -> Result<(), String> {
    let values = |attribute: &str| -> Vec<String> {
        page.split(attribute).skip(1).filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())).collect()
    };
    let ids = values(" id=\"");
    for (at, id) in ids.iter().enumerate() {
        if ids.iter().take(at).any(|other| other == id) && !id.starts_with("r-") {
            return Err(format!("two elements have the id {id}"));
        }
    }
    values(" href=\"#").into_iter().find(|to| !ids.contains(to)).map_or(Ok(()), |to| Err(format!("nothing has the id {to}")))
}

fn texts(view: &View<'_>) -> Vec<String> {
    let style = Style { colour: false, width: 100 };
    let mut out = vec![terminal(view, style, &Places::default())];
    for (at, instance) in view.record.instances.iter().enumerate() {
        out.push(progress_line(instance, at, 11, style));
        out.extend(explain_failure(view, &instance.name(), style));
    }
    out
}

fn inert(evil: &str) -> Result<(), String> {
    let specimen = hostile(evil);
    let view = specimen.view();
    let page = html(&view);
    well_formed(&page)?;
    let xml = junit(&view);
    if xml.is_empty() {
        return Err("no JUnit".into());
    }
    for text in texts(&view).iter().chain([&page, &xml]) {
        if let Some(c) = text.chars().find(|c| dangerous(*c)) {
            return Err(format!("{c:?} was let through"));
        }
    }
    Ok(())
}

#[test]
fn known_attacks_are_inert() {
    for evil in [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "' onmouseover='alert(1)",
        "</style></title><svg onload=alert(1)>",
        "<!-- ",
        "]]>",
        "&lt;script&gt;",
        "javascript:alert(1)",
        "\u{1b}[2J\u{1b}]0;owned\u{7}\u{1b}]8;;http://evil\u{1b}\\click",
        "\u{9b}31m\u{90}q\u{9c}",
        "\u{202e}txt.exe\u{2066}\u{2069}\u{200f}",
        "a\0b",
        "line\r\nPASS e2ee/replay\n\n\u{8}\u{8}\u{8}",
        "\u{fffe}\u{ffff}\u{feff}",
        "",
        "@",
        "/",
    ] {
        inert(evil).unwrap_or_else(|e| panic!("{evil:?}: {e}"));
        let page = html(&hostile(evil).view());
        assert!(!page.to_lowercase().contains("<script") && !page.contains("<img"), "{evil:?}");
    }
}

#[test]
fn what_is_hostile_is_still_legible() {
    let specimen = hostile("<script>\u{1b}[31m\u{202e}");
    let page = html(&specimen.view());
    assert!(page.contains("&lt;script&gt;<span class=\"ctl\">\\u{1b}</span>[31m<span class=\"ctl\">\\u{202e}</span>"));
    assert!(texts(&specimen.view())[0].contains("<script>\\u{1b}[31m\\u{202e}"));
}

#[test]
fn a_megabyte_is_cut_wherever_it_stands() {
    let evil = "é<".repeat(350_000);
    inert(&evil).unwrap();
    let specimen = hostile(&evil);
    let view = specimen.view();
    let page = html(&view);
    assert!(page.len() < 3_000_000, "{}", page.len());
    assert!(page.contains("[cut: 1,050,000 bytes in all]"));
    for text in texts(&view) {
        assert!(text.len() < 400_000, "{}", text.len());
    }
}

#[test]
fn a_page_is_whole_and_its_links_work() {
    for specimen in specimen::ALL.iter().map(|(_, make)| make()).chain([hostile("<x>")]) {
        let page = html(&specimen.view());
        well_formed(&page).unwrap();
        links_work(&page).unwrap();
        assert!(
            !page.contains("http://") && !page.replace("https://messenger.example", "").contains("https://"),
            "an address outside the page"
        );
    }
}

#[test]
fn the_strict_reader_notices_what_it_is_for() {
    let page = |inside: &str| format!("<html><style></style><p>{inside}</p></html>");
    well_formed(&page("fine &lt; <b>x</b>")).unwrap();
    for bad in ["<script></script>", "<b>", "a < b", "a > b", "<a href=\"http://x\"></a>", "<p onclick=\"x\"></p>", "</b>"] {
        assert!(well_formed(&page(bad)).is_err(), "{bad}");
    }
    assert!(links_work("<a href=\"#x\"></a>").is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn any_text_anywhere_is_inert(evil in prop_oneof![any::<String>(), "[<>&\"'/ a-z\u{0}-\u{1f}\u{80}-\u{9f}\u{2000}-\u{206f}]{0,60}"]) {
        inert(&evil).map_err(TestCaseError::fail)?;
    }
}

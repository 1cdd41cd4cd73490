//! One scenario file: read step by step, once for each case, and checked.

use super::names::{Placed, check_held, check_names};
use super::rules::check_steps;
use super::whole::check_whole;
use crate::diagnostic::{Fault, Span, known_hint};
use crate::language::{Case, Cast, Scenario, Step};
use crate::yaml::{self, Kind, Node, Sink};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Keys without which there is no scenario.
const REQUIRED: [&str; 6] = ["id", "title", "why", "verifies", "cast", "steps"];

/// Keys that may be left out.
const OPTIONAL: [&str; 7] = ["twin", "features", "capabilities", "suites", "exclusive", "heavy", "cases"];

/// Most cases of one scenario.
const MOST_CASES: usize = 64;

/// What a scenario file says, faults included.
pub(crate) struct ReadScenario {
    /// Each case with its scenario, if all of it could be read; one without a name if there are no cases.
    pub(crate) cases: Vec<(Option<String>, Arc<Scenario>)>,
    /// The stated id, and where it stands.
    pub(crate) id: Option<(String, Span)>,
    /// Requirements that it names, and where.
    pub(crate) verifies: Vec<(String, Span)>,
    pub(crate) faults: Vec<Fault>,
}

/// Reads and checks a scenario. `expected_id` is what its path says.
pub(crate) fn read_scenario(expected_id: &str, text: &str) -> ReadScenario {
    let mut faults = Vec::new();
    let mut read = ReadScenario { cases: Vec::new(), id: None, verifies: Vec::new(), faults: Vec::new() };
    let root = match yaml::parse(text, &mut faults) {
        Ok(root) => root,
        Err(fault) => {
            faults.push(fault);
            read.faults = faults;
            return read;
        }
    };
    if !matches!(root.kind, Kind::Map(_)) {
        faults.push(Fault::new(root.span, "a scenario is a table").hint("begin with `id: folder/name`"));
        read.faults = faults;
        return read;
    }
    check_id(&root, expected_id, &mut read, &mut faults);
    for node in root.get("verifies").map(Node::items).unwrap_or_default() {
        if let Some(id) = node.text() {
            read.verifies.push((id.to_owned(), node.span));
        }
    }
    for key in REQUIRED {
        // A misspelt key is one fault, not a missing and an unknown one.
        if root.get(key).is_none() && !root.entries().iter().any(|(k, _)| misspelt(k.text().unwrap_or_default()) == Some(key)) {
            faults.push(Fault::new(Span::START, format!("the key `{key}` is missing")).hint(format!("add `{key}: …`")));
        }
    }

    let cases = read_cases(&root, &mut faults);
    let none = BTreeMap::new();
    let runs: Vec<(Option<&Case>, &BTreeMap<String, String>)> =
        if cases.is_empty() { vec![(None, &none)] } else { cases.iter().map(|c| (Some(c), &c.with)).collect() };
    let mut used = BTreeSet::new();
    for (case, values) in runs {
        let node = replaced(&root, values, &mut used, &mut faults);
        if let Some(mut scenario) = read_expanded(&node, &mut faults) {
            if let Some(case) = case.filter(|case| !case.suites.is_empty()) {
                scenario.suites.clone_from(&case.suites);
            }
            read.cases.push((case.map(|c| c.name.clone()), Arc::new(scenario)));
        }
    }
    check_case_values(&root, &used, &mut faults);

    faults.sort();
    faults.dedup();
    read.faults = faults;
    read
}

/// The key that was probably meant by one that there is not.
fn misspelt(word: &str) -> Option<&'static str> {
    let known = REQUIRED.iter().chain(&OPTIONAL).copied();
    if known.clone().any(|k| k == word) { None } else { crate::diagnostic::nearest(word, known) }
}

fn check_id(root: &Node, expected: &str, read: &mut ReadScenario, faults: &mut Vec<Fault>) {
    let Some(node) = root.get("id") else { return };
    let Some(id) = node.text() else { return };
    read.id = Some((id.to_owned(), node.span));
    if id != expected {
        let hint = format!("after its file it is `{expected}`");
        faults.push(Fault::new(node.span, format!("the id `{id}` does not match the file")).hint(hint));
    }
}

fn read_cases(root: &Node, faults: &mut Vec<Fault>) -> Vec<Case> {
    let Some(list) = root.get("cases") else { return Vec::new() };
    if !matches!(list.kind, Kind::Seq(_)) || list.items().is_empty() {
        faults.push(Fault::new(list.span, "`cases` is a list of at least one case"));
        return Vec::new();
    }
    if list.items().len() > MOST_CASES {
        faults.push(Fault::new(list.span, format!("more than {MOST_CASES} cases")));
        return Vec::new();
    }
    let sink = Sink::default();
    let mut cases: Vec<Case> = Vec::new();
    for node in list.items() {
        let Some(case) = yaml::from_node::<Case>(node, &sink) else { continue };
        let name = node.at(&["name"]).span;
        let fits = !case.name.is_empty() && case.name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        if !fits {
            faults
                .push(Fault::new(name, format!("`{}` cannot be the name of a case", case.name)).hint("letters, digits, hyphens"));
        }
        if cases.iter().any(|c| c.name == case.name) {
            faults.push(Fault::new(name, format!("the case `{}` stands here twice", case.name)).hint("give each its own name"));
        }
        cases.push(case);
    }
    faults.append(&mut sink.into_inner());
    cases
}

/// Everything but the id and the cases themselves takes part in the replacement.
fn replaced(root: &Node, values: &BTreeMap<String, String>, used: &mut BTreeSet<String>, faults: &mut Vec<Fault>) -> Node {
    let entries = root.entries().iter().map(|(key, value)| {
        let as_it_stands = matches!(key.text(), Some("id" | "cases"));
        let value = if as_it_stands { value.clone() } else { value.replaced(values, used, faults) };
        (key.clone(), value)
    });
    Node { span: root.span, kind: Kind::Map(entries.collect()) }
}

fn check_case_values(root: &Node, used: &BTreeSet<String>, faults: &mut Vec<Fault>) {
    for case in root.get("cases").map(Node::items).unwrap_or_default() {
        for (key, _) in case.get("with").map(Node::entries).unwrap_or_default() {
            let Some(name) = key.text() else { continue };
            if !used.contains(name) {
                let known: Vec<&str> = used.iter().map(String::as_str).collect();
                let fault = Fault::new(key.span, format!("nothing uses the case's value `{name}`"));
                let meant = crate::diagnostic::nearest(name, known);
                faults.push(fault.hint(meant.map_or_else(
                    || format!("write `${{{name}}}` where it belongs, or leave it out"),
                    |meant| format!("did you mean `{meant}`?"),
                )));
            }
        }
    }
}

/// Reads one case. `None` if any part could not be read.
fn read_expanded(root: &Node, faults: &mut Vec<Fault>) -> Option<Scenario> {
    let sink = Sink::default();
    let header = read_header(root, &sink);

    let mut cast: BTreeMap<String, (Span, Option<Cast>)> = BTreeMap::new();
    if let Some(node) = root.get("cast") {
        if !matches!(node.kind, Kind::Map(_)) {
            sink.borrow_mut()
                .push(Fault::new(node.span, "the cast is a table of names").hint("cast: { alice: reference, bob: candidate }"));
        }
        for (key, value) in node.entries() {
            let name = key.text().unwrap_or_default().to_owned();
            let member = yaml::from_node::<Cast>(value, &sink);
            if member.as_ref().is_some_and(|m| m.one_time_prekeys > 100) {
                sink.borrow_mut().push(Fault::new(value.at(&["one-time-prekeys"]).span, "more than 100 one-time prekeys"));
            }
            cast.insert(name, (key.span, member));
        }
    }

    let mut steps = Vec::new();
    if let Some(node) = root.get("steps") {
        if !matches!(node.kind, Kind::Seq(_)) {
            sink.borrow_mut().push(Fault::new(node.span, "the steps are a list").hint("begin each step with `- `"));
        }
        for step in node.items() {
            steps.push(Placed { node: step, step: yaml::from_node::<Step>(step, &sink) });
        }
    }
    faults.append(&mut sink.into_inner());

    // Without a cast every name of a user would look undefined, and without steps unused.
    if root.get("cast").is_some() && root.get("steps").is_some() {
        check_names(&cast, &steps, faults);
        check_steps(&cast, &steps, faults);
    }
    check_held(&steps, faults);
    let mut scenario = header?;
    let known: Option<BTreeMap<String, Cast>> =
        cast.iter().map(|(name, (_, member))| Some((name.clone(), member.clone()?))).collect();
    scenario.cast = known?;
    check_whole(&scenario, root, &cast, &steps, faults);
    check_header(&scenario, root, faults);
    scenario.steps = steps.into_iter().map(|p| p.step).collect::<Option<_>>()?;
    Some(scenario)
}

/// Everything but cast and steps, which are read one by one.
fn read_header(root: &Node, sink: &Sink) -> Option<Scenario> {
    let entries = root.entries().iter().map(|(key, value)| {
        let empty = match key.text() {
            Some("cast") => Some(Kind::Map(Vec::new())),
            Some("steps" | "cases") => Some(Kind::Seq(Vec::new())),
            _ => None,
        };
        (key.clone(), empty.map_or_else(|| value.clone(), |kind| Node { span: value.span, kind }))
    });
    let node = Node { span: root.span, kind: Kind::Map(entries.collect()) };
    if REQUIRED.iter().any(|key| node.get(key).is_none()) {
        // Already reported. What stands there is still looked at for unknown keys.
        for (key, _) in node.entries() {
            let word = key.text().unwrap_or_default();
            let all = REQUIRED.iter().chain(&OPTIONAL).copied();
            if !all.clone().any(|k| k == word) {
                let fault = Fault::new(key.span, format!("unknown key `{word}`"));
                sink.borrow_mut().push(fault.hint(known_hint(word, all)));
            }
        }
        return None;
    }
    yaml::from_node(&node, sink)
}

fn check_header(scenario: &Scenario, root: &Node, faults: &mut Vec<Fault>) {
    for (key, text) in [("title", &scenario.title), ("why", &scenario.why)] {
        if text.trim().is_empty() {
            faults.push(
                Fault::new(root.at(&[key]).span, format!("`{key}` is empty"))
                    .hint("a sentence for a reader who is no specialist"),
            );
        }
    }
    if scenario.verifies.is_empty() {
        let span = root.at(&["verifies"]).span;
        faults.push(Fault::new(span, "it verifies no requirement").hint("name at least one, such as `SIG-05`"));
    }
    for (i, id) in scenario.verifies.iter().enumerate() {
        if scenario.verifies.iter().take(i).any(|earlier| earlier == id) {
            let span = root.at(&["verifies", &i.to_string()]).span;
            faults.push(Fault::new(span, format!("`{id}` stands here twice")).hint("keep one"));
        }
    }
}

//! From an id to its explanation, one function for each kind of id.

use super::requirements::{each, named, source, word};
use super::{Explanation, Sources, findings, names, reasons, run_only, vectors};
use countersign_contract::Reason;
use countersign_judge::Finding;
use countersign_mutants::Mutant;
use countersign_sample::Defect;
use countersign_scenarios::language::Expect;
use countersign_scenarios::{Scenario, Step, describe_step};
use std::collections::BTreeSet;

/// Ids of everything that has an explanation.
pub(crate) fn all(from: &Sources<'_>) -> Vec<String> {
    let cases = from.suite.scenarios.iter().flat_map(|(id, loaded)| {
        loaded.cases.iter().filter_map(move |(case, _)| case.as_ref().map(|case| format!("{id}@{case}")))
    });
    let suite = from.suite;
    suite
        .scenarios
        .keys()
        .chain(suite.requirements.keys())
        .cloned()
        .chain(cases)
        .chain(Defect::ALL.iter().map(ToString::to_string))
        .chain(Reason::ALL.iter().map(ToString::to_string))
        .chain(Finding::ALL.iter().map(|f| f.as_str().to_owned()))
        .chain(countersign_judge::standing_checks().map(|(id, _)| id.to_owned()))
        .chain(vectors::flags(from))
        .collect()
}

/// Every explanation of an id: a reason and a finding may have the same name, and go before a scenario of that name. What is no id may be a folder of scenarios, or the
/// name of one without its folder.
pub(crate) fn of(from: &Sources<'_>, id: &str) -> Vec<Explanation> {
    let kinds: [fn(&Sources<'_>, &str) -> Option<Explanation>; 7] =
        [scenario, requirement, mutant, reason, finding, standing, vectors::flag];
    let found: Vec<Explanation> = kinds.iter().filter_map(|kind| kind(from, id)).collect();
    if !found.is_empty() {
        return found;
    }
    match folder(from, id.trim_end_matches('/')) {
        Some(folder) => vec![folder],
        None => in_any_folder(from, id),
    }
}

/// A scenario by its whole id, or a mutant: what explains itself without the vectors.
pub(crate) fn by_itself(from: &Sources<'_>, id: &str) -> Vec<Explanation> {
    let in_a_folder = id.contains('/');
    let kinds: [fn(&Sources<'_>, &str) -> Option<Explanation>; 2] = [scenario, mutant];
    // What has other explanations as well is left to whoever looks for all of them.
    let is_more = !in_a_folder && (id.parse::<Reason>().is_ok() || Finding::ALL.iter().any(|f| f.as_str() == id));
    if is_more { Vec::new() } else { kinds.iter().filter_map(|kind| kind(from, id)).collect() }
}

/// Scenarios by their name alone, one case included: `out-of-order` for `e2ee/out-of-order`.
fn in_any_folder(from: &Sources<'_>, id: &str) -> Vec<Explanation> {
    let (name, case) = id.split_once('@').map_or((id, String::new()), |(name, case)| (name, format!("@{case}")));
    let bases = from.suite.scenarios.keys().filter(|base| base.split_once('/').is_some_and(|(_, last)| last == name));
    bases.filter_map(|base| scenario(from, &format!("{base}{case}"))).collect()
}

/// A folder of scenarios: what they are about, and all of their names.
fn folder(from: &Sources<'_>, name: &str) -> Option<Explanation> {
    let inside = |id: &str| id.split_once('/').is_some_and(|(folder, _)| folder == name);
    let scenarios: Vec<&Scenario> =
        from.suite.scenarios.iter().filter(|(id, _)| inside(id)).map(|(_, loaded)| loaded.scenario.as_ref()).collect();
    if scenarios.is_empty() {
        return None;
    }
    let verified: BTreeSet<String> = scenarios.iter().flat_map(|s| s.verifies.iter().cloned()).collect();
    let verified: Vec<String> = verified.into_iter().collect();
    let requirements = named(from, &verified);
    let mut details = vec!["scenarios".to_owned()];
    details.extend(scenarios.iter().map(|s| format!("  {}: {}", s.id, s.title)));
    details.push("each in full: countersign explain with its name".to_owned());
    Some(Explanation {
        id: name.to_owned(),
        kind: "folder",
        summary: format!("{} scenarios, which verify {} requirements", scenarios.len(), requirements.len()),
        attack: each(&requirements, |r| r.sentence.clone()),
        cost: each(&requirements, |r| r.attack.clone()),
        source: each(&requirements, source),
        cause: each(&requirements, |r| r.usual_cause.clone()),
        fix: each(&requirements, |r| r.fix.clone()),
        mutants: names(&killed(from, |m| inside(&m.scenario)), "none is to be found by one of them"),
        run: vectors::run_folder(from, name),
        details,
    })
}

/// A scenario, or one case of it.
fn scenario(from: &Sources<'_>, id: &str) -> Option<Explanation> {
    let (base, case) = id.split_once('@').map_or((id, None), |(base, case)| (base, Some(case)));
    let loaded = from.suite.scenarios.get(base)?;
    let scenario: &Scenario = match case {
        None => &loaded.scenario,
        Some(case) => &loaded.cases.iter().find(|(name, _)| name.as_deref() == Some(case))?.1,
    };
    let requirements = named(from, &scenario.verifies);
    let killed = killed(from, |m| m.fails.iter().any(|s| s == base));
    let none = if scenario.twin { "none: it is a twin, and shows that the honest thing is accepted" } else { "none" };
    let mut details = vec!["steps".to_owned()];
    for (number, step) in scenario.steps.iter().enumerate() {
        details.push(format!("  {:>2}. {}", number + 1, describe_step(&scenario.cast, step)));
    }
    details.push(format!("verifies {}", scenario.verifies.join(", ")));
    details.extend(vectors::details(from, id));
    Some(Explanation {
        id: id.to_owned(),
        kind: if vectors::profile_of(from, id).is_some() { "vector" } else { "scenario" },
        summary: scenario.title.clone(),
        attack: scenario.why.clone(),
        cost: each(&requirements, |r| r.attack.clone()),
        source: each(&requirements, source),
        cause: each(&requirements, |r| r.usual_cause.clone()),
        fix: each(&requirements, |r| r.fix.clone()),
        mutants: names(&killed, none),
        run: run_only(from, &[id.to_owned()]),
        details,
    })
}

fn requirement(from: &Sources<'_>, id: &str) -> Option<Explanation> {
    let r = from.suite.requirements.get(id)?;
    let verifying: Vec<&Scenario> =
        from.suite.scenarios.values().map(|l| l.scenario.as_ref()).filter(|s| s.verifies.iter().any(|v| v == id)).collect();
    let scenarios: Vec<String> = verifying.iter().map(|s| s.id.clone()).collect();
    let why = verifying.iter().find(|s| !s.twin).or(verifying.first()).map(|s| s.why.clone()).unwrap_or_default();
    let mutants = killed(from, |m| m.requirement == id);
    Some(Explanation {
        id: id.to_owned(),
        kind: "requirement",
        summary: r.sentence.clone(),
        attack: why,
        cost: r.attack.clone(),
        source: source(r),
        cause: r.usual_cause.clone(),
        fix: r.fix.clone(),
        mutants: names(
            &mutants,
            "none has this as its own requirement: it is met by what the mutants of other requirements break",
        ),
        run: run_only(from, &scenarios),
        details: vec![
            format!("level {}, decided by {}", word(&r.level), word(&r.decided_by)),
            format!("verified by {}", scenarios.join(", ")),
        ],
    })
}

fn mutant(from: &Sources<'_>, id: &str) -> Option<Explanation> {
    let defect: Defect = id.parse().ok()?;
    let Some(known) = from.mutants.iter().find(|m| m.id == id) else { return Some(apart(defect)) };
    let requirements = named(from, std::slice::from_ref(&known.requirement));
    let why = from.suite.scenarios.get(&known.scenario).map(|l| l.scenario.why.clone()).unwrap_or_default();
    Some(Explanation {
        id: id.to_owned(),
        kind: "mutant",
        summary: defect.summary().to_owned(),
        attack: why,
        cost: each(&requirements, |r| r.attack.clone()),
        source: each(&requirements, source),
        cause: defect.summary().to_owned(),
        fix: each(&requirements, |r| r.fix.clone()),
        mutants: format!("itself; it breaks {}, and `{}` must find `{}`", known.requirement, known.scenario, known.finding),
        run: format!("countersign run --candidate mutant:{id} --only {}", known.scenario),
        details: vec![format!("fails on it: {}", known.fails.join(", "))],
    })
}

/// A defect that no scenario is held to find.
fn apart(defect: Defect) -> Explanation {
    let walked = countersign_mutants::walked().unwrap_or_default();
    if let Some(walked) = walked.into_iter().find(|walked| walked.id == defect.as_str()) {
        return by_walks(defect, &walked);
    }
    let wired = countersign_mutants::wired().unwrap_or_default();
    if let Some(wired) = wired.into_iter().find(|wired| wired.id == defect.as_str()) {
        return by_wire(defect, &wired);
    }
    let rare = countersign_mutants::rare().unwrap_or_default();
    if let Some(rare) = rare.into_iter().find(|rare| rare.id == defect.as_str()) {
        return by_chance(defect, &rare);
    }
    let (attack, cost, run) = match defect {
        Defect::FlakyMac => (
            "Whoever changes messages often enough gets one through.",
            "A user reads a changed message now and then, and nobody can make it happen again.",
            format!("countersign run --candidate mutant:{defect} --carrier child --only 'e2ee/mac-inner-field'"),
        ),
        _ => (
            "No attack: the candidate answers what it does not understand with success.",
            "Nothing that it says of itself can be relied on, so nothing is shown by testing it.",
            format!("countersign doctor --candidate mutant:{defect}"),
        ),
    };
    Explanation {
        id: defect.to_string(),
        kind: "defect",
        summary: defect.summary().to_owned(),
        attack: attack.to_owned(),
        cost: cost.to_owned(),
        source: "the contract: `countersign schema upper-tester`".to_owned(),
        cause: defect.summary().to_owned(),
        fix: "none for the sample, which has it on purpose; in a messenger, make the check answer the same each time".to_owned(),
        mutants: "itself; no scenario is held to find it in every run".to_owned(),
        run,
        details: Vec::new(),
    }
}

/// A defect that shows in one of about ten chances.
fn by_chance(defect: Defect, rare: &countersign_mutants::Rare) -> Explanation {
    let countersign_mutants::Rare { requirement, scenario, finding, found, chances, .. } = rare;
    let seeds = countersign_mutants::RARE_SEEDS;
    Explanation {
        id: defect.to_string(),
        kind: "defect",
        summary: defect.summary().to_owned(),
        attack: "None is needed: it shows with some keys and some messages, whoever draws them.".to_owned(),
        cost: "Now and then something is lost that worked a moment before, and nobody can make it happen again.".to_owned(),
        source: format!("requirement {requirement}: `countersign explain {requirement}`"),
        cause: defect.summary().to_owned(),
        fix: "none for the sample, which has it on purpose; in a messenger, try every value of the byte concerned".to_owned(),
        mutants: format!(
            "itself; with {chances} chances, `{scenario}` finds `{finding}` of {requirement} under {found} of {seeds} seeds"
        ),
        run: format!("countersign run --candidate mutant:{defect}"),
        details: vec![
            "a report says under \"Defects that show now and then\" with what probability its run finds such a defect".to_owned(),
        ],
    }
}

/// A defect that only random walks find.
fn by_walks(defect: Defect, walked: &countersign_mutants::Walked) -> Explanation {
    let countersign_mutants::Walked { requirement, finding, steps, .. } = walked;
    Explanation {
        id: defect.to_string(),
        kind: "defect",
        summary: defect.summary().to_owned(),
        attack: "None is needed: it shows after several things that happen in every messenger, in the right order.".to_owned(),
        cost: "Messages are lost, or come again, and nobody can say why.".to_owned(),
        source: format!("requirement {requirement}: `countersign explain {requirement}`"),
        cause: defect.summary().to_owned(),
        fix: "none for the sample, which has it on purpose; in a messenger, keep state apart from the connection".to_owned(),
        mutants: format!(
            "itself; no scenario names it, and random walks find `{finding}` of {requirement} in about {steps} steps"
        ),
        run: format!("countersign fuzz --candidate mutant:{defect} --first"),
        details: Vec::new(),
    }
}

/// A defect that only malformed input under a valid MAC shows.
fn by_wire(defect: Defect, wired: &countersign_mutants::Walked) -> Explanation {
    let countersign_mutants::Walked { requirement, finding, .. } = wired;
    let profile = wired.profile.as_ref().map(|profile| format!(" --profile {profile}")).unwrap_or_default();
    Explanation {
        id: defect.to_string(),
        kind: "defect",
        summary: defect.summary().to_owned(),
        attack: "A peer puts something inside a message that no honest client writes, and authenticates it.".to_owned(),
        cost: "One message stops the client, makes it lose a conversation, or shows what nobody wrote.".to_owned(),
        source: format!("requirement {requirement}: `countersign explain {requirement}`"),
        cause: defect.summary().to_owned(),
        fix: "none for the sample, which has it on purpose; in a messenger, refuse what cannot be read, whoever authenticated it"
            .to_owned(),
        mutants: format!("itself; no scenario names it, and wire fuzzing finds `{finding}` of {requirement}"),
        run: format!("countersign fuzz --wire --first --carrier child{profile} --candidate mutant:{defect}"),
        details: Vec::new(),
    }
}

fn reason(from: &Sources<'_>, id: &str) -> Option<Explanation> {
    let reason: Reason = id.parse().ok()?;
    let text = reasons::text(reason);
    let expects = |s: &Scenario| {
        s.steps.iter().any(|step| match step {
            Step::Expect(Expect::Refuses { reasons, .. } | Expect::Problem { reasons, .. }) => reasons.contains(&reason),
            _ => false,
        })
    };
    let scenarios: Vec<String> = from
        .suite
        .scenarios
        .iter()
        .filter(|(_, loaded)| loaded.cases.iter().any(|(_, scenario)| expects(scenario)))
        .map(|(id, _)| id.clone())
        .collect();
    let mutants = killed(from, |m| scenarios.contains(&m.scenario));
    let run = if scenarios.is_empty() {
        "countersign run (no scenario asks for it by itself; it shows wherever a candidate gives it)".to_owned()
    } else {
        run_only(from, &scenarios)
    };
    Some(Explanation {
        id: id.to_owned(),
        kind: "reason",
        summary: reason.meaning().to_owned(),
        attack: text.attack.to_owned(),
        cost: text.cost.to_owned(),
        source: "the contract's closed list of reasons, in the form of RFC 9457: `countersign schema upper-tester`".to_owned(),
        cause: text.cause.to_owned(),
        fix: text.fix.to_owned(),
        mutants: names(&mutants, "none: no scenario expects this reason"),
        run,
        details: vec![format!("HTTP status {}", reason.status())],
    })
}

fn finding(from: &Sources<'_>, id: &str) -> Option<Explanation> {
    let finding = *Finding::ALL.iter().find(|f| f.as_str() == id)?;
    let text = findings::text(finding);
    let found: Vec<&Mutant> = from.mutants.iter().filter(|m| m.finding == id).collect();
    let mut ids: Vec<String> = found.iter().map(|m| m.requirement.clone()).collect();
    if ids.is_empty() {
        ids.extend(text.requirements.iter().map(|id| (*id).to_owned()));
    }
    let requirements = named(from, &ids);
    let mut scenarios: Vec<String> = found.iter().map(|m| m.scenario.clone()).collect();
    if scenarios.is_empty() {
        let verifies = |s: &Scenario| s.verifies.iter().any(|v| ids.contains(v));
        scenarios.extend(from.suite.scenarios.values().filter(|l| verifies(&l.scenario)).map(|l| l.scenario.id.clone()));
    }
    scenarios.sort();
    scenarios.dedup();
    let cause = finding.likely_cause().map_or_else(|| each(&requirements, |r| r.usual_cause.clone()), str::to_owned);
    Some(Explanation {
        id: id.to_owned(),
        kind: "finding",
        summary: finding.meaning().to_owned(),
        attack: text.attack.to_owned(),
        cost: text.cost.to_owned(),
        source: each(&requirements, source),
        cause,
        fix: text.fix.to_owned(),
        mutants: names(&killed(from, |m| m.finding == id), "none has it as its first finding"),
        run: run_only(from, &scenarios),
        details: Vec::new(),
    })
}

/// A monitor, or a check of the run as a whole.
fn standing(from: &Sources<'_>, id: &str) -> Option<Explanation> {
    let (_, verifies) = countersign_judge::standing_checks().find(|(check, _)| *check == id)?;
    let ids: Vec<String> = verifies.iter().map(|id| (*id).to_owned()).collect();
    let requirements = named(from, &ids);
    let whole = id.starts_with("run-");
    let summary = if whole {
        "A check of the run as a whole: what has to be random is held against each other over all instances."
    } else {
        "A monitor: it watches every instance, whatever the scenario is about."
    };
    Some(Explanation {
        id: id.to_owned(),
        kind: "check",
        summary: summary.to_owned(),
        attack: each(&requirements, |r| r.sentence.clone()),
        cost: each(&requirements, |r| r.attack.clone()),
        source: each(&requirements, source),
        cause: each(&requirements, |r| r.usual_cause.clone()),
        fix: each(&requirements, |r| r.fix.clone()),
        mutants: names(&killed(from, |m| ids.contains(&m.requirement)), "none has its requirement as its own"),
        run: "countersign run (it takes part in every scenario)".to_owned(),
        details: vec![format!("verifies {}", ids.join(", "))],
    })
}

fn killed(from: &Sources<'_>, which: impl Fn(&Mutant) -> bool) -> Vec<String> {
    from.mutants.iter().filter(|m| which(m)).map(|m| format!("mutant:{}", m.id)).collect()
}

//! The suite inside the program.

use countersign_scenarios::{Suite, describe_step};
use std::collections::BTreeSet;
use std::path::Path;

#[expect(clippy::panic, reason = "the faults have to be seen when a test fails")]
fn builtin() -> Suite {
    Suite::builtin().unwrap_or_else(|faults| {
        let text: Vec<String> = faults.iter().map(ToString::to_string).collect();
        panic!("{} faults\n{}", faults.len(), text.join("\n\n"));
    })
}

#[test]
fn it_has_no_fault() {
    let suite = builtin();
    assert!(suite.scenarios.len() >= 45, "{}", suite.scenarios.len());
    assert!(suite.profiles.contains_key("dma-basic"));
}

#[test]
fn the_folder_holds_the_same_files() {
    let folder = Suite::from_folder(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
    assert_eq!(folder.files, builtin().files);
}

#[test]
fn a_record_of_it_gives_the_same_suite() {
    let suite = builtin();
    let json = serde_json::to_string(&suite.files).unwrap();
    let again = Suite::from_files(&serde_json::from_str(&json).unwrap()).unwrap();
    assert_eq!(again.files.digest(), suite.files.digest());
    let profile = &suite.profiles["dma-basic"];
    let names = |s: &Suite| s.instances(profile).into_iter().map(|p| (p.name, p.scenario)).collect::<Vec<_>>();
    assert_eq!(names(&again), names(&suite));
}

#[test]
fn every_case_is_an_instance_with_its_values_put_in() {
    let suite = builtin();
    let planned = suite.instances(&suite.profiles["dma-basic"]);
    let names: BTreeSet<&str> = planned.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names.len(), planned.len());
    assert!(names.contains("e2ee/mac-inner-field@counter"));
    assert!(names.contains("e2ee/out-of-order"));
    for p in &planned {
        let json = serde_json::to_string(&*p.scenario).unwrap();
        assert!(!json.contains("${"), "{}: {json}", p.name);
    }
    let taken = suite.profiles.values().flat_map(|profile| suite.instances(profile));
    let ids: BTreeSet<String> = taken.map(|p| p.scenario.id.clone()).collect();
    assert_eq!(ids.len(), suite.scenarios.len(), "every scenario is taken by a profile");
}

#[test]
fn every_step_can_be_said_in_words() {
    let suite = builtin();
    let mut words = Vec::new();
    for planned in suite.instances(&suite.profiles["dma-basic"]) {
        let chosen = ["@zero", "@counter", "@last", "@thrice", "@fifth", "@block", "@endless", "@key", "@sent"];
        if planned.case.is_some() && !chosen.iter().any(|case| planned.name.ends_with(case)) {
            continue;
        }
        words.push(format!("{}: {}", planned.name, planned.scenario.title));
        for step in &planned.scenario.steps {
            words.push(format!("  - {}", describe_step(&planned.scenario.cast, step)));
        }
    }
    insta::assert_snapshot!(words.join("\n"));
}

#[test]
fn a_candidate_does_not_conform_by_claiming_nothing() {
    use countersign_contract::claims::{Description, Limits};
    use countersign_scenarios::plan::{Filter, Plan};
    use countersign_trace::Verdict;

    let suite = Suite::builtin().unwrap();
    let claims = Description {
        name: "mute".into(),
        version: "1".into(),
        build: String::new(),
        operator: String::new(),
        contract: countersign_contract::CONTRACT_VERSION.into(),
        clock: 0,
        bindings: vec![],
        suites: vec![],
        features: vec![],
        capabilities: vec![],
        limits: Limits { text_bytes: 0, file_bytes: 0, instances: 1 },
        assumptions: vec![],
    };
    let profile = suite.profiles.get("dma-basic").unwrap();
    let plan = Plan::new(&suite, profile, &claims, &Filter::new(&[]).unwrap()).to_record();
    let image = plan.left_out.iter().find(|l| l.name == "media/each-kind@image").unwrap();
    assert_eq!(image.verdict, Verdict::Fail);
    assert!(image.because.contains("requires `image`"), "{}", image.because);
}

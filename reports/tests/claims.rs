//! No report says more than its record.

mod specimen;

use countersign_reports::{Places, Standing, Style, Tone, html, json_summary, junit, terminal};
use countersign_trace::record::Summary;
use countersign_trace::{Body, Cover, Event, Input, Outcome, Verdict, Waiver, WaiverStanding, WaiverState};
use specimen::{Specimen, conforming, every_verdict, killed, unhealthy};

fn title(specimen: &Specimen) -> (Tone, String) {
    let headline = specimen.view().headline();
    (headline.tone, headline.title)
}

fn with_summary(change: impl FnMut(&mut Summary)) -> Specimen {
    let mut specimen = conforming();
    specimen.record.summary.iter_mut().for_each(change);
    specimen
}

#[test]
fn a_killed_run_is_incomplete_however_well_it_went() {
    assert_eq!(title(&killed()), (Tone::Open, "Incomplete: 1 instance judged".into()));
    let mut failed = every_verdict();
    failed.record.summary = None;
    assert_eq!(title(&failed), (Tone::Bad, "Incomplete: 11 instances judged".into()));
    assert!(failed.view().headline().sentence.contains("2 failed"));
}

#[test]
fn an_interrupted_run_says_so() {
    let specimen = with_summary(|s| (s.interrupted, s.exit_code) = (Some("SIGINT".into()), 130));
    assert_eq!(title(&specimen), (Tone::Open, "Interrupted: 1 instance judged".into()));
}

#[test]
fn a_failed_doctor_is_never_a_failure_to_conform() {
    let specimen = unhealthy();
    assert_eq!(title(&specimen), (Tone::Open, "Could not be tested".into()));
    let view = specimen.view();
    let terminal = terminal(&view, Style::default(), &Places::default());
    for report in [&html(&view), &terminal, &junit(&view)] {
        assert!(!report.to_lowercase().contains("does not conform"), "{report}");
        assert!(report.contains("answered with HTML") && report.contains("own URL"), "cause and fix: {report}");
    }
    assert!(!junit(&view).contains("<failure"));
}

#[test]
fn only_a_whole_run_without_a_failure_conforms() {
    assert_eq!(title(&conforming()), (Tone::Good, "Conforms".into()));
    assert_eq!(title(&every_verdict()), (Tone::Bad, "Does not conform".into()));
    let mut partial = conforming();
    partial.record.header.only = vec!["e2ee/*".into()];
    assert_eq!(title(&partial), (Tone::Good, "Conforms in what was run".into()));
    let mut filtered = conforming();
    filtered.record.plan.as_mut().unwrap().filtered = 3;
    assert_eq!(title(&filtered).1, "Conforms in what was run");
    // An exit code of 0 over a record that holds something worse is not believed.
    for verdict in [Verdict::Fail, Verdict::HarnessError, Verdict::EnvironmentError, Verdict::Inconclusive] {
        let mut specimen = conforming();
        specimen.record.instances[0].verdict = verdict;
        assert_ne!(title(&specimen).0, Tone::Good, "{verdict}");
    }
    let mut run_wide = conforming();
    run_wide.record.summary.as_mut().unwrap().checks[0].verdict = Verdict::Fail;
    assert_eq!(title(&run_wide).0, Tone::Bad);
    for exit_code in 1..=8 {
        assert_ne!(title(&with_summary(|s| s.exit_code = exit_code)).0, Tone::Good, "{exit_code}");
    }
}

#[test]
fn an_expected_failure_is_told_apart() {
    let mut specimen = conforming();
    specimen.record.instances[0].verdict = Verdict::Fail;
    specimen.record.header.expected_failures = vec!["e2ee/out-of-order".into()];
    assert_eq!(title(&specimen), (Tone::Caution, "Fails only as listed".into()));
    assert!(!junit(&specimen.view()).contains("<failure"));
}

#[test]
fn requirements_stand_as_the_worst_that_was_found() {
    let specimen = every_verdict();
    let view = specimen.view();
    let standings = view.standings();
    let of = |id: &str| standings.iter().find(|s| s.id == id).unwrap().standing;
    assert_eq!(of("SIG-05"), Standing::Judged(Verdict::Fail), "one scenario passed, another failed");
    assert_eq!(of("DMA-7(3)"), Standing::Judged(Verdict::EnvironmentError));
    assert_eq!(of("SIG-13"), Standing::Judged(Verdict::Pass), "by a check of the whole run");
    assert_eq!(of("SIG-14"), Standing::NotInThisRun);
    assert_eq!(of("TXT-04"), Standing::Judged(Verdict::NotApplicable), "left out by the plan");
    let coverage = view.coverage();
    assert_eq!((coverage.all, coverage.self_tests), (14, 1), "the gateway's self-test is not counted");
    assert_eq!((coverage.decided, coverage.passed, coverage.failed), (6, 2, 2));
    let cut = killed();
    let view = cut.view();
    let standing = view.standings().into_iter().find(|s| s.id == "SIG-07").unwrap();
    assert_eq!(standing.standing, Standing::Unfinished);
}

#[test]
fn limits_are_stated_in_every_report_for_people() {
    for (_, make) in specimen::ALL {
        let specimen = make();
        let view = specimen.view();
        for report in [html(&view), terminal(&view, Style::default(), &Places::default())] {
            assert!(report.contains("gatekeeper's own servers") && report.to_lowercase().contains("every threshold"), "{report}");
        }
    }
}

#[test]
fn the_top_of_the_page_says_what_to_fix_and_where() {
    let page = html(&every_verdict().view());
    let top = page.split_once("<header").and_then(|(_, rest)| rest.split_once("</header>")).unwrap().0;
    for part in ["Does not conform", "SIG-07", "e2ee/replay", "shown-twice", "bob saw m1 twice", "Check first"] {
        assert!(top.contains(part), "{part}: {top}");
    }
    let page = html(&conforming().view());
    assert!(!page.contains("Fix this first"));
}

#[test]
fn one_finding_is_one_card_that_names_all_its_sides() {
    let mut specimen = every_verdict();
    let replay = specimen.record.instances.iter().find(|i| i.scenario == "e2ee/replay").unwrap().clone();
    let mut sending = replay.clone();
    sending.scenario = "e2ee/zz-sending".into();
    let check = sending.checks.iter_mut().find(|c| c.verdict == Verdict::Fail).unwrap();
    check.requirements = vec!["SIG-05".into(), "SIG-07".into()];
    check.likely_cause = Some("the other side forgets, too".into());
    specimen.record.instances.push(sending);
    let page = html(&specimen.view());
    let cards: Vec<&str> = page.split("<article class=\"failure\">").skip(1).filter(|c| c.contains(": shown-twice")).collect();
    assert_eq!(cards.len(), 1);
    let card = cards[0].split_once("</article>").unwrap().0;
    for part in ["found in 2 of 3", "SIG-07", "SIG-05", "the other side forgets, too", "e2ee/replay", "e2ee/zz-sending"] {
        assert!(card.contains(part), "{part}: {card}");
    }
    // What the card is about, and what a side names, is not missed with it once more.
    assert!(!card.contains("Missed with it"), "{card}");
}

/// A run in which what failed is waived, and another waiver came to this.
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test ends when something is not as it has to be")]
fn waived(state: WaiverState, exit_code: u8) -> Specimen {
    let waiver = |id: &str| Waiver {
        id: id.into(),
        owner: "owner <b>".into(),
        reason: "reason & more".into(),
        link: "javascript:alert(1)".into(),
        until: "2026-12-31".parse().unwrap(),
        profile: None,
        covers: vec![Cover {
            scenario: "e2ee/*".into(),
            check: None,
            requirement: Some("SIG-05".into()),
            finding: None,
            blocked: false,
        }],
    };
    let standing =
        |waiver: &str, state, checks| WaiverStanding { waiver: waiver.into(), state, checks, because: "its cause".into() };
    let mut specimen = with_summary(|s| {
        s.exit_code = exit_code;
        s.waivers = vec![standing("W-1", WaiverState::InForce, 1), standing("W-2", state, 0)];
    });
    specimen.record.header.waivers = vec![waiver("W-1"), waiver("W-2")];
    let instance = &mut specimen.record.instances[0];
    instance.verdict = Verdict::Waived;
    let check = &mut instance.checks[0];
    (check.verdict, check.waiver, check.finding) = (Verdict::Waived, Some("W-1".into()), Some("not-shown".into()));
    specimen
}

#[test]
fn a_waiver_hides_nothing() {
    let specimen = waived(WaiverState::NotInThisRun, 0);
    assert_eq!(title(&specimen), (Tone::Caution, "Conforms but for what is waived".into()));
    let view = specimen.view();
    let terminal = terminal(&view, Style::default(), &Places::default());
    for report in [&html(&view), &terminal, &junit(&view), &json_summary(&view).to_string()] {
        for told in ["W-1", "W-2", "owner ", "reason ", "javascript:alert(1)", "2026-12-31", "not-shown"] {
            assert!(report.contains(told), "no {told:?} in {report}");
        }
    }
    let page = html(&view);
    assert!(!page.contains("<b>&lt;") && !page.contains("owner <b>") && !page.contains("href=\"javascript"), "{page}");
    assert!(!junit(&view).contains("<failure"));
    assert!(terminal.contains("waived by") || terminal.contains("waives e2ee/"), "{terminal}");
}

#[test]
fn a_waiver_out_of_date_is_named_first() {
    for state in [WaiverState::Expired, WaiverState::Stale, WaiverState::UnexpectedPass] {
        let specimen = waived(state, 5);
        let view = specimen.view();
        let headline = view.headline();
        assert_eq!(headline.tone, Tone::Caution);
        assert!(headline.sentence.contains("W-2 is ") && headline.sentence.contains("its cause"), "{}", headline.sentence);
        assert!(junit(&view).contains(&format!("<failure message=\"its cause\" type=\"{state}\"")), "{}", junit(&view));
        assert!(html(&view).contains("1 waiver out of date"));
    }
}

#[test]
fn without_its_end_a_run_does_not_say_what_waivers_came_to() {
    let mut specimen = waived(WaiverState::Expired, 0);
    specimen.record.summary = None;
    let view = specimen.view();
    assert!(terminal(&view, Style::default(), &Places::default()).contains("unknown           W-2"));
    assert!(title(&specimen).1.starts_with("Incomplete"));
}

/// A frame with a message, and the answer by which its user was shown it, as often as asked.
fn shown(messages: u64) -> Vec<countersign_trace::Entry> {
    let mut blobs = countersign_trace::Blobs::new();
    let user = "00000000-0000-4000-8000-0000000000aa";
    let mut events = Vec::new();
    let mut seen = Vec::new();
    for number in 1..=messages {
        let id = format!("00000000-0000-4000-8000-{number:012}");
        let text = serde_json::json!({"kind": "message", "id": id, "from": user, "type": "normal", "body": "AAAA"}).to_string();
        events.push(Event::Frame { channel: 1, text: Body::new(text.as_bytes(), &mut blobs) });
        let content = serde_json::json!({"kind": "text", "text": "x"});
        seen.push(
            serde_json::json!({"seq": number, "what": {"kind": "message", "message": id, "from": user, "content": content}}),
        );
    }
    events.push(Event::Call { call: 1, op: "events".into(), args: serde_json::json!({}), step: None });
    events.push(Event::Input(Input::Returned { call: 1, outcome: Outcome::Ok(serde_json::json!({"events": seen})) }));
    (0..).zip(events).map(|(n, event)| countersign_trace::Entry { n, at_us: 0, event }).collect()
}

#[test]
fn the_odds_of_rare_defects_are_counted_and_explained() {
    let mut specimen = conforming();
    let page = html(&specimen.view());
    assert!(!page.contains("Defects that show now and then"), "nothing was counted");
    specimen.record.instances[0].trace = shown(22);
    let page = html(&specimen.view());
    let row = "<th scope=\"row\">messages received</th><td>22</td><td>90.1 %</td><td>1 of 7</td>";
    assert!(page.contains(row) && page.contains("href=\"#odds\""), "{page}");
    assert!(page.contains("<th scope=\"row\">files received</th><td>0</td><td>0.0 %</td><td>—</td>"), "{page}");
    assert!(page.contains("independently of the others"), "the assumptions stand beside it");
    let text = terminal(&specimen.view(), Style::default(), &Places::default());
    assert!(text.contains("Rare defects  shown by 1 of 10, found with: messages 90.1 % (22)\n"), "{text}");
    let json = json_summary(&specimen.view());
    let first = &json["odds"][0];
    assert_eq!((&first["of"], &first["chances"]), (&"messages".into(), &22.into()));
    assert_eq!((&first["one_in_ten_found_with"], &first["found_with_95_percent_up_to_one_in"]), (&0.9015.into(), &7.into()));
}

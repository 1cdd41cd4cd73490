//! Requirements and scenarios of the specimen.

use countersign_reports::{ProfileText, RequirementText, ScenarioText};

fn requirement(id: &str, sentence: &str, source: &str, level: &str, decided_by: &str) -> RequirementText {
    RequirementText {
        id: id.into(),
        sentence: sentence.into(),
        source: source.into(),
        date: "2026-03-01".into(),
        grade: "A".into(),
        level: level.into(),
        decided_by: decided_by.into(),
        attack: "Somebody on the way makes people see what was never said.".into(),
        usual_cause: format!("{id}: the check is made too late, or not at all."),
        fix: "Check first, and use nothing of the message before.".into(),
    }
}

fn scenario(id: &str, title: &str, why: &str, verifies: &[&str], steps: &[&str]) -> ScenarioText {
    ScenarioText {
        id: id.into(),
        title: title.into(),
        why: why.into(),
        verifies: verifies.iter().map(|v| (*v).to_owned()).collect(),
        steps: steps.iter().map(|s| (*s).to_owned()).collect(),
        source_yaml: format!("id: {id}\ntitle: {title}\n"),
        measures: vec![],
        state: vec![],
    }
}

pub(crate) fn requirements() -> Vec<RequirementText> {
    let (dma, signal) = ("Regulation (EU) 2022/1925, Article 7(3)", "Signal, The Double Ratchet Algorithm, section 2.6");
    vec![
        requirement(
            "DMA-7(3)",
            "The level of security, end-to-end encryption included, is preserved across the interoperable services.",
            dma,
            "MUST",
            "candidate-verifies",
        ),
        requirement("SIG-01", "No server sees any byte of plaintext.", signal, "MUST", "candidate-produces"),
        requirement(
            "SIG-05",
            "Every field of a message is covered by its authentication code, and a message whose code does not match is refused.",
            signal,
            "MUST",
            "candidate-verifies",
        ),
        requirement(
            "SIG-07",
            "A message that was received before is refused and not shown again.",
            signal,
            "MUST",
            "candidate-verifies",
        ),
        requirement(
            "SIG-09",
            "The user is told of a changed identity key before anything is sent to it.",
            signal,
            "MUST",
            "candidate-produces",
        ),
        requirement("SIG-10", "Both sides show the same safety number.", signal, "SHOULD", "candidate-produces"),
        requirement("SIG-11", "One-time prekeys are refilled when they run out.", signal, "SHOULD", "candidate-produces"),
        requirement("SIG-12", "The signed prekey is replaced from time to time.", signal, "SHOULD", "candidate-produces"),
        requirement("SIG-13", "A one-time prekey is used once.", signal, "MUST", "candidate-produces"),
        requirement("SIG-14", "State that was stolen does not open later messages.", signal, "MUST", "candidate-produces"),
        requirement("MED-02", "Voice messages arrive as they were recorded.", dma, "MUST", "candidate-verifies"),
        requirement(
            "TIME-01",
            "Messages are delivered within the profile's limit.",
            "Profile dma-basic",
            "SHOULD",
            "candidate-produces",
        ),
        requirement("TIME-02", "Pauses between attempts grow.", "Contract, module portable", "MUST", "candidate-produces"),
        requirement("TXT-04", "Typing is shown.", dma, "SHOULD", "candidate-produces"),
        requirement("GW-01", "Each one-time prekey is handed out once.", signal, "MUST", "gateway-self-test"),
    ]
}

pub(crate) fn scenarios() -> Vec<ScenarioText> {
    let steps = ["send: { from: alice, to: bob, text: one, as: m1 }", "repeat: m1", "expect: { user: bob, shows: m1, times: 1 }"];
    vec![
        scenario(
            "e2ee/out-of-order",
            "Messages that overtake each other are all shown, once each",
            "A ratchet that cannot skip keys loses messages on any mobile network.",
            &["SIG-05", "DMA-7(3)"],
            &steps,
        ),
        scenario(
            "e2ee/replay",
            "A message that arrives twice is shown once",
            "Whoever controls the network can record a message and deliver it again. If it is shown again, a payment order or a yes can be repeated by a stranger.",
            &["SIG-07"],
            &steps,
        ),
        scenario(
            "e2ee/mac-inner-field",
            "A message that was changed on the way is refused",
            "Without this check a server can change what people say to each other.",
            &["SIG-05"],
            &steps,
        ),
        scenario("timing/delivery", "Messages arrive in time", "A slow service is no replacement.", &["TIME-01"], &steps),
        scenario("media/voice", "A voice message arrives", "People speak.", &["MED-02"], &steps),
        scenario(
            "keys/identity-change",
            "The user is told of a new identity key",
            "A silent change lets a stranger step in.",
            &["SIG-09"],
            &steps,
        ),
        scenario("media/image", "An image arrives", "People send pictures.", &["DMA-7(3)"], &steps),
        scenario(
            "keys/safety-number",
            "Both sides see the same safety number",
            "It is how people notice a stranger in the middle.",
            &["SIG-10"],
            &steps,
        ),
        scenario("text/typing", "Typing is shown", "Optional.", &["TXT-04"], &steps),
    ]
}

pub(crate) fn profile() -> ProfileText {
    ProfileText {
        title: "One-to-one messages and files".into(),
        limits: vec![("95th percentile until a message is shown".into(), "500 ms".into())],
        assumptions: vec!["Each user has one device.".into()],
        does_not_show: vec!["Groups, calls, several devices.".into()],
    }
}

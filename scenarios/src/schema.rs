//! JSON Schemas of the data files, for editors.

use crate::language::Scenario;
use crate::profile::Profile;
use crate::requirement::RequirementFile;
use countersign_trace::Waiver;
use schemars::schema_for;
use serde_json::{Value, json};

/// The schemas by name: `scenario`, `requirement`, `profile`, `waivers`.
#[must_use]
pub fn schemas() -> Vec<(&'static str, Value)> {
    let mut scenario = schema_for!(Scenario).to_value();
    with_parameters(&mut scenario);
    vec![
        ("scenario", scenario),
        ("requirement", schema_for!(RequirementFile).to_value()),
        ("profile", schema_for!(Profile).to_value()),
        ("waivers", schema_for!(Vec<Waiver>).to_value()),
    ]
}

/// Wherever a scenario may hold a number or one word of several, it may hold `${…}` instead.
fn with_parameters(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(with_parameters),
        Value::Object(members) => {
            members.values_mut().for_each(with_parameters);
            let number = members.get("type").is_some_and(|t| t == "integer" || t == "number");
            let word = members.get("type").is_some_and(|t| t == "string") && members.contains_key("enum");
            if number || word {
                let plain = Value::Object(std::mem::take(members));
                *schema = json!({ "anyOf": [plain, { "type": "string", "pattern": "\\$\\{[a-z0-9-]+\\}" }] });
            }
        }
        _ => {}
    }
}

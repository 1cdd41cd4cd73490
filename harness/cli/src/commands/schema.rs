//! `countersign schema`.

use crate::args::{Format, Schema};
use crate::commands::report::pretty;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::output;
use countersign_contract::openapi;
use countersign_scenarios::nearest::nearest;
use serde_json::Value;

pub(crate) fn schema(args: &Schema) -> Result<Exit, Fault> {
    if args.html {
        output::data(&countersign_reports::contract_page())?;
        return Ok(Exit::Conforms);
    }
    let all = all();
    let names = || all.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>();
    match &args.name {
        None if args.format == Format::Json => output::data(&pretty(&names()))?,
        None => output::data(&names().join("\n"))?,
        Some(name) => match all.iter().find(|(n, _)| n == name) {
            Some((_, schema)) => output::data(&pretty(schema))?,
            None => {
                let near = nearest(name, all.iter().map(|(name, _)| name.clone()));
                let hint = match near.first() {
                    Some(near) => format!("perhaps `{near}`; there are {}", names().join(", ")),
                    None => format!("there are {}", names().join(", ")),
                };
                return Err(Fault::Unknown { name: name.clone(), hint });
            }
        },
    }
    Ok(Exit::Conforms)
}

fn all() -> Vec<(String, Value)> {
    let mut all: Vec<(String, Value)> =
        countersign_scenarios::schemas().into_iter().map(|(name, schema)| (name.to_string(), schema)).collect();
    all.extend(countersign_vectors::schemas().into_iter().map(|(name, schema)| (format!("vectors/{name}"), schema)));
    all.push(("record".to_owned(), countersign_trace::record::schema()));
    all.push(("upper-tester".to_owned(), openapi::upper_tester()));
    all.push(("gateway".to_owned(), openapi::gateway()));
    all
}

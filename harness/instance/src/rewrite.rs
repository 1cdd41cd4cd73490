//! JSON that a server writes wrongly.

use countersign_scenarios::language::{Rewrite, Rewritten};
use serde_json::{Map, Value};

/// Most bytes that one rewriting makes.
const MOST_MADE: usize = 512 * 1024;

/// A JSON object with these things wrong, one after another as long as what is left is an object that can be read; `None` if one of them
/// cannot be done.
pub(crate) fn rewritten(text: &str, rewrites: &[Rewrite]) -> Option<String> {
    rewrites.iter().try_fold(text.to_owned(), |text, rewrite| {
        let Value::Object(object) = serde_json::from_str(&text).ok()? else { return None };
        within(&object, &rewrite.member, &rewrite.how)
    })
}

fn within(object: &Map<String, Value>, path: &[String], how: &Rewritten) -> Option<String> {
    let (name, deeper) = path.split_first()?;
    let mut members: Vec<String> = Vec::new();
    let written = |name: &str, value: &str| format!("{}:{value}", Value::from(name));
    for (other, value) in object.iter().filter(|(other, _)| *other != name) {
        members.push(written(other, &value.to_string()));
    }
    let value = object.get(name);
    if !deeper.is_empty() {
        let Some(Value::Object(inside)) = value else { return None };
        members.push(written(name, &within(inside, deeper, how)?));
        return Some(format!("{{{}}}", members.join(",")));
    }
    match how {
        Rewritten::Remove => {
            value?;
        }
        Rewritten::Set(text) => {
            serde_json::from_str::<Value>(text).ok()?;
            members.push(written(name, text));
        }
        Rewritten::Fill(fill) => {
            let times =
                usize::try_from(fill.times).ok().filter(|times| *times <= MOST_MADE && fill.byte.is_ascii_alphanumeric())?;
            members.push(written(name, &format!("\"{}\"", char::from(fill.byte).to_string().repeat(times))));
        }
        Rewritten::Repeat(times) => {
            let member = written(name, &value?.to_string());
            let times = usize::try_from(*times).ok()?.checked_add(1)?;
            if member.len().checked_mul(times)? > MOST_MADE {
                return None;
            }
            members.extend(std::iter::repeat_n(member, times));
        }
    }
    Some(format!("{{{}}}", members.join(",")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_reference::alter::Fill;

    fn made(member: &[&str], how: Rewritten) -> Option<String> {
        let rewrite = Rewrite { member: member.iter().map(ToString::to_string).collect(), how };
        rewritten(r#"{"a":1,"b":{"c":"d"}}"#, &[rewrite])
    }

    #[test]
    fn each_rewriting_changes_one_member() {
        let set = |text: &str| Rewritten::Set(text.to_owned());
        assert_eq!(made(&["a"], Rewritten::Remove).as_deref(), Some(r#"{"b":{"c":"d"}}"#));
        assert_eq!(made(&["a"], set("[null]")).as_deref(), Some(r#"{"b":{"c":"d"},"a":[null]}"#));
        assert_eq!(made(&["new"], set("{}")).as_deref(), Some(r#"{"a":1,"b":{"c":"d"},"new":{}}"#));
        assert_eq!(made(&["b", "c"], Rewritten::Repeat(1)).as_deref(), Some(r#"{"a":1,"b":{"c":"d","c":"d"}}"#));
        assert_eq!(
            made(&["b", "c"], Rewritten::Fill(Fill { byte: b'x', times: 2 })).as_deref(),
            Some(r#"{"a":1,"b":{"c":"xx"}}"#)
        );
    }

    #[test]
    fn what_cannot_be_done_is_not() {
        let fill = |byte, times| Rewritten::Fill(Fill { byte, times });
        for (member, how) in [
            (&["x"][..], Rewritten::Remove),
            (&["x"][..], Rewritten::Repeat(1)),
            (&["a", "c"][..], Rewritten::Remove),
            (&[][..], Rewritten::Remove),
            (&["a"][..], Rewritten::Set("{".to_owned())),
            (&["a"][..], fill(b'"', 1)),
            (&["a"][..], fill(b'x', u32::MAX)),
            (&["a"][..], Rewritten::Repeat(u32::MAX)),
        ] {
            assert_eq!(made(member, how.clone()), None, "{member:?} {how:?}");
        }
    }
}

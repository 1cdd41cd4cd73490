//! Names that stand twice in one object: one reader takes the first, another the last, so that nothing is said.

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::collections::BTreeSet;
use std::fmt;

/// What is wrong with a document in which an object has two members of one name; `None` if there is none, and of what is no JSON at
/// all, which its reader tells.
pub(crate) fn name_twice(document: &[u8]) -> Option<String> {
    let error = serde_json::from_slice::<Once>(document).err()?;
    error.is_data().then(|| error.to_string())
}

/// A value of any kind, of which nothing is kept.
struct Once;

impl<'de> Deserialize<'de> for Once {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Names)
    }
}

struct Names;

impl<'de> Visitor<'de> for Names {
    type Value = Once;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Once, E> {
        Ok(Once)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Once, E> {
        Ok(Once)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Once, E> {
        Ok(Once)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Once, E> {
        Ok(Once)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Once, E> {
        Ok(Once)
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Once, E> {
        Ok(Once)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Once, A::Error> {
        while items.next_element::<Once>()?.is_some() {}
        Ok(Once)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Once, A::Error> {
        let mut names = BTreeSet::new();
        while let Some(name) = members.next_key::<String>()? {
            members.next_value::<Once>()?;
            if let Some(name) = names.replace(name) {
                let name: String = name.chars().take(40).collect();
                return Err(A::Error::custom(format!("the name {name:?} stands twice in one object")));
            }
        }
        Ok(Once)
    }
}

#[cfg(test)]
mod tests {
    use super::name_twice;

    #[test]
    fn a_name_may_stand_once_in_each_object() {
        for fine in [r#"{"a":{"a":[{"a":1.5e400},{"a":-7}]},"b":18446744073709551616}"#, "[null,true,\"a\"]", "{", "", "{\"a\":}"]
        {
            assert_eq!(name_twice(fine.as_bytes()), None, "{fine}");
        }
        for twice in [r#"{"a":1,"a":1}"#, r#"[{"b":{"a":1,"c":2,"\u0061":3}}]"#] {
            let told = name_twice(twice.as_bytes()).unwrap();
            assert!(told.contains("the name \"a\" stands twice in one object at line 1"), "{told}");
        }
    }
}

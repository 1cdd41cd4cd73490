//! The head that every page of ours has: no script may run on it, and no style but its own.

use countersign_contract::Bytes;
use countersign_trace::Digest;
use maud::{Markup, PreEscaped, html};

/// The head of a page with this style sheet.
pub(crate) fn head(style: &str, title: Markup) -> Markup {
    let policy = format!("default-src 'none'; style-src '{}'; base-uri 'none'; form-action 'none'", digest(style));
    html! {
        head {
            meta charset="utf-8";
            meta http-equiv="Content-Security-Policy" content=(policy);
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="referrer" content="no-referrer";
            meta name="color-scheme" content="light dark";
            title { (title) }
            style { (PreEscaped(style)) }
        }
    }
}

/// The policy's word for a style sheet: its SHA-256 in base64.
fn digest(style: &str) -> String {
    let url = Bytes(Digest::of(style.as_bytes()).0.to_vec()).to_base64url();
    // A policy takes the other alphabet, and 32 bytes leave one character to be padded.
    format!("sha256-{}=", url.replace('-', "+").replace('_', "/"))
}

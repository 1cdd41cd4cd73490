//! What somebody answers for, on the first page: a reader must not have to look for it.

use super::Page;
use super::text::Shown;
use crate::measure::counted;
use crate::waivers::Waived;
use maud::{Markup, html};

/// Checks of one waiver that are listed; of more, the rest is counted. Each stands with its scenario as well.
const MOST_LISTED: usize = 50;

impl Page<'_, '_> {
    pub(super) fn waivers(&self) -> Markup {
        let waivers = self.view.waivers();
        if waivers.is_empty() {
            return html! {};
        }
        let outdated = waivers.iter().filter(|w| w.is_outdated()).count() as u64;
        html! {
            section.waivers aria-labelledby="waivers" {
                h2 #waivers { "Waivers" }
                p {
                    (counted(waivers.len() as u64, "waiver")) " given to this run, " (counted(self.view.waived_checks(), "check")) " waived. "
                    "What is waived did not pass: somebody answers for it, until a day. "
                    @if outdated > 0 { strong { (counted(outdated, "waiver")) " out of date." } }
                }
                @for waived in &waivers { (self.waiver(waived)) }
            }
        }
    }

    fn waiver(&self, waived: &Waived<'_>) -> Markup {
        let waiver = waived.waiver;
        html! {
            h3 {
                (Shown::line(&waiver.id)) " "
                @if waived.is_outdated() { span.badge.v-fail { span aria-hidden="true" { "✗" } " " (waived.state()) } }
                @else { span.badge.v-waived { span aria-hidden="true" { "≈" } " " (waived.state()) } }
            }
            dl.facts {
                dt { "Owner" } dd { (Shown::line(&waiver.owner)) }
                dt { "Reason" } dd { (Shown::line(&waiver.reason)) }
                // An address in a record may be anything: it is shown, and does not open.
                dt { "Link" } dd { code { (Shown::line(&waiver.link)) } }
                dt { "Expires" } dd { "after " (waiver.until) @if let Some(profile) = &waiver.profile { ", for profile " (Shown::line(profile)) " alone" } }
                @if !waived.because().is_empty() { dt { "State" } dd { (Shown::line(waived.because())) } }
            }
            @if !waived.covered.is_empty() {
                ul.open {
                    @for (at, check) in waived.covered.iter().take(MOST_LISTED) {
                        li {
                            @match at { Some(at) => (self.link(*at)), None => "the run as a whole" }
                            " " code { (Shown::line(&check.id)) }
                            @if let Some(finding) = &check.finding { " " code { (Shown::line(finding)) } }
                            ": " (Shown::line(&check.observed))
                        }
                    }
                    @if waived.covered.len() > MOST_LISTED { li { "and " (waived.covered.len() - MOST_LISTED) " more" } }
                }
            }
        }
    }
}

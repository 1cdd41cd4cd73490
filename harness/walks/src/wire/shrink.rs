//! From a conversation that failed to the shortest that fails for the same cause: one input as a rule, and that as plain as it can be.

use super::{After, Carries, Input, Talk};
use crate::cause::Cause;
use crate::shrink::{Ends, Kept};
use countersign_adversary::Alteration;
use countersign_adversary::alter::{Edit, Fill, How};
use countersign_contract::Bytes;

/// Executes conversations. What it is told to execute is executed as it stands, under a name from which its randomness comes.
pub trait Execute: Ends {
    /// Why a conversation fails, each cause with the step that fails and the judge's words for it; nothing if it does not.
    fn causes(&self, talk: &Talk, name: &str) -> impl Future<Output = Vec<(Cause, Option<usize>, String)>>;
}

/// What is left of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shrunk {
    /// The shortest that was found, or the conversation as it was drawn.
    pub talk: Talk,
    /// How many conversations were executed for that.
    pub executions: u32,
    /// Why it is not the shortest, if it is not.
    pub kept: Option<Kept>,
    /// The judge's words for how this very conversation failed, if it did when it was last executed.
    pub observed: Option<String>,
}

/// Counts executions and says when there were enough.
struct Tries<'e, E> {
    execute: &'e E,
    cause: &'e Cause,
    executions: u32,
    most: u32,
    patient: bool,
}

impl<E: Execute> Tries<'_, E> {
    /// Whether it fails: the step, and how.
    async fn fails(&mut self, talk: &Talk, name: &str) -> Option<(Option<usize>, String)> {
        self.executions += 1;
        let causes = self.execute.causes(talk, name).await;
        causes.into_iter().find(|(cause, ..)| cause == self.cause).map(|(_, step, observed)| (step, observed))
    }

    /// Twice, so that what only fails now and then is not taken for enough; once where each failure takes a whole deadline.
    async fn fails_surely(&mut self, talk: &Talk, name: &str) -> bool {
        self.fails(talk, name).await.is_some() && (self.patient || self.fails(talk, name).await.is_some())
    }

    fn over(&self) -> Option<Kept> {
        self.execute.over().or((self.executions > self.most || self.execute.is_late()).then_some(Kept::Long))
    }
}

/// Shrinks a conversation that failed for a cause when it was executed as `name`. The result is executed once more as `final_name`, under
/// which it will be handed over.
pub async fn shrink(execute: &impl Execute, talk: &Talk, cause: &Cause, name: &str, final_name: &str, most: u32) -> Shrunk {
    let patient = cause.finding == super::search::HUNG;
    let mut tries = Tries { execute, cause, executions: 0, most, patient };
    let mut failed = tries.fails(talk, name).await;
    let mut open = execute.is_open();
    if failed.is_none() {
        failed = tries.fails(talk, name).await;
        open |= execute.is_open();
    }
    let Some((step, _)) = failed else {
        let kept = Some(if open || execute.over().is_some() { Kept::Unrepeated } else { Kept::Unstable });
        return Shrunk { talk: talk.clone(), executions: tries.executions, kept, observed: None };
    };
    let mut kept = None;
    let mut shortest = talk.clone();
    for suspect in talk.suspects(step) {
        kept = tries.over();
        if kept.is_some() {
            break;
        }
        let alone = talk.with_only(&[suspect]);
        if tries.fails_surely(&alone, name).await {
            shortest = alone;
            break;
        }
    }
    if shortest.inputs() != 1 && kept.is_none() {
        (shortest, kept) = without_any(&mut tries, shortest, name).await;
    }
    if kept.is_none() {
        (shortest, kept) = briefer(&mut tries, shortest, name).await;
    }
    // Each try of a hang takes a whole deadline, and a plainer form of the input saves nobody a step.
    if kept.is_none() && !patient {
        (shortest, kept) = plainer(&mut tries, shortest, name).await;
    }
    let over = execute.over().is_some();
    let observed = if over { None } else { tries.fails(&shortest, final_name).await.map(|(_, observed)| observed) };
    let kept = if observed.is_some() { kept } else { execute.over().or(kept) };
    if execute.over().is_some() || observed.is_some() {
        return Shrunk { talk: shortest, executions: tries.executions, kept, observed };
    }
    // What is handed over has to fail as it is handed over.
    let observed = tries.fails(talk, final_name).await.map(|(_, observed)| observed);
    let kept = match (&observed, execute.over()) {
        (Some(_), _) => Kept::Lost,
        (None, Some(_)) => Kept::Unrepeated,
        (None, None) => Kept::Unstable,
    };
    Shrunk { talk: talk.clone(), executions: tries.executions, kept: Some(kept), observed }
}

/// Several inputs are needed, or none: one after another is taken out, as long as it fails without.
async fn without_any<E: Execute>(tries: &mut Tries<'_, E>, talk: Talk, name: &str) -> (Talk, Option<Kept>) {
    let mut needed: Vec<usize> = (0..talk.inputs()).collect();
    for index in (0..talk.inputs()).rev() {
        if let Some(kept) = tries.over() {
            return (talk.with_only(&needed), Some(kept));
        }
        let fewer: Vec<usize> = needed.iter().copied().filter(|other| *other != index).collect();
        if tries.fails_surely(&talk.with_only(&fewer), name).await {
            needed = fewer;
        }
    }
    (talk.with_only(&needed), None)
}

/// Without honest messages that are not needed, and with the inputs in first messages if they do it there.
async fn briefer<E: Execute>(tries: &mut Tries<'_, E>, mut talk: Talk, name: &str) -> (Talk, Option<Kept>) {
    for after in [After::Nothing, After::Ours, After::Third] {
        if let Some(kept) = tries.over() {
            return (talk, Some(kept));
        }
        let shorter = Talk { after, ..talk.clone() };
        if tries.fails_surely(&shorter, name).await {
            talk = shorter;
            break;
        }
    }
    if talk.parts.len() > 1 && tries.over().is_none() {
        let at_once = Talk { parts: vec![talk.parts.concat()], ..talk.clone() };
        if tries.fails_surely(&at_once, name).await {
            talk = at_once;
        }
    }
    (talk, None)
}

/// Each input in its plainest form that still does it.
async fn plainer<E: Execute>(tries: &mut Tries<'_, E>, mut talk: Talk, name: &str) -> (Talk, Option<Kept>) {
    for index in 0..talk.inputs() {
        let mut form = 0;
        while let Some(simpler) = talk.input(index).and_then(|input| simpler(input).into_iter().nth(form)) {
            if let Some(kept) = tries.over() {
                return (talk, Some(kept));
            }
            let mut tried = talk.clone();
            tried.input_mut(index).into_iter().for_each(|input| *input = simpler.clone());
            if tries.fails_surely(&tried, name).await {
                talk = tried;
                form = 0;
            } else {
                form += 1;
            }
        }
    }
    (talk, None)
}

/// Forms of an input that are a little plainer, the plainest first.
fn simpler(input: &Input) -> Vec<Input> {
    let mut forms = Vec::new();
    if input.alter.len() > 1 {
        for index in 0..input.alter.len() {
            let mut alter = input.alter.clone();
            alter.remove(index);
            forms.push(Input { alter, ..input.clone() });
        }
    }
    if let Carries::File(bytes @ 17..) = input.carries {
        forms.push(Input { carries: Carries::File(bytes / 2), ..input.clone() });
    }
    for (index, alteration) in input.alter.iter().enumerate() {
        let Alteration::Edit(edit) = alteration else { continue };
        for how in plainer_ways(&edit.how) {
            let mut alter = input.alter.clone();
            if let Some(altered) = alter.get_mut(index) {
                *altered = Alteration::Edit(Edit { how, ..edit.clone() });
            }
            forms.push(Input { alter, ..input.clone() });
        }
    }
    forms
}

fn plainer_ways(how: &How) -> Vec<How> {
    let halves = |number: u32, least: u32| [least, number / 2].into_iter().filter(move |half| *half >= least && *half < number);
    let shorter = |bytes: &Bytes| (bytes.0.len() > 1).then(|| Bytes(bytes.0.iter().take(bytes.0.len() / 2).copied().collect()));
    match how {
        How::Repeat(times) => halves(*times, 1).map(How::Repeat).collect(),
        How::Redundant(more) => {
            halves((*more).into(), 1).filter_map(|half| u8::try_from(half).ok()).map(How::Redundant).collect()
        }
        How::RedundantKey(more) if *more > 1 => vec![How::RedundantKey(1)],
        How::Fill(fill) => halves(fill.times, 1).map(|times| How::Fill(Fill { times, ..fill.clone() })).collect(),
        How::AppendFill(fill) => halves(fill.times, 1).map(|times| How::AppendFill(Fill { times, ..fill.clone() })).collect(),
        How::Append(bytes) => shorter(bytes).map(How::Append).into_iter().collect(),
        How::Before(bytes) => shorter(bytes).map(How::Before).into_iter().collect(),
        How::Bytes(bytes) => shorter(bytes).map(How::Bytes).into_iter().collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abilities::Abilities;
    use crate::strategy::runner;
    use crate::wire::draw;
    use countersign_contract::claims::Suite;

    /// A candidate that fails on whatever fits, so many times, and is then perhaps no more.
    struct Fake<F> {
        fails: F,
        left: std::cell::Cell<u32>,
        over: Option<Kept>,
    }

    impl<F: Fn(&Talk, &str) -> bool> Execute for Fake<F> {
        async fn causes(&self, talk: &Talk, name: &str) -> Vec<(Cause, Option<usize>, String)> {
            let left = self.left.get();
            self.left.set(left.saturating_sub(1));
            if left > 0 && (self.fails)(talk, name) { vec![(cause(), None, String::new())] } else { Vec::new() }
        }
    }

    impl<F> Ends for Fake<F> {
        fn over(&self) -> Option<Kept> {
            self.over.filter(|_| self.left.get() == 0)
        }
    }

    fn cause() -> Cause {
        Cause { requirement: "ROB-01".to_owned(), finding: "died".to_owned() }
    }

    fn drawn(number: u64) -> Talk {
        draw::talk(runner(&[3; 32], number).rng(), Abilities::all(Suite::SignalPq), draw::INPUTS)
    }

    fn shrunk(talk: &Talk, fails: impl Fn(&Talk) -> bool, left: u32) -> Shrunk {
        shrunk_until(talk, |talk, _| fails(talk), left, None)
    }

    fn shrunk_until(talk: &Talk, fails: impl Fn(&Talk, &str) -> bool, left: u32, over: Option<Kept>) -> Shrunk {
        let fake = Fake { fails, left: std::cell::Cell::new(left), over };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(shrink(&fake, talk, &cause(), "walks/n0", "walks/found", 1000))
    }

    fn repeats(talk: &Talk) -> usize {
        let repeat = |alteration: &Alteration| matches!(alteration, Alteration::Edit(Edit { how: How::Repeat(2..), .. }));
        talk.parts.iter().flatten().filter(|input| input.alter.iter().any(repeat)).count()
    }

    #[test]
    fn one_input_is_left_in_its_plainest_form() {
        let talk = (0..100).map(drawn).find(|talk| repeats(talk) > 0).unwrap();
        let shrunk = shrunk(&talk, |talk| repeats(talk) > 0, u32::MAX);
        assert_eq!((shrunk.kept, shrunk.talk.inputs()), (None, 1));
        let edit = shrunk.talk.input(0).map(|input| input.alter.clone());
        assert!(matches!(edit.as_deref(), Some([Alteration::Edit(Edit { how: How::Repeat(2 | 3), .. })])), "{edit:?}");
        assert!(shrunk.executions < 100, "{}", shrunk.executions);
    }

    #[test]
    fn two_inputs_are_left_where_both_are_needed() {
        let talk = (0..1000).map(drawn).find(|talk| repeats(talk) == 2).unwrap();
        let shrunk = shrunk(&talk, |talk| repeats(talk) == 2, u32::MAX);
        assert_eq!((shrunk.kept, shrunk.talk.inputs()), (None, 2));
    }

    #[test]
    fn a_failure_that_is_lost_or_does_not_come_again_keeps_the_conversation() {
        let talk = drawn(1);
        let fails = |tried: &Talk, name: &str| tried.inputs() > 0 && (name != "walks/found" || tried.inputs() > 1);
        let lost = shrunk_until(&talk, fails, u32::MAX, None);
        assert_eq!((lost.kept, &lost.talk), (Some(Kept::Lost), &talk));
        let never_again = shrunk(&talk, |talk| talk.inputs() > 0, 3);
        assert_eq!((never_again.kept, &never_again.talk), (Some(Kept::Unstable), &talk));
        for over in [Kept::Stopped, Kept::Gone] {
            let unrepeated = shrunk_until(&talk, fails, 0, Some(over));
            assert_eq!((unrepeated.kept, &unrepeated.talk), (Some(Kept::Unrepeated), &talk));
            assert_eq!(shrunk_until(&talk, fails, 3, Some(over)).kept, Some(over));
        }
        let unstable = shrunk(&talk, |_| true, 0);
        assert_eq!((unstable.kept, unstable.executions), (Some(Kept::Unstable), 2));
    }
}

//! The requests of the binding.

use super::directory::Keys;
use super::disturbance::Endpoint;
use super::effect::{Effect, HttpReply, HttpRequest, RequestId, bounded};
use super::gateway::{Gateway, NOT_ENLISTED, StoredStanza, User};
use super::limits::{MOST_ENLISTMENTS, MOST_USERS};
use super::mailbox::Mailbox;
use super::media;
use bytes::Bytes;
use countersign_contract::portable::{
    BlockList, Deleted, Enlist, Enlisted, GroupList, LARGEST_BODY, MOST_BLOCKED, PublishKeys, Stanza, Uploaded,
};
use countersign_contract::{GroupId, Problem, Reason, UserId, media::LARGEST_BLOB};
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use std::str::FromStr as _;
use std::sync::Arc;

/// What a request comes to.
struct Answer {
    reply: HttpReply,
    disturbed: bool,
    /// What happens before the answer.
    before: Vec<Effect>,
    /// What follows from the request and happens after the answer.
    after: Vec<Effect>,
}

impl Answer {
    const fn with(reply: HttpReply) -> Self {
        Self { reply, disturbed: false, before: Vec::new(), after: Vec::new() }
    }

    fn bend(&mut self, how: String) {
        self.disturbed = true;
        self.before.push(Effect::Disturbed { stanza: None, how });
    }
}

/// Why a request fails, and whether the sender broke the binding by making it.
struct Failure {
    problem: Problem,
    invalid: bool,
}

impl From<Problem> for Failure {
    /// A problem that input checks found: the sender's fault.
    fn from(problem: Problem) -> Self {
        Self { problem, invalid: true }
    }
}

fn invalid(reason: Reason, detail: impl AsRef<str>) -> Failure {
    Failure { problem: Problem::new(reason, bounded(detail.as_ref())), invalid: true }
}

fn plain(reason: Reason, detail: &str) -> Failure {
    Failure { problem: Problem::new(reason, detail), invalid: false }
}

/// Who makes a request.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Caller {
    Candidate,
    Reference(UserId),
}

impl Gateway {
    /// A request of the candidate. Exactly one [`Effect::Reply`] is among the effects.
    pub fn http(&mut self, request: RequestId, http: HttpRequest) -> Vec<Effect> {
        let Answer { reply, disturbed, before, after } = self.answer(Caller::Candidate, http);
        let mut out = before;
        out.push(Effect::Reply { request, reply, disturbed });
        out.extend(after);
        out
    }

    /// A request of a reference user, through the same codecs and checks. `token` may be absent: then the user's own is meant.
    pub fn reference_request(&mut self, user: UserId, http: HttpRequest) -> (HttpReply, Vec<Effect>) {
        let Answer { reply, before, after, .. } = self.answer(Caller::Reference(user), http);
        let mut effects = before;
        effects.extend(after);
        (reply, effects)
    }

    fn answer(&mut self, caller: Caller, http: HttpRequest) -> Answer {
        let what = bounded(&format!("{} {}", http.method, http.path));
        self.serve(caller, http).unwrap_or_else(|Failure { problem, invalid }| {
            let mut answer = Answer::with(HttpReply::problem(&problem));
            if invalid {
                answer.before.push(Effect::Invalid { what, detail: problem.detail });
            }
            answer
        })
    }

    fn serve(&mut self, caller: Caller, http: HttpRequest) -> Result<Answer, Failure> {
        let HttpRequest { method, path, token, body } = http;
        let segments: Vec<&str> = path.strip_prefix('/').unwrap_or("?").split('/').collect();
        let endpoint = match (method.as_str(), segments.as_slice()) {
            ("POST", ["enlist"]) => Some(Endpoint::Enlist),
            ("GET", ["keys", _]) => Some(Endpoint::GetKeys),
            ("PUT", ["keys"]) => Some(Endpoint::PutKeys),
            ("PUT", ["media"]) => Some(Endpoint::PutMedia),
            ("GET", ["media", _]) => Some(Endpoint::GetMedia),
            _ => None,
        };
        if caller == Caller::Candidate
            && let Some(fault) = endpoint.and_then(|on| self.armed.fault(on))
        {
            let reply = HttpReply::problem(&Problem::new(fault.reason(), "try again"));
            let mut answer = Answer::with(HttpReply { retry_after_s: fault.retry_after_s, ..reply });
            answer.bend(format!("{method} /{} answered with {}", segments.first().unwrap_or(&""), fault.reason()));
            return Ok(answer);
        }
        let limit = if endpoint == Some(Endpoint::PutMedia) { LARGEST_BLOB } else { LARGEST_BODY };
        if body.len() > limit {
            return Err(invalid(Reason::TooLarge, format!("a body of {} bytes; {limit} at most", body.len())));
        }
        if endpoint == Some(Endpoint::Enlist) {
            return self.enlist(caller, &body);
        }
        let user = self.authorise(caller, token.as_deref())?;
        match (method.as_str(), segments.as_slice()) {
            ("GET", ["keys", of]) => self.get_keys(user, of),
            ("PUT", ["keys"]) => self.put_keys(user, &body),
            ("PUT", ["media"]) => self.put_media(body),
            ("GET", ["media", name]) => self.get_media(name),
            ("GET", ["files", name]) => self.get_file(name),
            ("GET", ["certificate"]) => self.certificate(user),
            ("GET", ["blocks"]) => Ok(self.blocks(user)),
            ("PUT", ["blocks"]) => self.put_blocks(user, &body),
            ("POST", ["groups"]) => {
                let list: GroupList = parse(&body)?;
                self.about_group(|gateway, out| gateway.group_created(user, list, out))
            }
            ("PUT", ["groups", group]) => {
                let (group, list): (GroupId, GroupList) = (group_id(group)?, parse(&body)?);
                self.about_group(|gateway, out| gateway.group_changed(user, group, list, out))
            }
            ("GET", ["groups", group]) => {
                let group = group_id(group)?;
                self.about_group(|gateway, _| gateway.group_for(user, group))
            }
            ("DELETE", ["user"]) => Ok(self.delete(user)),
            ("GET", ["chat"]) => Err(invalid(Reason::Malformed, "the chat channel is a WebSocket: ask for an upgrade")),
            _ => Err(invalid(Reason::Unsupported, "the binding has no such request")),
        }
    }

    fn authorise(&self, caller: Caller, token: Option<&str>) -> Result<UserId, Failure> {
        let owner = match (caller, token) {
            (Caller::Reference(user), None) => self.users.contains_key(&user).then_some(user),
            (Caller::Reference(user), Some(token)) => self.tokens.get(token).copied().filter(|owner| *owner == user),
            (Caller::Candidate, None) => return Err(invalid(Reason::Unauthorized, "no bearer token")),
            (Caller::Candidate, Some(token)) => {
                let owner = self.tokens.get(token).copied().filter(|owner| !self.references.contains_key(owner));
                // A token of before may be used by a client that does not know yet; one that was never given out may not.
                if owner.is_none() && !self.ended_tokens.contains_key(token) {
                    return Err(invalid(Reason::Unauthorized, "a token that the gateway did not give to this client"));
                }
                if self.is_un_enlisted(token) {
                    return Err(plain(Reason::NotEnlisted, NOT_ENLISTED));
                }
                owner
            }
        };
        owner.ok_or_else(|| plain(Reason::Unauthorized, "this token is not valid any more"))
    }

    fn enlist(&mut self, caller: Caller, body: &[u8]) -> Result<Answer, Failure> {
        let body: Enlist = parse(body)?;
        let name = body.user;
        match caller {
            Caller::Candidate if self.references.contains_key(&name) => {
                return Err(invalid(Reason::Unauthorized, "this name is not the candidate's"));
            }
            Caller::Reference(user) if user != name => return Err(invalid(Reason::Unauthorized, "a user enlists itself")),
            _ => {}
        }
        let keys = Keys::enlist(self.suite, body)?;
        if (!self.known.contains(&name) && self.known.len() >= MOST_USERS) || self.ended_tokens.len() >= MOST_ENLISTMENTS {
            return Err(invalid(Reason::TooLarge, "more enlistments than one instance takes"));
        }
        let mut answer = Answer::with(HttpReply::json(&()));
        self.remove(name, &mut answer.before);
        self.known.insert(name);
        let token = self.names.token();
        self.tokens.insert(token.clone(), name);
        let user = User {
            keys,
            token: token.clone(),
            mailbox: Mailbox::default(),
            channel: None,
            blocked: BTreeSet::new(),
            seen_ms: self.now_ms,
        };
        self.users.insert(name, user);
        answer.reply = HttpReply::json(&Enlisted { token });
        Ok(answer)
    }

    /// Who asks must be enlisted, and learns of a name only whether it can be written to: the same answer for a name that never
    /// was, one that was deleted and one that was un-enlisted, with nothing in it but the reason (META-05).
    fn get_keys(&mut self, fetcher: UserId, of: &str) -> Result<Answer, Failure> {
        let of = UserId::from_str(of).map_err(|_| invalid(Reason::Malformed, "the user's name is not a UUID"))?;
        let Some(user) = self.users.get_mut(&of) else { return Err(plain(Reason::UnknownUser, "no such user")) };
        let out = user.keys.hand_out(of, self.armed.take_bundle(of, fetcher));
        let left = user.keys.left();
        let mut answer = Answer::with(HttpReply::json(&out.bundle));
        if !out.bent.is_empty() {
            answer.bend(format!("keys of {of} for {fetcher}: {}", out.bent.join("; ")));
        }
        if out.ran_out {
            let stanza = Arc::new(Stanza::KeysLow {
                id: self.names.stanza(),
                one_time_prekeys: left.one_time_prekeys,
                one_time_kyber_prekeys: left.one_time_kyber_prekeys,
            });
            self.stanzas.insert(
                stanza.id(),
                StoredStanza { from: None, to: of, also: Vec::new(), stanza: Arc::clone(&stanza), at_ms: self.now_ms },
            );
            // A full mailbox is the only way for this to fail; its owner then has more to worry about than a refill.
            self.deliver(of, &stanza, &mut answer.after);
        }
        Ok(answer)
    }

    fn put_keys(&mut self, user: UserId, body: &[u8]) -> Result<Answer, Failure> {
        let body: PublishKeys = parse(body)?;
        let Some(user) = self.users.get_mut(&user) else { return Err(plain(Reason::Unauthorized, "not enlisted")) };
        user.keys.publish(body)?;
        Ok(Answer::with(HttpReply::json(&user.keys.left())))
    }

    fn certificate(&self, name: UserId) -> Result<Answer, Failure> {
        let unsupported = || invalid(Reason::Unsupported, "this instance has no sealed messages");
        let certify = self.certify.as_ref().ok_or_else(unsupported)?;
        let Some(user) = self.users.get(&name) else { return Err(plain(Reason::Unauthorized, "not enlisted")) };
        let made = certify(name, user.keys.identity_key(), self.now_ms);
        let made = made.ok_or_else(|| plain(Reason::BadKey, "nothing can be certified under this identity key"))?;
        Ok(Answer::with(HttpReply::json(&made)))
    }

    fn blocks(&self, user: UserId) -> Answer {
        let users = self.users.get(&user).into_iter().flat_map(|user| user.blocked.iter().copied()).collect();
        Answer::with(HttpReply::json(&BlockList { users }))
    }

    fn put_blocks(&mut self, name: UserId, body: &[u8]) -> Result<Answer, Failure> {
        let BlockList { users } = parse(body)?;
        if users.len() > MOST_BLOCKED {
            return Err(invalid(Reason::TooLarge, format!("{} users on a block list; {MOST_BLOCKED} at most", users.len())));
        }
        let count = users.len();
        let blocked: BTreeSet<UserId> = users.into_iter().collect();
        if blocked.len() < count || blocked.contains(&name) {
            return Err(invalid(Reason::Malformed, "a block list names each user once, and not its owner"));
        }
        let Some(user) = self.users.get_mut(&name) else { return Err(plain(Reason::Unauthorized, "not enlisted")) };
        user.blocked = blocked;
        Ok(self.blocks(name))
    }

    fn put_media(&mut self, blob: Bytes) -> Result<Answer, Failure> {
        if blob.is_empty() {
            return Err(invalid(Reason::Malformed, "an empty blob"));
        }
        if !self.media.has_room_for(blob.len()) {
            return Err(invalid(Reason::TooLarge, "more files than one instance takes"));
        }
        let url = format!("/media/{}", self.names.blob());
        self.media.put(url.clone(), blob);
        Ok(Answer::with(HttpReply::json(&Uploaded { url })))
    }

    fn get_media(&mut self, name: &str) -> Result<Answer, Failure> {
        let url = format!("/media/{name}");
        let Some(blob) = self.media.get(&url).cloned() else { return Err(plain(Reason::MediaMissing, "no such file")) };
        let bends = self.armed.on_download(&url);
        let media::Download { bytes, breaks_off, how } = media::bend(&blob, &bends);
        let reply = bytes.map_or_else(|| HttpReply::refuse(Reason::MediaMissing, "no such file"), HttpReply::octets);
        let mut answer = Answer::with(HttpReply { breaks_off, ..reply });
        if !how.is_empty() {
            answer.bend(format!("download of {url}: {}", how.join("; ")));
        }
        Ok(answer)
    }

    fn get_file(&self, name: &str) -> Result<Answer, Failure> {
        let name = self.media.files.get(name).ok_or_else(|| plain(Reason::MediaMissing, "no such file"))?;
        Ok(Answer::with(HttpReply { file: Some(name.clone()), ..HttpReply::octets(Bytes::new()) }))
    }

    /// All members are told before whoever made the change is answered.
    fn about_group(
        &mut self,
        work: impl FnOnce(&mut Self, &mut Vec<Effect>) -> Result<GroupList, (Problem, bool)>,
    ) -> Result<Answer, Failure> {
        let mut before = Vec::new();
        let list = work(self, &mut before).map_err(|(problem, invalid)| Failure { problem, invalid })?;
        Ok(Answer { before, ..Answer::with(HttpReply::json(&list)) })
    }

    fn delete(&mut self, user: UserId) -> Answer {
        let mut answer = Answer::with(HttpReply::json(&Deleted {}));
        self.remove(user, &mut answer.after);
        answer
    }
}

fn group_id(text: &str) -> Result<GroupId, Failure> {
    GroupId::from_str(text).map_err(|_| invalid(Reason::Malformed, "the group's id is not a UUID"))
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(body).map_err(|e| invalid(Reason::Malformed, format!("the body does not fit: {e}")))
}

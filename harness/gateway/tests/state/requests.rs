use crate::world::{body, is_invalid, pair, problem, split, user};
use countersign_contract::Reason;
use countersign_gateway::{Effect, HttpRequest};

#[test]
fn files_are_served_to_those_with_a_token() {
    let mut p = pair();
    p.world.gateway.put_file("cat.png");
    let (reply, _) = p.world.request("GET", "/files/cat.png", &p.bob_token.clone(), b"");
    assert_eq!((reply.status, reply.content_type, reply.body.len()), (200, "application/octet-stream", 0));
    assert_eq!(reply.file.as_deref(), Some("cat.png"), "its bytes are for the caller to put in");
    let (reply, _) = split(p.world.raw("GET", "/files/cat.png", None, b""));
    assert_eq!(problem(&reply).reason, Reason::Unauthorized);
    let (reply, _) = p.world.request("GET", "/files/dog.png", &p.bob_token.clone(), b"");
    assert_eq!(problem(&reply).reason, Reason::MediaMissing);
}

#[test]
fn the_candidate_cannot_take_a_reference_users_name_or_token() {
    let mut p = pair();
    p.world.enlist_reference(user(3), 1);
    let json = serde_json::to_vec(&crate::world::enlistment(user(3), 0)).unwrap();
    let (reply, rest) = split(p.world.raw("POST", "/enlist", None, &json));
    assert_eq!(problem(&reply).reason, Reason::Unauthorized);
    assert!(is_invalid(&rest));
    assert_eq!(p.world.gateway.keys_left(user(3)).one_time_prekeys, 1);
    let http = HttpRequest { method: "POST".into(), path: "/enlist".into(), token: None, body: json.into() };
    let (reply, _) = p.world.gateway.reference_request(user(3), http);
    let token = body::<countersign_contract::portable::Enlisted>(&reply).token;
    assert_eq!(problem(&p.world.request("GET", &format!("/keys/{}", p.bob), &token, b"").0).reason, Reason::Unauthorized);
    assert!(p.world.gateway.chat_opened(70, Some(&token)).is_err());
}

#[test]
fn a_reference_user_acts_for_itself_only() {
    let mut p = pair();
    p.world.enlist_reference(user(3), 1);
    let get = |token: Option<String>| HttpRequest {
        method: "GET".into(),
        path: format!("/keys/{}", p.bob),
        token,
        body: vec![].into(),
    };
    let (mine, others) = (get(None), get(Some(p.alice_token.clone())));
    assert_eq!(p.world.gateway.reference_request(user(3), mine).0.status, 200);
    assert_eq!(problem(&p.world.gateway.reference_request(user(3), others).0).reason, Reason::Unauthorized);
    let json = serde_json::to_vec(&crate::world::enlistment(p.bob, 0)).unwrap();
    let http = HttpRequest { method: "POST".into(), path: "/enlist".into(), token: None, body: json.into() };
    assert_eq!(problem(&p.world.gateway.reference_request(user(3), http).0).reason, Reason::Unauthorized);
}

#[test]
fn exactly_one_reply_with_the_number_of_its_request() {
    let mut p = pair();
    for path in ["/nothing", "", "keys", "/keys/", "/media/../files/x", "/chat", "/enlist/", "//"] {
        for method in ["GET", "PUT", "POST", "DELETE", "PATCH", ""] {
            let http =
                HttpRequest { method: method.into(), path: path.into(), token: Some(p.bob_token.clone()), body: vec![1].into() };
            let effects = p.world.gateway.http(77, http);
            let numbers: Vec<_> = effects
                .iter()
                .filter_map(|e| if let Effect::Reply { request, .. } = e { Some(*request) } else { None })
                .collect();
            assert_eq!(numbers, [77], "{method} {path}");
        }
    }
}

use crate::client::{INSTANCE, answer, connect, head, patient, response, rest, server, write};
use countersign_gateway::HttpReply;
use countersign_gateway::server::base_path;

#[tokio::test]
async fn a_request_reaches_its_instance_and_the_answer_its_client() {
    let (server, mut socket) = server(patient()).await;
    let mut stream = connect(&server).await;
    let text = head("PUT", "/keys?debug=1") + "Authorization: Bearer t0k\r\nContent-Length: 4\r\n\r\nbody";
    write(&mut stream, text).await;
    let http = answer(&mut socket, "{}").await;
    assert_eq!((http.method.as_str(), http.path.as_str(), http.token.as_deref()), ("PUT", "/keys", Some("t0k")));
    assert_eq!(http.body, b"body".as_slice());
    let (status, head_back, body) = response(&mut stream).await;
    assert_eq!((status, body.as_slice()), (200, b"{}".as_slice()));
    assert!(head_back.contains("content-type: application/json") && head_back.contains("retry-after: 3"));
    // The connection is kept.
    write(&mut stream, head("GET", "/keys/x") + "\r\n").await;
    assert_eq!(answer(&mut socket, "1").await.token, None);
    assert_eq!(response(&mut stream).await.2, b"1");
}

#[tokio::test]
async fn an_instance_that_is_not_there_or_no_more() {
    let (server, socket) = server(patient()).await;
    let mut stream = connect(&server).await;
    let unknown = "/i/00000000-0000-0000-0000-000000000001/keys";
    let upper = base_path(INSTANCE).to_uppercase();
    for path in ["/", "/i/", "/i/x/y", unknown, &upper] {
        write(&mut stream, format!("GET {path} HTTP/1.1\r\nHost: t\r\n\r\n")).await;
        let (status, _, body) = response(&mut stream).await;
        assert_eq!(status, 404, "{path}");
        assert!(String::from_utf8(body).unwrap().contains("unknown-instance"));
    }
    drop(socket);
    write(&mut stream, head("GET", "/keys/x") + "\r\n").await;
    assert_eq!(response(&mut stream).await.0, 404);
}

#[tokio::test]
async fn two_instances_do_not_see_each_other() {
    let (server, mut first) = server(patient()).await;
    let other = countersign_contract::InstanceId(uuid::Uuid::from_u128(2));
    let mut second = server.register(other);
    let mut stream = connect(&server).await;
    write(&mut stream, format!("GET {}/keys/b HTTP/1.1\r\nHost: t\r\n\r\n", base_path(other))).await;
    assert_eq!(answer(&mut second, "2").await.path, "/keys/b");
    assert_eq!(response(&mut stream).await.2, b"2");
    assert!(first.events.try_recv().is_err());
}

#[tokio::test]
async fn shutdown_lets_a_request_under_way_finish() {
    let (server, mut socket) = server(patient()).await;
    let mut stream = connect(&server).await;
    write(&mut stream, head("GET", "/keys/x") + "\r\n").await;
    let Some(countersign_gateway::server::ServerEvent::Request { reply, .. }) = socket.events.recv().await else { panic!() };
    let address = server.local_addr();
    let stopping = tokio::spawn(server.shutdown());
    reply.send(crate::client::reply("late")).unwrap();
    assert_eq!(response(&mut stream).await.2, b"late");
    assert_eq!(rest(&mut stream).await, b"");
    stopping.await.unwrap();
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn an_answer_that_breaks_off_promises_more_than_it_brings() {
    let (server, mut socket) = server(patient()).await;
    let mut stream = connect(&server).await;
    write(&mut stream, head("GET", "/media/x") + "\r\n").await;
    let Some(countersign_gateway::server::ServerEvent::Request { reply, .. }) = socket.events.recv().await else { panic!() };
    reply.send(HttpReply { breaks_off: Some(10), ..crate::client::reply("0123") }).unwrap();
    let said = String::from_utf8(rest(&mut stream).await).unwrap().to_lowercase();
    assert!(said.contains("content-length: 10\r\n") && said.ends_with("\r\n\r\n0123"), "{said}");
}

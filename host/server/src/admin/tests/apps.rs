//! Apps: of a host that was started with manifests, and what a host that takes deploys refuses. What it does not refuse is tested with
//! hosts that run.

use super::check_on;
use super::world::trips;
use crate::admin::Admin;
use crate::background::BackgroundTasks;
use crate::deploying::Deployer;
use crate::hosting::HostedApp;
use crate::management::tests::world::minute;
use crate::settings::{AppSettings, Environment};
use crate::shutdown::Stop;
use bundle::Bundle;
use bytes::Bytes;
use expect_test::{Expect, expect};
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::body::{Frame, SizeHint};
use ports::{Body, BoxError};
use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tempfile::TempDir;
use tokio::task::JoinSet;

/// A host that was started with the manifest of `trips`.
async fn started_with_manifest() -> (Admin, BackgroundTasks) {
    let (admin, background) = trips();
    let app = admin.host.apps.named("trips").expect("it is served").app.clone();
    let store = HostedApp::open_store(&app, None).expect("memory always opens");
    let hosted = HostedApp::over(&app, store, None, minute(1)).await.expect("memory can be read");
    admin.host.take_up_idle(&Arc::new(hosted));
    (admin, background)
}

/// The same host as one that takes deploys. Its folder ends with the first of these.
async fn taking_deploys() -> (TempDir, Admin, BackgroundTasks) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (admin, background) = started_with_manifest().await;
    let settings = Box::new(|_app: &str| Ok(AppSettings::without_file(&Environment::default(), &[])));
    let deployer = Deployer::new(admin.host.clone(), folder.path().join("apps"), settings);
    (folder, Admin { deployer: Some(Arc::new(deployer)), ..admin }, background)
}

/// Sends a bundle; the answer, and nothing is left in the folder of the host.
async fn check_deploy(accept: &str, content: Body, expected: &Expect) {
    let (folder, admin, background) = taking_deploys().await;
    let (_stop, stopping) = Stop::new();
    let mut tasks = JoinSet::new();
    tasks.spawn(background.run(stopping));
    let request = Request::post("/admin/apps").header("host", "h:1").header("accept", accept);
    let answer = admin.handle(request.body(content).expect("a request")).await;
    let (head, content) = answer.into_parts();
    let bytes = content.collect().await.expect("a whole body").to_bytes();
    let kind = head.headers.get("content-type").map_or("nothing", |kind| kind.to_str().expect("a text"));
    let text = String::from_utf8_lossy(&bytes);
    // How long a phase took differs from run to run.
    let text: Vec<String> = text.lines().map(without_duration).collect();
    expected.assert_eq(&format!("{} {kind}\n{}", head.status.as_u16(), text.join("\n")));
    let left = std::fs::read_dir(folder.path().join("apps")).into_iter().flatten().count();
    assert_eq!(left, 0, "a deploy that is refused leaves nothing");
}

fn without_duration(line: &str) -> String {
    let mut value: serde_json::Value = serde_json::from_str(line).expect("JSON");
    if let Some(duration) = value.get_mut("durationMs") {
        *duration = serde_json::Value::Null;
    }
    value.to_string()
}

/// A bundle of an app with one function and one component.
fn packed(app: &str, function: &str, component: &[u8]) -> Vec<u8> {
    let manifest = format!(
        "[app]\nname = \"{app}\"\nversion = \"2\"\n[components.main]\nsource = \"main.wasm\"\n\
         [functions.{function}]\ntrigger = {{ type = \"activityTrigger\" }}\n"
    );
    let components = BTreeMap::from([("main".to_owned(), component.to_vec())]);
    let (app, version, built_with) = (app.to_owned(), "2".to_owned(), "t".to_owned());
    bundle::write(&Bundle { app, version, manifest, components, built_with }).expect("a good bundle")
}

const NDJSON: &str = "application/x-ndjson";

const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

#[tokio::test]
async fn a_host_with_manifests_shows_its_apps_and_takes_no_deploys() {
    let (admin, background) = started_with_manifest().await;
    check_on(
        &admin,
        background,
        "GET /admin/apps
         HEAD /admin/apps/
         GET /admin/apps/trips
         GET /Admin/Apps/trips
         GET /admin/apps/hotels
         POST /admin/apps no bundle
         POST /admin/apps?force=1
         POST /admin/apps/trips/rollback
         DELETE /admin/apps/trips?force=1
         PUT /admin/apps
         POST /admin/apps/trips
         GET /admin/apps/trips/rollback
         GET /admin/apps/trips/versions",
        &expect![[r#"
            GET /admin/apps
              200 [{"name":"trips","version":"1.0.0","digest":"0000000000000000000000000000000000000000000000000000000000000000","bundle":null,"deployedAt":"2024-01-01T00:01:00.1230000Z","functions":8,"source":"manifest","taskHub":"Trips"}]
            HEAD /admin/apps/
              200 [{"name":"trips","version":"1.0.0","digest":"0000000000000000000000000000000000000000000000000000000000000000","bundle":null,"deployedAt":"2024-01-01T00:01:00.1230000Z","functions":8,"source":"manifest","taskHub":"Trips"}]
            GET /admin/apps/trips
              200 {"name":"trips","version":"1.0.0","digest":"0000000000000000000000000000000000000000000000000000000000000000","bundle":null,"deployedAt":"2024-01-01T00:01:00.1230000Z","functions":8,"source":"manifest","taskHub":"Trips","versions":[{"digest":"0000000000000000000000000000000000000000000000000000000000000000","version":null,"present":true,"running":0,"failed":0,"example":null,"why":"present; it is not kept in memory: its instances wait"}],"deployments":[],"functionNames":["StartTrip","ShowTrip","AcceptTrip","RefuseTrip","NightlyReport","BookTrip","Trip","Stock"],"routes":["GET,POST /api/trips","GET /api/trips/{id:int}"]}
            GET /Admin/Apps/trips
              200 {"name":"trips","version":"1.0.0","digest":"0000000000000000000000000000000000000000000000000000000000000000","bundle":null,"deployedAt":"2024-01-01T00:01:00.1230000Z","functions":8,"source":"manifest","taskHub":"Trips","versions":[{"digest":"0000000000000000000000000000000000000000000000000000000000000000","version":null,"present":true,"running":0,"failed":0,"example":null,"why":"present; it is not kept in memory: its instances wait"}],"deployments":[],"functionNames":["StartTrip","ShowTrip","AcceptTrip","RefuseTrip","NightlyReport","BookTrip","Trip","Stock"],"routes":["GET,POST /api/trips","GET /api/trips/{id:int}"]}
            GET /admin/apps/hotels
              404 {"error":{"code":"AppNotFound","message":"there is no app 'hotels' here; there are: trips","problems":[]}}
            POST /admin/apps no bundle
              409 {"error":{"code":"StartedFromManifests","message":"this host was started with manifests and takes no deploys: change the manifests, or start a host that does with `dacapo serve`","problems":[]}}
            POST /admin/apps?force=1
              409 {"error":{"code":"StartedFromManifests","message":"this host was started with manifests and takes no deploys: change the manifests, or start a host that does with `dacapo serve`","problems":[]}}
            POST /admin/apps/trips/rollback
              409 {"error":{"code":"StartedFromManifests","message":"this host was started with manifests and takes no deploys: change the manifests, or start a host that does with `dacapo serve`","problems":[]}}
            DELETE /admin/apps/trips?force=1
              409 {"error":{"code":"StartedFromManifests","message":"this host was started with manifests and takes no deploys: change the manifests, or start a host that does with `dacapo serve`","problems":[]}}
            PUT /admin/apps
              404
            POST /admin/apps/trips
              404
            GET /admin/apps/trips/rollback
              404
            GET /admin/apps/trips/versions
              404"#]],
    )
    .await;
}

#[tokio::test]
async fn what_is_not_deployed_cannot_be_rolled_back_or_removed() {
    let (_folder, admin, background) = taking_deploys().await;
    check_on(
        &admin,
        background,
        "GET /admin/apps/hotels
         POST /admin/apps/hotels/rollback
         POST /admin/apps/trips/rollback
         POST /admin/apps/trips/rollback?to=0
         DELETE /admin/apps/hotels",
        &expect![[r#"
            GET /admin/apps/hotels
              404 {"error":{"code":"AppNotFound","message":"there is no app 'hotels' here; there are: trips","problems":[]}}
            POST /admin/apps/hotels/rollback
              404 {"error":{"code":"AppNotFound","message":"there is no app 'hotels' here; there are: trips","problems":[]}}
            POST /admin/apps/trips/rollback
              409 {"error":{"code":"NothingBefore","message":"no deployment of 'trips' before the present one is kept; deploy the bundle that you want back","problems":[]}}
            POST /admin/apps/trips/rollback?to=0
              404 {"error":{"code":"DeploymentNotFound","message":"there is no deployment 0; there are: none","problems":[]}}
            DELETE /admin/apps/hotels
              404 {"error":{"code":"AppNotFound","message":"there is no app 'hotels' here; there are: trips","problems":[]}}"#]],
    )
    .await;
}

/// Says how long it is, and must not be read.
struct Announced(u64);

impl hyper::body::Body for Announced {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        panic!("a body of {} bytes is read", self.0)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0)
    }
}

#[tokio::test]
async fn a_bundle_that_is_too_long_need_not_be_sent() {
    let too_long = || Announced(bundle::MAX_BUNDLE_BYTES + 1).boxed_unsync();
    check_deploy("*/*", too_long(), &expect![[r#"
        413 application/json
        {"error":{"code":"BadBundle","message":"the bundle is longer than 268435456 bytes; make its components smaller","problems":[]}}"#]]).await;
    check_deploy(NDJSON, too_long(), &expect![[r#"
        413 application/json
        {"error":{"code":"BadBundle","message":"the bundle is longer than 268435456 bytes; make its components smaller","problems":[]}}"#]]).await;
}

#[tokio::test]
async fn what_is_refused_is_told_as_json_or_as_the_last_line() {
    let sent = |bytes: &[u8]| Full::from(bytes.to_vec()).map_err(|never| match never {}).boxed_unsync();
    check_deploy("*/*", sent(b"no bundle"), &expect![[r#"
        400 application/json
        {"error":{"code":"BadBundle","message":"this is no bundle: it is not a zip archive; give a file that `dacapo pack` wrote","problems":[]}}"#]]).await;
    check_deploy(NDJSON, sent(b"no bundle"), &expect![[r#"
        200 application/x-ndjson
        {"detail":"9 bytes","durationMs":null,"phase":"received"}
        {"error":{"code":"BadBundle","message":"this is no bundle: it is not a zip archive; give a file that `dacapo pack` wrote","problems":[],"status":400}}"#]]).await;
    let clashing = packed("hotels", "STARTTRIP", COMPONENT);
    check_deploy("*/*", sent(&clashing), &expect![[r#"
        409 application/json
        {"error":{"code":"AppsClash","message":"the app 'hotels' clashes with what this host serves already","problems":["the app 'trips' has a function 'STARTTRIP' too; function names are unique in a host, so rename one"]}}"#]]).await;
    check_deploy(NDJSON, sent(&clashing), &expect![[r#"
        200 application/x-ndjson
        {"detail":"705 bytes","durationMs":null,"phase":"received"}
        {"error":{"code":"AppsClash","message":"the app 'hotels' clashes with what this host serves already","problems":["the app 'trips' has a function 'STARTTRIP' too; function names are unique in a host, so rename one"],"status":409}}"#]]).await;
}

#[tokio::test]
async fn a_connection_ends_with_a_body_that_nobody_has_read() {
    let (admin, _background) = trips();
    let check = async |body: Body, expected: Option<&str>| {
        let request = Request::builder().method("POST").uri("/admin/nothing").header("host", "h").body(body);
        let reply = admin.handle(request.expect("a request")).await;
        assert_eq!(reply.status(), 404);
        let connection = reply.headers().get("connection").map(|value| value.to_str().expect("visible"));
        assert_eq!(connection, expected);
    };
    check(Full::from("{}").map_err(|never| match never {}).boxed_unsync(), Some("close")).await;
    check(Full::default().map_err(|never| match never {}).boxed_unsync(), None).await;
}

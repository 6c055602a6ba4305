//! Several apps in one host: what is whose, and that a change of one is nothing to the others.

use expect_test::expect;

use crate::account::Account;
use crate::cases::storage_clients::connection_to;
use crate::client::MANAGEMENT;
use crate::development::{Project, says};
use crate::host::{Host, refused};

/// Functions of the guest `editions` for an app that is not the only one.
fn functions(app: &str) -> String {
    format!(
        r#"
[functions.{app}Which]
entryPoint = "Which"
trigger = {{ type = "httpTrigger", methods = ["get"], route = "{app}/which", authLevel = "anonymous" }}
[functions.{app}HandIn]
entryPoint = "HandIn"
trigger = {{ type = "httpTrigger", methods = ["post"], route = "{app}/hand-in", authLevel = "anonymous" }}
outputs.work = {{ type = "queue", queueName = "work" }}
"#
    )
}

#[test]
fn several_apps_are_served_by_one_host_and_reloaded_one_by_one() {
    let project = Project::empty();
    for app in ["alpha", "beta"] {
        project.add(app, &functions(app));
        project.save(app, 1);
    }
    let mut host = project.start_all(&["alpha", "beta"], &["--ephemeral"]);
    let which =
        |host: &Host| ["alpha", "beta"].map(|app| host.client().get(&format!("/api/{app}/which")).expect(200).body);
    assert_eq!(which(&host), [says(1), says(1)]);
    project.save("beta", 2);
    let mut lines = host.process.lines_until("[reload] ");
    lines.extend(host.process.lines_until_quiet());
    assert_eq!(which(&host), [says(1), says(2)]);

    // The same queue of either is another one, in an account that is called like its app; the first one's has two names.
    for app in ["alpha", "beta"] {
        host.client().post(&format!("/api/{app}/hand-in"), &format!("for {app}")).expect(200);
    }
    let connection = connection_to(&host);
    for (account, expected) in [("devstoreaccount1", "for alpha"), ("alpha", "for alpha"), ("beta", "for beta")] {
        let account = Account::new(&connection.replace("devstoreaccount1", account));
        assert_eq!(account.texts("work"), [expected]);
    }

    // Neither may take what is the other's.
    project.edit("beta", "route = \"beta/which\"", "route = \"alpha/which\"");
    lines.extend(host.process.lines_until("keeps serving"));
    assert_eq!(which(&host), [says(1), says(2)]);
    project.edit("beta", "route = \"alpha/which\"", "route = \"beta/what\"");
    lines.extend(host.process.lines_until("[reload] "));
    host.client().get("/api/beta/what").expect(200);
    expect![[r#"
        <now>  [build] Building beta ...
        <now>  [build] Built beta in <time>
        <now>  [function changed]  betaWhich
        <now>  [function changed]  betaHandIn
        <now>  [reload] Reloaded beta (<time>): built in <time>, loaded in <time>, switched in <time> (<id>)
        <now>  [diagnostic] reload-failed: beta was not reloaded: the app has a problem
                    function 'betaWhich': the route GET /api/alpha/which belongs to 'alphaWhich' of the app 'alpha'; change one of the routes, or host.http.routePrefix of one of the apps
                  → The version from before (<id>) keeps serving.
        <now>  [function changed]  betaWhich
        <now>  [reload] Reloaded beta (<time>): loaded in <time>, switched in <time> (<id>)"#]].assert_eq(&project.masked(&host, lines));
    let hubs = host.client().get(&format!("{MANAGEMENT}/instances")).expect(400).body;
    assert!(hubs.contains("alpha") && hubs.contains("beta"), "{hubs}");
    host.stop();
}

#[test]
fn apps_that_cannot_stand_side_by_side_are_refused() {
    let project = Project::empty();
    project.add("alpha", &functions("alpha"));
    project.add("beta", &functions("alpha"));
    let manifests = ["alpha", "beta"].map(|app| project.manifest(app));
    let (code, output) = refused(manifests.iter().map(|manifest| manifest.as_os_str()));
    assert_eq!(code, 3, "{output}");
    let folder = project.folder().display().to_string();
    expect![[r#"
        error: the app has 4 problems
        <folder>/beta.toml: the app 'alpha' has a function 'alphaWhich' too; function names are unique in a host, so rename one
        <folder>/beta.toml: the app 'alpha' has a function 'alphaHandIn' too; function names are unique in a host, so rename one
        <folder>/beta.toml: function 'alphaWhich': the route GET /api/alpha/which belongs to 'alphaWhich' of the app 'alpha'; change one of the routes, or host.http.routePrefix of one of the apps
        <folder>/beta.toml: function 'alphaHandIn': the route POST /api/alpha/hand-in belongs to 'alphaHandIn' of the app 'alpha'; change one of the routes, or host.http.routePrefix of one of the apps
    "#]].assert_eq(&output.replace(&folder, "<folder>"));
}

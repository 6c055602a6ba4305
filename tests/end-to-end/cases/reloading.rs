//! What follows when somebody saves a file of an app that is served: how soon, with which words, and what it does to instances.

use expect_test::expect;
use serde_json::{Value, json};
use std::fs;
use std::time::{Duration, Instant};
use ureq::http::Method;

use crate::development::{OWN_TIME, Project, edition_of_component, says, told_time};
use crate::host::Host;
use crate::renovation;

/// Whoever shares the machine with this test takes time from some of the rounds.
const ROUNDS: u16 = 8;

impl Host {
    fn which(&self) -> String {
        self.client().get("/api/which").expect(200).body
    }

    /// Starts an instance that waits for its event, and waits until it does.
    fn start_staying(&mut self, id: &str) {
        self.client().start_as("Stay", id, &json!(null));
        self.look_until(&format!("{id} waits"), |client| {
            let explanation = client.explain(id);
            (explanation["waitingFor"][0]["kind"] == "Event" && explanation["turns"] == 2).then_some(())
        });
    }

    fn finish(&mut self, id: &str) -> Value {
        self.client().raise(id, "Go", &json!(null));
        self.wait_for_status(id, "Completed")["output"].clone()
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "it is measured how long a person waits")]
fn new_code_answers_soon_after_it_was_saved() {
    let project = Project::new();
    // Of all editions only the first was compiled before, by another process, as on the second day of a project.
    project.forget_compiled();
    project.start(&["--ephemeral"]).stop();
    let mut host = project.start(&["--ephemeral"]);
    assert_eq!(host.which(), says(0));
    let client = host.client();
    let mut own: Vec<Duration> = Vec::new();
    for edition in 1..=ROUNDS {
        let begin = Instant::now();
        project.save("editions", edition);
        let line = host.process.wait_for_line("[reload] ");
        assert_eq!(client.get("/api/which").expect(200).body, says(edition));
        own.push(begin.elapsed().saturating_sub(told_time(&line, "built")));
    }
    let best = own.iter().min().expect("there were rounds");
    println!("from saving to the first answer, without building: {own:?}");
    assert!(*best <= OWN_TIME, "{own:?}");
    host.stop();
}

#[test]
fn a_reload_is_told_in_one_line() {
    let project = Project::new();
    let mut host = project.start(&["--ephemeral"]);
    let lines = project.reload(&mut host, 1);
    expect![[r#"
        <now>  [build] Building editions ...
        <now>  [build] Built editions in <time>
        <now>  [function changed]  Which
        <now>  [function changed]  Tarry
        <now>  [function changed]  Talk
        <now>  [function changed]  HandIn
        <now>  [function changed]  Work
        <now>  [function changed]  Stay
        <now>  [function changed]  Tell
        <now>  [reload] Reloaded editions (<time>): built in <time>, loaded in <time>, switched in <time> (<id>)"#]]
    .assert_eq(&project.masked(&host, lines));
    assert_eq!(host.which(), says(1));
    host.stop();
}

#[test]
fn what_was_only_touched_is_no_change() {
    let project = Project::new();
    let mut host = project.start(&["--ephemeral"]);
    project.save("editions", 0);
    project.edit("editions", "[app]", "[app]");
    project.write("something-else", "nobody watches this");
    let built = fs::read(project.folder().join("editions.wasm")).expect("it was built");
    project.write("editions.wasm", built);
    assert_eq!(host.process.lines_until_quiet(), Vec::<String>::new());
    // It is awake.
    project.reload(&mut host, 1);
    assert_eq!(host.which(), says(1));
    host.stop();
}

#[test]
fn a_build_that_fails_leaves_the_last_version_and_the_next_save_recovers() {
    let project = Project::new();
    let mut host = project.start(&["--ephemeral"]);
    let mistake = "error[E0308]: mismatched types\n --> src/lib.rs:12:5\n";
    project.write("editions-mistake", mistake);
    host.process.wait_for("keeps serving");
    let (mut lines, errors) = (host.process.lines_until_quiet(), host.process.errors().to_owned());
    assert_eq!(errors, mistake);
    assert_eq!(host.which(), says(0));
    // Saved in between, and wrong all the same.
    project.save("editions", 1);
    lines.extend(host.process.lines_until("keeps serving"));
    assert_eq!(host.which(), says(0));
    project.remove("editions-mistake");
    lines.extend(host.process.lines_until("[reload] "));
    expect![[r#"
        <now>  [build] Building editions ...
        <now>  [diagnostic] reload-failed: editions was not reloaded: component 'editions' cannot be built: `test ! -e editions-mistake || { cat editions-mistake >&2; exit 1; }; while test -e hold; do :; done; cp editions-source.wasm editions.wasm` in <folder> ended with exit status: 1; correct what it says above
                  → The version from before (<id>) keeps serving.
        <now>  [build] Building editions ...
        <now>  [build] Built editions in <time>
        <now>  [function changed]  Which
        <now>  [function changed]  Tarry
        <now>  [function changed]  Talk
        <now>  [function changed]  HandIn
        <now>  [function changed]  Work
        <now>  [function changed]  Stay
        <now>  [function changed]  Tell
        <now>  [reload] Reloaded editions (<time>): built in <time>, loaded in <time>, switched in <time> (<id>)"#]].assert_eq(&project.masked(&host, lines.iter().filter(|line| !mistake.contains(line.as_str()))));
    assert_eq!(host.which(), says(1));
    host.stop();
}

#[test]
fn a_component_that_is_none_leaves_the_last_version() {
    let project = Project::new();
    let mut host = project.start(&["--ephemeral"]);
    project.write("editions-source.wasm", "no component at all");
    let lines = host.process.lines_until("keeps serving");
    expect![[r#"
        <now>  [build] Building editions ...
        <now>  [build] Built editions in <time>
        <now>  [diagnostic] reload-failed: editions was not reloaded: the app has a problem
                    component 'editions': <folder>/editions.wasm is no WebAssembly file (it does not begin with \0asm); `source` names the .wasm file that the build makes
                  → The version from before (<id>) keeps serving."#]].assert_eq(&project.masked(&host, lines));
    assert_eq!(host.which(), says(0));
    project.reload(&mut host, 1);
    assert_eq!(host.which(), says(1));
    host.stop();
}

#[test]
fn two_quick_saves_are_one_reload() {
    let project = Project::new();
    let mut host = project.start(&["--ephemeral"]);
    project.save("editions", 1);
    project.save("editions", 2);
    let lines = host.process.lines_until("[reload] ");
    assert_eq!(host.which(), says(2));
    let later = host.process.lines_until_quiet();
    assert!(later.iter().all(|line| !line.contains("[reload] ")), "{lines:#?}\n{later:#?}");

    // Also if a build has begun meanwhile.
    project.write("hold", "");
    project.save("editions", 3);
    host.process.wait_for("[build] Building editions");
    project.save("editions", 4);
    host.process.wait_for("beginning again");
    project.remove("hold");
    let lines = host.process.lines_until("[reload] ");
    assert_eq!(host.which(), says(4), "{lines:#?}");
    let later = host.process.lines_until_quiet();
    assert!(later.iter().all(|line| !line.contains("[reload] ")), "{lines:#?}\n{later:#?}");
    host.stop();
}

#[test]
fn edits_of_the_manifest_are_followed() {
    let project = Project::new();
    let mut host = project.start(&["--ephemeral"]);
    let mut lines = Vec::new();
    let mut edit = |host: &mut Host, old: &str, new: &str| {
        project.edit("editions", old, new);
        lines.extend(host.process.lines_until("[reload] "));
    };
    let talk = "[functions.Talk]\ntrigger = { type = \"httpTrigger\", methods = [\"get\"], route = \"talk\", authLevel = \
                \"anonymous\" }\n";
    edit(&mut host, talk, &format!("{}entryPoint = \"Which\"\n", talk.replace("talk", "new").replace("Talk", "New")));
    assert_eq!(host.client().get("/api/new").expect(200).body, says(0));
    host.client().get("/api/talk").expect(404);

    edit(&mut host, "route = \"which\"", "route = \"who\"");
    host.client().get("/api/which").expect(404);
    assert_eq!(host.client().get("/api/who").expect(200).body, says(0));

    edit(&mut host, "[functions.New]", "[functions.New]\ndisabled = true");
    host.client().get("/api/new").expect(404);
    edit(&mut host, "disabled = true", "disabled = false");
    host.client().get("/api/new").expect(200);

    edit(&mut host, "version = \"1.0.0\"", "version = \"1.1.0\"");
    assert_eq!(host.client().get("/admin/apps").expect(200).json()[0]["version"], "1.1.0");
    expect![[r#"
        <now>  [function removed]  Talk
        <now>  [function loaded]  New httpTrigger GET <origin>/api/new
        <now>  [reload] Reloaded editions (<time>): loaded in <time>, switched in <time> (<id>)
        <now>  [function changed]  Which
        <now>  [reload] Reloaded editions (<time>): loaded in <time>, switched in <time> (<id>)
        <now>  [function changed]  New
        <now>  [reload] Reloaded editions (<time>): loaded in <time>, switched in <time> (<id>)
        <now>  [function changed]  New
        <now>  [reload] Reloaded editions (<time>): loaded in <time>, switched in <time> (<id>)
        <now>  [reload] Reloaded editions (<time>): loaded in <time>, switched in <time> (<id>)"#]]
    .assert_eq(&project.masked(&host, lines));
    host.stop();
}

#[test]
fn mistakes_in_the_manifest_are_shown_with_their_places() {
    let project = Project::new();
    let mut host = project.start(&["--ephemeral"]);
    let mut lines = Vec::new();
    let mut check = |host: &mut Host, old: &str, new: &str| {
        project.edit("editions", old, new);
        lines.extend(host.process.lines_until("keeps serving"));
        assert_eq!(host.which(), says(0));
        project.edit("editions", new, old);
        lines.extend(host.process.lines_until("is the same as before"));
    };
    check(&mut host, "version = \"1.0.0\"", "version = ");
    check(&mut host, "[functions.Talk]", "[functions.Missing]");
    check(&mut host, "queueName = \"work\" }\noutputs.\"$", "queueNam = \"work\" }\noutputs.\"$");
    check(&mut host, "name = \"editions\"", "name = \"tidings\"");
    expect![[r#"
        <now>  [diagnostic] reload-failed: editions was not reloaded: the manifest has a problem
                    editions.toml:3: not valid TOML: string values must be quoted, expected literal string; correct the line
                  → The version from before (<id>) keeps serving.
        <now>  [host] editions is the same as before (<time> s)
        <now>  [diagnostic] reload-failed: editions was not reloaded: the app has a problem
                    editions.toml:17: function 'Missing': the component 'editions' has no HTTP function named 'Missing'; it has: HandIn (HTTP function), Stay (orchestrator), Talk (HTTP function), Tarry (HTTP function), Tell (activity), Which (HTTP function), Work (queue function)
                  → The version from before (<id>) keeps serving.
        <now>  [host] editions is the same as before (<time> s)
        <now>  [diagnostic] reload-failed: editions was not reloaded: the manifest has 2 problems
                    editions.toml:25: functions.Work.trigger.queueName: is missing; add `queueName = "my-queue"`
                    editions.toml:25: functions.Work.trigger.queueNam: unknown field; did you mean `queueName`?
                  → The version from before (<id>) keeps serving.
        <now>  [host] editions is the same as before (<time> s)
        <now>  [diagnostic] reload-failed: editions was not reloaded: editions.toml: [app] name is 'tidings' now and was 'editions': a reload cannot give an app another name, because its data belongs to the name; name it 'editions' again, or stop the host and start it anew
                  → The version from before (<id>) keeps serving.
        <now>  [host] editions is the same as before (<time> s)"#]].assert_eq(&project.masked(&host, lines));
    host.stop();
}

#[test]
fn settings_are_followed_too() {
    let project = Project::new();
    project.edit("editions", "route = \"which\"", "route = \"%PLACE%\"");
    project.write("local.settings.toml", "[values]\nPLACE = \"here\"\n");
    let mut host = project.start(&["--ephemeral"]);
    host.client().get("/api/here").expect(200);
    project.write("local.settings.toml", "[values]\nPLACE = \"there\"\n");
    let mut lines = host.process.lines_until("[reload] ");
    host.client().get("/api/here").expect(404);
    host.client().get("/api/there").expect(200);

    let from_browser = |host: &Host| {
        let answer = host.client().try_send_with(Method::GET, "/api/there", &[("origin", "https://shop.example")], "");
        answer.expect("the host answers").header("access-control-allow-origin").to_owned()
    };
    assert_eq!(from_browser(&host), "");
    project.write("local.settings.toml", "[values]\nPLACE = \"there\"\n[host]\ncors = \"https://shop.example\"\n");
    lines.extend(host.process.lines_until("[reload] "));
    assert_eq!(from_browser(&host), "https://shop.example");

    project.remove("local.settings.toml");
    lines.extend(host.process.lines_until("keeps serving"));
    host.client().get("/api/there").expect(200);
    lines.extend(host.process.lines_until_quiet());
    expect![[r#"
        <now>  [function changed]  Which
        <now>  [reload] Reloaded editions (<time>): loaded in <time>, switched in <time> (<id>)
        <now>  [reload] Reloaded editions (<time>): loaded in <time>, switched in <time> (<id>)
        <now>  [diagnostic] reload-failed: editions was not reloaded: the manifest has a problem
                    editions.toml:12: functions.Which.trigger.route: there is no app setting `PLACE`; set it in the environment, or under `[values]` in local.settings.toml beside the manifest
                  → The version from before (<id>) keeps serving."#]].assert_eq(&project.masked(&host, lines));
    host.stop();
}

#[test]
fn what_a_reload_cannot_change_is_said() {
    let project = Project::new();
    let mut host = project.start(&["--ephemeral"]);
    project.edit("editions", "[functions.Which]", "[host.storage]\nreservedDiskBytes = 33554432\n[functions.Which]");
    let mut lines = host.process.lines_until("[reload] ");
    lines.extend(host.process.lines_until_quiet());
    expect![[r#"
        <now>  [reload] Reloaded editions (<time>): loaded in <time>, switched in <time> (<id>)
        <now>  [host] host.storage takes effect with the next start of the host only; everything else was taken over"#]]
    .assert_eq(&project.masked(&host, lines));
    host.stop();
}

#[test]
fn instances_stay_on_the_code_that_they_began_with() {
    for options in [&["--ephemeral"][..], &[]] {
        let project = Project::new();
        let mut host = project.start(options);
        host.start_staying("old");
        project.reload(&mut host, 1);
        host.start_staying("new");
        project.reload(&mut host, 2);
        assert_eq!(host.finish("old"), json!([says(0), says(0), says(0)]), "{options:?}");
        assert_eq!(host.finish("new"), json!([says(1), says(1), says(1)]), "{options:?}");
        host.stop();
    }
}

#[test]
fn instances_go_on_with_new_code_if_somebody_wants_that() {
    let project = Project::new();
    let mut host = project.start(&["--ephemeral", "--move-instances"]);
    host.start_staying("moved");
    project.reload(&mut host, 1);
    assert_eq!(host.finish("moved"), json!([says(0), says(1), says(1)]));
    host.stop();
}

#[test]
fn code_that_instances_would_depart_from_is_not_loaded() {
    let project = Project::empty();
    let functions = r#"
[functions.Renovate]
trigger = { type = "orchestrationTrigger" }
[functions.Paint]
trigger = { type = "activityTrigger" }
[functions.Plaster]
trigger = { type = "activityTrigger" }
"#;
    project.add("steps", functions);
    let save = |component| project.write("steps-source.wasm", fs::read(component).expect("it was just built"));
    save(renovation::before());
    let mut host = project.start_all(&["steps"], &["--ephemeral", "--move-instances"]);
    host.client().start_as("Renovate", "house", &json!(null));
    host.look_until("it waits until it is dry", |client| {
        (client.explain("house")["waitingFor"][0]["kind"] == "Event").then_some(())
    });
    save(renovation::after());
    let mut lines = host.process.lines_until("keeps serving");
    save(renovation::before());
    lines.extend(host.process.lines_until("is the same as before"));
    expect![[r#"
        <now>  [build] Building steps ...
        <now>  [build] Built steps in <time>
        <now>  [diagnostic] reload-failed: steps was not reloaded: 1 of the 1 instances of 'steps' that have not ended do not fit the new code, which they would go on with; keep the old steps in their order, let the instances end, or stop the host and start it anew: then they fail when they go on
                    'Renovate', instance house, event 2, TaskScheduled 'Paint': a previous execution of this orchestration scheduled TaskScheduled with sequence ID 0 and name 'Paint', but the current replay scheduled TaskScheduled with sequence ID 0 and name 'Plaster'
                  → The version from before (<id>) keeps serving.
        <now>  [build] Building steps ...
        <now>  [build] Built steps in <time>
        <now>  [host] steps is the same as before after building for <time> s (<time> s)"#]].assert_eq(&project.masked(&host, lines));

    host.client().raise("house", "Dry", &json!(null));
    assert_eq!(host.wait_for_end("house")["output"], json!(["painted before", "plastered before"]));
    save(renovation::after());
    host.process.wait_for("[reload] ");
    host.client().start_as("Renovate", "garden", &json!(null));
    host.client().raise("garden", "Dry", &json!(null));
    assert_eq!(host.wait_for_end("garden")["output"], json!(["plastered after", "painted after"]));
    host.stop();
}

#[test]
fn what_was_built_elsewhere_is_taken_up_without_building() {
    let project = Project::new();
    project.write("editions.wasm", edition_of_component(0));
    let mut host = project.start(&["--ephemeral", "--no-build"]);
    project.save("editions", 1);
    assert_eq!(host.process.lines_until_quiet(), Vec::<String>::new());
    project.write("editions.wasm", edition_of_component(1));
    let line = host.process.wait_for_line("[reload] ");
    assert!(!line.contains("built in"), "{line}");
    assert_eq!(host.which(), says(1));
    host.stop();
}

#[test]
fn whoever_does_not_want_it_is_left_alone() {
    let project = Project::new();
    let mut host = project.start(&["--ephemeral", "--no-watch"]);
    project.save("editions", 1);
    project.write("editions.wasm", edition_of_component(1));
    project.edit("editions", "route = \"tarry\"", "route = \"linger\"");
    assert_eq!(host.process.lines_until_quiet(), Vec::<String>::new());
    assert_eq!(host.which(), says(0));
    host.stop();
}

#[test]
fn a_build_that_runs_does_not_keep_the_host_from_ending() {
    let project = Project::new();
    let mut host = project.start(&["--ephemeral"]);
    project.write("hold", "");
    project.save("editions", 1);
    host.process.wait_for("[build] Building editions");
    host.stop();
}

//! The loop on real files with real commands; what loads is made up.

mod world;

use expect_test::expect;

use self::world::World;

/// Copies its source, so that the component is what the source is; a source that says `wrong` is no program.
const COPY_A: &str = "grep -q wrong a/src.txt && { echo 'a/src.txt: wrong' >&2; exit 1; }; cp a/src.txt a.wasm";

fn two_components() -> String {
    format!(
        r#"
        app = {{ name = "app", version = "1.0.0" }}
        functions.F = {{ component = "a", trigger = {{ type = "httpTrigger" }} }}
        [components.a]
        source = "a.wasm"
        build = {{ command = "{COPY_A}", watch = ["a/*"] }}
        [components.b]
        source = "b.wasm"
        build = {{ command = "cp b/src.txt b.wasm", watch = ["b/*"] }}
        "#
    )
}

#[tokio::test]
async fn only_what_has_changed_is_built() {
    let mut world = World::new(&two_components()).await;
    world.write("b/src.txt", "two");
    expect![[r#"
        building b
        built b
        reloaded app after building: a.wasm: one, b.wasm: two
    "#]]
    .assert_eq(&world.told(3).await);
    world.write("a/src.txt", "two");
    world.write("b/src.txt", "three");
    expect![[r#"
        building a
        built a
        building b
        built b
        reloaded app after building: a.wasm: two, b.wasm: three
    "#]]
    .assert_eq(&world.told(5).await);
    // A source without consequences.
    world.write("b/notes.txt", "new");
    expect![[r#"
        building b
        built b
        app is the same after building
    "#]]
    .assert_eq(&world.told(3).await);
    assert_eq!(world.loaded(), ["a.wasm: one, b.wasm: two", "a.wasm: two, b.wasm: three"]);
    assert_eq!(world.announced(), ["b", "a", "b", "b"]);
}

#[tokio::test]
async fn a_touch_does_nothing() {
    let mut world = World::new(&two_components()).await;
    for file in ["a/src.txt", "app.toml", "a.wasm"] {
        world.write(file, &world.read(file));
    }
    world.write("b/src.txt", "two");
    expect![[r#"
        building b
        built b
        reloaded app after building: a.wasm: one, b.wasm: two
    "#]]
    .assert_eq(&world.told(3).await);
    assert_eq!(world.loaded().len(), 1);
}

#[tokio::test]
async fn two_quick_saves_are_one_build() {
    let mut world = World::new(&two_components()).await;
    world.write("a/src.txt", "two");
    world.write("a/src.txt", "three");
    expect![[r#"
        building a
        built a
        reloaded app after building: a.wasm: three, b.wasm: one
    "#]]
    .assert_eq(&world.told(3).await);
    world.write("b/src.txt", "two");
    expect![[r#"
        building b
        built b
        reloaded app after building: a.wasm: three, b.wasm: two
    "#]]
    .assert_eq(&world.told(3).await);
    assert_eq!(world.loaded(), ["a.wasm: three, b.wasm: one", "a.wasm: three, b.wasm: two"]);
}

#[tokio::test]
async fn a_broken_build_leaves_everything_as_it_is_and_is_tried_again() {
    let mut world = World::new(&two_components()).await;
    world.write("a/src.txt", "wrong");
    expect![[r#"
        building a
        app failed: component 'a' cannot be built: `grep -q wrong a/src.txt && { echo 'a/src.txt: wrong' >&2; exit 1; }; cp a/src.txt a.wasm` in FOLDER ended with exit status: 1; correct what it says above
        output: a/src.txt: wrong
        serving: the first
    "#]].assert_eq(&world.told(2).await);
    // What is broken is still owed, and what is not does not overtake it.
    world.write("b/src.txt", "two");
    expect![[r#"
        building a
        app failed: component 'a' cannot be built: `grep -q wrong a/src.txt && { echo 'a/src.txt: wrong' >&2; exit 1; }; cp a/src.txt a.wasm` in FOLDER ended with exit status: 1; correct what it says above
        output: a/src.txt: wrong
        serving: the first
        building b
        built b
    "#]].assert_eq(&world.told(4).await);
    assert_eq!(world.loaded(), Vec::<String>::new());
    world.write("a/src.txt", "right");
    expect![[r#"
        building a
        built a
        reloaded app after building: a.wasm: right, b.wasm: two
    "#]]
    .assert_eq(&world.told(3).await);
    assert_eq!(world.loaded(), ["a.wasm: right, b.wasm: two"]);
}

#[tokio::test]
async fn back_to_what_is_served_is_said_too() {
    let mut world = World::new(&two_components()).await;
    world.write("a/src.txt", "wrong");
    world.told(2).await;
    world.write("a/src.txt", "one");
    expect![[r#"
        building a
        built a
        app is the same after building
    "#]]
    .assert_eq(&world.told(3).await);
    assert_eq!(world.loaded(), Vec::<String>::new());
}

#[tokio::test]
async fn a_broken_load_is_tried_again_with_the_next_change() {
    let mut world = World::new(&two_components()).await;
    world.write("b/src.txt", "does not load");
    expect![[r#"
        building b
        built b
        app failed: that is no component
        output: 
        serving: the first
    "#]]
    .assert_eq(&world.told(3).await);
    world.write("a/src.txt", "two");
    expect![[r#"
        building a
        built a
        app failed: that is no component
        output: 
        serving: the first
    "#]]
    .assert_eq(&world.told(3).await);
    world.write("b/src.txt", "one");
    expect![[r#"
        building b
        built b
        reloaded app after building: a.wasm: two, b.wasm: one
    "#]]
    .assert_eq(&world.told(3).await);
    assert_eq!(
        world.loaded(),
        ["a.wasm: one, b.wasm: does not load", "a.wasm: two, b.wasm: does not load", "a.wasm: two, b.wasm: one"]
    );
}

#[tokio::test]
async fn a_change_during_a_build_begins_it_anew() {
    let slow = r#"
        app = { name = "app", version = "1.0.0" }
        functions.F = { component = "a", trigger = { type = "httpTrigger" } }
        components.a = { source = "a.wasm", build = { command = "./slow", watch = ["a/*"] } }
        "#;
    let mut world = World::new(slow).await;
    // Waits to be stopped unless the source is final.
    world.program("slow", "cp a/src.txt a.wasm; grep -q final a/src.txt && exit; echo begun > begun; cat gate");
    world.pipe("begun");
    world.pipe("gate");
    world.write("a/src.txt", "two");
    expect![[r#"
        building a
    "#]]
    .assert_eq(&world.told(1).await);
    assert_eq!(world.read("begun"), "begun\n");
    world.write("a/src.txt", "final");
    expect![[r#"
        a again because of FOLDER/a/src.txt
        building a
        built a
        reloaded app after building: a.wasm: final
    "#]]
    .assert_eq(&world.told(4).await);
    assert_eq!(world.loaded(), ["a.wasm: final"]);
}

#[tokio::test]
async fn a_build_that_writes_its_own_sources_ends() {
    let generator = r#"
        app = { name = "app", version = "1.0.0" }
        functions.F = { component = "a", trigger = { type = "httpTrigger" } }
        components.a = { source = "a.wasm", build = { command = "./generate", watch = ["a/*"] } }
        "#;
    let mut world = World::new(generator).await;
    // The same every time: seen once, and not again.
    world.program("generate", "sort a/src.txt > a/generated.txt; cp a/generated.txt a.wasm");
    world.write("a/src.txt", "two");
    let told = world.told_up_to("reloaded").await;
    assert!(told.matches("building a").count() <= 3, "{told}");
    // Another every time.
    world.program("generate", "echo >> a/generated.txt; wc -l a/generated.txt > a.wasm");
    world.write("a/src.txt", "three");
    let told = world.told_up_to("reloaded").await;
    assert!(told.contains("FOLDER/a/generated.txt changed during each of the last builds"), "{told}");
    assert_eq!(told.matches("building a").count(), 5, "{told}");
    // From then on that is known.
    world.write("a/src.txt", "four");
    expect![[r#"
        building a
        built a
        reloaded app after building: a.wasm: 7 a/generated.txt
    "#]]
    .assert_eq(&world.told_up_to("reloaded").await);
}

#[tokio::test]
async fn an_edit_of_the_manifest_is_taken_over() {
    let mut world = World::new(&two_components()).await;
    world.edit("app.toml", "1.0.0", "1.1.0");
    expect![[r#"
        reloaded app without building: a.wasm: one, b.wasm: one
    "#]]
    .assert_eq(&world.told(1).await);
    world.edit("app.toml", "1.1.0", "");
    expect![[r#"
        app failed: the manifest has a problem
        FOLDER/app.toml:2: app.version: "" is not a valid name; use letters, digits, `.`, `-`, `_` and `+`, 64 characters at most, such as "1.0.0"
        output: 
        serving: a.wasm: one, b.wasm: one
    "#]].assert_eq(&world.told(1).await);
    // Sources are built by the newest manifest or not at all.
    world.write("a/src.txt", "two");
    expect![[r#"
        app failed: the manifest has a problem
        FOLDER/app.toml:2: app.version: "" is not a valid name; use letters, digits, `.`, `-`, `_` and `+`, 64 characters at most, such as "1.0.0"
        output: 
        serving: a.wasm: one, b.wasm: one
    "#]].assert_eq(&world.told(1).await);
    world.edit("app.toml", "version = \"\"", "version = \"1.2.0\"");
    expect![[r#"
        building a
        built a
        reloaded app after building: a.wasm: two, b.wasm: one
    "#]]
    .assert_eq(&world.told(3).await);
    world.edit("app.toml", "\"app\"", "\"other\"");
    expect![[r#"
        app failed: FOLDER/app.toml: [app] name is 'other' now and was 'app': a reload cannot give an app another name, because its data belongs to the name; name it 'app' again, or stop the host and start it anew
        output: 
        serving: a.wasm: two, b.wasm: one
    "#]].assert_eq(&world.told(1).await);
    world.edit("app.toml", "\"other\"", "\"app\"");
    expect![[r#"
        app is the same without building
    "#]]
    .assert_eq(&world.told(1).await);
}

#[tokio::test]
async fn a_component_that_is_new_or_built_in_another_way_is_built() {
    let mut world = World::new(&two_components()).await;
    world.edit("app.toml", "cp b/src.txt", "cp -f b/src.txt");
    expect![[r#"
        building b
        built b
        app is the same after building
    "#]]
    .assert_eq(&world.told(3).await);
    let new = "[components.c]\nsource = 'c.wasm'\nbuild = { command = 'cp c/src.txt c.wasm', watch = ['c/*'] }";
    world.write("c/src.txt", "one");
    world.write("app.toml", &format!("{}\n{new}", world.read("app.toml")));
    expect![[r#"
        building c
        built c
        reloaded app after building: a.wasm: one, b.wasm: one, c.wasm: one
    "#]]
    .assert_eq(&world.told(3).await);
    world.write("c/src.txt", "two");
    expect![[r#"
        building c
        built c
        reloaded app after building: a.wasm: one, b.wasm: one, c.wasm: two
    "#]]
    .assert_eq(&world.told(3).await);
}

#[tokio::test]
async fn settings_are_taken_over_except_for_those_of_the_host() {
    let mut world = World::new(&two_components()).await;
    world.write("local.settings.toml", "[values]\nGREETING = \"hello\"");
    expect![[r#"
        reloaded app without building: a.wasm: one, b.wasm: one
    "#]]
    .assert_eq(&world.told(1).await);
    world.write("app.toml", &format!("{}\n[host.storage]\nreservedDiskBytes = 33554432", world.read("app.toml")));
    expect![[r#"
        app is the same without building
        host.storage takes effect with the next start of the host only; everything else was taken over
    "#]]
    .assert_eq(&world.told(2).await);
    world.write("local.settings.toml", "[values]\nGREETING = 'hello");
    expect![[r#"
        app failed: FOLDER/local.settings.toml: TOML parse error at line 2, column 18
          |
        2 | GREETING = 'hello
          |                  ^
        invalid literal string, expected `'`

        output: 
        serving: a.wasm: one, b.wasm: one
    "#]]
    .assert_eq(&world.told(1).await);
}

#[tokio::test]
async fn components_that_nobody_builds_are_watched() {
    let ready = r#"
        app = { name = "app", version = "1.0.0" }
        functions.F = { component = "a", trigger = { type = "httpTrigger" } }
        components.a = { source = "a.wasm" }
        "#;
    let mut world = World::new(ready).await;
    world.write("a.wasm", "");
    world.write("a.wasm", "two");
    expect![[r#"
        reloaded app without building: a.wasm: two
    "#]]
    .assert_eq(&world.told(1).await);
    assert_eq!(world.loaded(), ["a.wasm: two"]);
}

#[tokio::test]
async fn what_changes_during_the_first_build_is_followed_later() {
    let mut world = World::not_yet_served(&two_components());
    world.write("a.wasm", "built first");
    world.write("b/src.txt", "two");
    world.serve().await;
    expect![[r#"
        building b
        built b
        reloaded app after building: a.wasm: built first, b.wasm: two
    "#]]
    .assert_eq(&world.told(3).await);
    assert_eq!(world.loaded(), ["a.wasm: built first, b.wasm: two"]);
}

#[tokio::test]
async fn what_cargo_locks_during_the_first_build_is_no_change() {
    let mut world = World::not_yet_served(&two_components());
    world.write("b/Cargo.lock", "version = 4");
    world.serve().await;
    world.write("a/src.txt", "two");
    expect![[r#"
        building a
        built a
        reloaded app after building: a.wasm: two, b.wasm: one
    "#]]
    .assert_eq(&world.told(3).await);
    // Later it is a source like any other.
    world.write("b/Cargo.lock", "version = 4, and more");
    expect![[r#"
        building b
        built b
        app is the same after building
    "#]]
    .assert_eq(&world.told(3).await);
}

#[tokio::test]
async fn apps_that_share_a_build_and_a_component_are_served_by_one_build() {
    let other = two_components().replace(r#"name = "app""#, r#"name = "other""#);
    let mut world = World::not_yet_served_all(&[("app.toml", &two_components()), ("other.toml", &other)]);
    world.serve().await;
    world.write("b/src.txt", "two");
    expect![[r#"
        building b
        built b
        reloaded app after building: a.wasm: one, b.wasm: two
        reloaded other after building: a.wasm: one, b.wasm: two
    "#]]
    .assert_eq(&world.told(4).await);
    // One goes on while the other one cannot be read.
    world.edit("other.toml", "1.0.0", "");
    world.told(1).await;
    world.write("a/src.txt", "two");
    expect![[r#"
        other failed: the manifest has a problem
        FOLDER/other.toml:2: app.version: "" is not a valid name; use letters, digits, `.`, `-`, `_` and `+`, 64 characters at most, such as "1.0.0"
        output: 
        serving: a.wasm: one, b.wasm: two
        building a
        built a
        reloaded app after building: a.wasm: two, b.wasm: two
    "#]].assert_eq(&world.told(4).await);
    world.edit("other.toml", "version = \"\"", "version = \"1.0.0\"");
    expect![[r#"
        building a
        built a
        reloaded other after building: a.wasm: two, b.wasm: two
    "#]]
    .assert_eq(&world.told(3).await);
}

#[tokio::test]
async fn an_app_that_cannot_go_on_is_silent_while_another_one_changes() {
    let other = two_components()
        .replace(r#"name = "app""#, r#"name = "other""#)
        .replace("b/", "c/")
        .replace("b.wasm", "c.wasm");
    let mut world = World::not_yet_served_all(&[("app.toml", &two_components()), ("other.toml", &other)]);
    world.serve().await;
    world.write("c/src.txt", "does not load");
    expect![[r#"
        building b
        built b
        other failed: that is no component
        output: 
        serving: the first
    "#]]
    .assert_eq(&world.told(3).await);
    world.write("b/src.txt", "two");
    expect![[r#"
        building b
        built b
        reloaded app after building: a.wasm: one, b.wasm: two
    "#]]
    .assert_eq(&world.told(3).await);
    world.write("c/src.txt", "two");
    expect![[r#"
        building b
        built b
        reloaded other after building: a.wasm: one, c.wasm: two
    "#]]
    .assert_eq(&world.told(3).await);
}

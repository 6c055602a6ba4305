//! Which function a request reaches, and how templates print.

use expect_test::{Expect, expect};

use crate::route::{Match, Method, Methods, RouteTable, Template};

/// `routes`: one `methods template` a line, `*` for all methods. `requests`: one `METHOD path` a line.
fn check(prefix: &str, routes: &str, requests: &str, expected: &Expect) {
    let parsed: Vec<(Template, Methods)> = lines(routes)
        .map(|line| {
            let (methods, template) = line.split_once(' ').unwrap_or((line, ""));
            let listed = methods.split(',').filter(|name| *name != "*");
            let listed = listed.map(|name| Method::from_manifest(name).unwrap());
            (template.parse().unwrap_or_else(|e| panic!("{template}: {e}")), Methods::listed(listed))
        })
        .collect();
    let table = RouteTable::new(
        prefix,
        parsed.iter().enumerate().map(|(index, (template, methods))| (index, template, *methods)),
    );
    let mut answers = String::new();
    for request in lines(requests) {
        let (method, path) = request.split_once(' ').unwrap();
        let answer = match table.find(method, path) {
            Match::Function { index, params, head_as_get } => {
                let values: String = params.iter().map(|(name, value)| format!(" {name}={value:?}")).collect();
                format!("{}{values}{}", parsed[index].0, if head_as_get { " (as GET)" } else { "" })
            }
            Match::MethodNotAllowed { allow } => format!("405 {allow:?}"),
            Match::NotFound => "404".to_owned(),
        };
        answers.push_str(&format!("{request} -> {answer}\n"));
    }
    expected.assert_eq(&answers);
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}

#[test]
fn literals_and_parameters() {
    check(
        "api",
        "* hello
         * trips/{id}
         * trips/{id}/days/{day}",
        "GET /api/hello
         GET /API/Hello/
         GET /api/hello//
         GET /hello
         GET /api
         GET /
         OPTIONS *
         GET /api/trips/42
         GET /api/trips/
         GET /api/trips//
         GET /api/trips//days/1
         GET /api/trips/42/days/mon
         GET /api/trips/42/days",
        &expect![[r#"
            GET /api/hello -> hello
            GET /API/Hello/ -> hello
            GET /api/hello// -> 404
            GET /hello -> 404
            GET /api -> 404
            GET / -> 404
            OPTIONS * -> 404
            GET /api/trips/42 -> trips/{id} id="42"
            GET /api/trips/ -> 404
            GET /api/trips// -> 404
            GET /api/trips//days/1 -> 404
            GET /api/trips/42/days/mon -> trips/{id}/days/{day} id="42" day="mon"
            GET /api/trips/42/days -> 404
        "#]],
    );
}

#[test]
fn absent_parameters_and_defaults() {
    check(
        "",
        "* a/{x?}
         * b/{x=1}/{y:int?}
         * c/{*rest}
         * d/{**rest:minlength(3)}
         * e/{*rest=index.html}",
        "GET /a
         GET /a/
         GET /a/v
         GET /a/v/w
         GET /b
         GET /b/2
         GET /b/2/3
         GET /b/2/x
         GET /c
         GET /c/
         GET /c/p/q/
         GET /c//p
         GET /d/ab
         GET /d/a/b
         GET /e
         GET /e/x",
        &expect![[r#"
            GET /a -> a/{x?}
            GET /a/ -> a/{x?}
            GET /a/v -> a/{x?} x="v"
            GET /a/v/w -> 404
            GET /b -> b/{x=1}/{y:int?} x="1"
            GET /b/2 -> b/{x=1}/{y:int?} x="2"
            GET /b/2/3 -> b/{x=1}/{y:int?} x="2" y="3"
            GET /b/2/x -> 404
            GET /c -> c/{*rest}
            GET /c/ -> c/{*rest}
            GET /c/p/q/ -> c/{*rest} rest="p/q/"
            GET /c//p -> c/{*rest} rest="/p"
            GET /d/ab -> 404
            GET /d/a/b -> d/{**rest:minlength(3)} rest="a/b"
            GET /e -> e/{*rest=index.html} rest="index.html"
            GET /e/x -> e/{*rest=index.html} rest="x"
        "#]],
    );
}

#[test]
fn the_most_specific_template_wins() {
    check(
        "",
        "* {*all}
         * {*all:regex(^x)}
         * t/{a?}
         * t/{a}
         * t/{a:int}
         * t/v{a}
         * t/seven
         * {a}/{b}
         * {a:alpha}/{b}
         * t
         * {a:alpha}/x
         * {b:maxlength(3)}/{c:int}",
        "GET /t/seven
         GET /t/7
         GET /t/v1
         GET /t/other
         GET /t
         GET /seven/x
         GET /7/x
         GET /77/7
         GET /tt/7
         GET /a/b/c
         GET /xa/b/c",
        &expect![[r#"
            GET /t/seven -> t/seven
            GET /t/7 -> t/{a:int} a="7"
            GET /t/v1 -> t/v{a} a="1"
            GET /t/other -> t/{a} a="other"
            GET /t -> t
            GET /seven/x -> {a:alpha}/x a="seven"
            GET /7/x -> {a}/{b} a="7" b="x"
            GET /77/7 -> {b:maxlength(3)}/{c:int} b="77" c="7"
            GET /tt/7 -> {b:maxlength(3)}/{c:int} b="tt" c="7"
            GET /a/b/c -> {*all} all="a/b/c"
            GET /xa/b/c -> {*all:regex(^x)} all="xa/b/c"
        "#]],
    );
}

#[test]
fn methods() {
    check(
        "",
        "get items/{id}
         put,delete items/{id}
         head,get both
         post only-post
         * any
         get shadowed/x
         post shadowed/{y}",
        "GET /items/1
         HEAD /items/1
         PUT /items/1
         POST /items/1
         get /items/1
         HEAD /both
         HEAD /only-post
         PROPFIND /any
         PROPFIND /both
         POST /shadowed/x
         PUT /shadowed/x",
        &expect![[r#"
            GET /items/1 -> items/{id} id="1"
            HEAD /items/1 -> items/{id} id="1" (as GET)
            PUT /items/1 -> items/{id} id="1"
            POST /items/1 -> 405 [Get, Delete, Head, Put]
            get /items/1 -> 405 [Get, Delete, Head, Put]
            HEAD /both -> both
            HEAD /only-post -> 405 [Post]
            PROPFIND /any -> any
            PROPFIND /both -> 405 [Get, Head]
            POST /shadowed/x -> shadowed/{y} y="x"
            PUT /shadowed/x -> 405 [Get, Post, Head]
        "#]],
    );
}

#[test]
fn mixed_segments() {
    check(
        "",
        "* f/{name}.{extension}
         * g/v{major:int}.{minor:int}
         * h/{a}--{b}.txt
         * i/x{a}x",
        "GET /f/a.b
         GET /f/a.b.c
         GET /f/.c
         GET /f/a.
         GET /f/..c
         GET /g/v1.2
         GET /g/V1.x
         GET /g/v1.2.3
         GET /h/a--b--c.TXT
         GET /h/a---b.txt
         GET /h/--b.txt
         GET /i/xyx
         GET /i/xx
         GET /i/xxx",
        &expect![[r#"
            GET /f/a.b -> f/{name}.{extension} name="a" extension="b"
            GET /f/a.b.c -> f/{name}.{extension} name="a.b" extension="c"
            GET /f/.c -> 404
            GET /f/a. -> 404
            GET /f/..c -> f/{name}.{extension} name="." extension="c"
            GET /g/v1.2 -> g/v{major:int}.{minor:int} major="1" minor="2"
            GET /g/V1.x -> 404
            GET /g/v1.2.3 -> 404
            GET /h/a--b--c.TXT -> h/{a}--{b}.txt a="a--b" b="c"
            GET /h/a---b.txt -> h/{a}--{b}.txt a="a-" b="b"
            GET /h/--b.txt -> 404
            GET /i/xyx -> i/x{a}x a="y"
            GET /i/xx -> 404
            GET /i/xxx -> i/x{a}x a="x"
        "#]],
    );
}

#[test]
fn percent_encoding() {
    check(
        "api",
        "* straße/{x}
         * caf\u{e9}
         * {{x}}
         * files/{*path}",
        "GET /api/stra%C3%9Fe/a%20b
         GET /api/STRA%C3%9FE/a%2Fb
         GET /api/CAF%C3%89
         GET /api/stra%C3%9Fe/100%
         GET /api/stra%C3%9Fe/%FF%zz
         GET /api/stra%C3%9Fe/a+b
         GET /%61pi/%7Bx%7d
         GET /api/files/a%20b/c%2fd",
        &expect![[r#"
            GET /api/stra%C3%9Fe/a%20b -> straße/{x} x="a b"
            GET /api/STRA%C3%9FE/a%2Fb -> straße/{x} x="a/b"
            GET /api/CAF%C3%89 -> café
            GET /api/stra%C3%9Fe/100% -> straße/{x} x="100%"
            GET /api/stra%C3%9Fe/%FF%zz -> straße/{x} x="%FF%zz"
            GET /api/stra%C3%9Fe/a+b -> straße/{x} x="a+b"
            GET /%61pi/%7Bx%7d -> {{x}}
            GET /api/files/a%20b/c%2fd -> files/{*path} path="a b/c/d"
        "#]],
    );
}

/// Which of the values satisfy the constraint.
fn check_constraint(constraint: &str, values: &[&str], expected: &Expect) {
    let template: Template = format!("{{x:{constraint}}}").parse().unwrap_or_else(|e| panic!("{constraint}: {e}"));
    let constraint = &template.parameters().next().unwrap().constraints[0];
    let satisfied: Vec<&str> = values.iter().copied().filter(|value| constraint.holds(value)).collect();
    expected.assert_eq(&satisfied.join(" | "));
}

#[test]
fn number_constraints() {
    let values = [
        "7",
        "-7",
        "+7",
        "07",
        "2147483648",
        "9223372036854775808",
        "1.5",
        ".5",
        "5.",
        "1e3",
        "inf",
        "NaN",
        "x",
        "-",
        ".",
    ];
    check_constraint("int", &values, &expect!["7 | -7 | +7 | 07"]);
    check_constraint("long", &values, &expect!["7 | -7 | +7 | 07 | 2147483648"]);
    check_constraint(
        "decimal",
        &values,
        &expect!["7 | -7 | +7 | 07 | 2147483648 | 9223372036854775808 | 1.5 | .5 | 5."],
    );
    check_constraint(
        "double",
        &values,
        &expect!["7 | -7 | +7 | 07 | 2147483648 | 9223372036854775808 | 1.5 | .5 | 5. | 1e3"],
    );
    check_constraint("FLOAT", &["1", "x"], &expect!["1"]);
    check_constraint(
        "decimal",
        &["79228162514264337593543950335", "79228162514264337593543950336"],
        &expect!["79228162514264337593543950335"],
    );
    check_constraint("min(5)", &values, &expect!["7 | +7 | 07 | 2147483648"]);
    check_constraint("max(-1)", &values, &expect!["-7"]);
    check_constraint("range(-7, 7)", &values, &expect!["7 | -7 | +7 | 07"]);
}

#[test]
fn text_constraints() {
    let values = ["true", "FALSE", "yes", "abc", "ab1", "ä", "\u{1f600}", "a"];
    check_constraint("bool", &values, &expect!["true | FALSE"]);
    check_constraint("alpha", &values, &expect!["true | FALSE | yes | abc | a"]);
    check_constraint("required", &values, &expect!["true | FALSE | yes | abc | ab1 | ä | 😀 | a"]);
    check_constraint("length(2)", &values, &expect!["😀"]);
    check_constraint("length(3,4)", &values, &expect!["true | yes | abc | ab1"]);
    check_constraint("minlength(5)", &values, &expect!["FALSE"]);
    check_constraint("maxlength(1)", &values, &expect!["ä | a"]);
    check_constraint("regex(^[a-c]{{2,3}}\\d?$)", &values, &expect!["abc | ab1"]);
    check_constraint("regex(^(t|y):?)", &values, &expect!["true | yes"]);
    check_constraint("regex([)(]|ALS)", &values, &expect!["FALSE"]);
}

#[test]
fn guids_and_dates() {
    check_constraint(
        "guid",
        &[
            "0f8fad5b-d9cb-469f-a165-70867728950e",
            "0F8FAD5BD9CB469FA16570867728950E",
            "(0f8fad5b-d9cb-469f-a165-70867728950e)",
            "(0F8FAD5BD9CB469FA16570867728950E)",
            "0f8fad5b-d9cb-469f-a165-70867728950g",
            "0f8fad5b-d9cb469f-a165-70867728950e",
        ],
        &expect![
            "0f8fad5b-d9cb-469f-a165-70867728950e | 0F8FAD5BD9CB469FA16570867728950E | (0f8fad5b-d9cb-469f-a165-70867728950e)"
        ],
    );
    check_constraint(
        "datetime",
        &[
            "2024-02-29",
            "2023-02-29",
            "2024-13-01",
            "2024-04-31",
            "2016-12-31 7:32pm",
            "2016-12-31T13:32pm",
            "2016-12-31T23:59:59.1234567Z",
            "2016-12-31T23:59+02:00",
            "2016-12-31T24:00",
            "2016-12-31T",
            "12:30",
        ],
        &expect!["2024-02-29 | 2016-12-31 7:32pm | 2016-12-31T23:59:59.1234567Z | 2016-12-31T23:59+02:00"],
    );
}

#[test]
fn templates_print_as_they_were_written() {
    for text in [
        "",
        "a",
        "a/{b}/{c?}",
        "{x:int:range(1,5)=3}",
        "{x:regex(^a{{2}}:b=c?$)?}",
        "{{literal}}/v{major}.{minor}",
        "a/{*rest:minlength(2)}",
        "{**rest=a/b}",
    ] {
        assert_eq!(text.parse::<Template>().unwrap().to_string(), text);
    }
}

#[test]
fn differences_from_azures_order() {
    let text = r#"
        [app]
        name = "ported"
        version = "1"
        [components.main]
        source = "main.wasm"
        [functions]
        aaa.trigger = { type = "httpTrigger", route = "{*path}" }
        Trips.trigger = { type = "httpTrigger", methods = ["get"], route = "trips/{id:guid}" }
        Any.trigger = { type = "httpTrigger", methods = ["post"], route = "trips/{id}" }
        aa.trigger = { type = "httpTrigger", route = "early" }
        zzz.trigger = { type = "httpTrigger", methods = ["post"], route = "trips/{a:int}" }
        odd.trigger = { type = "httpTrigger", route = "odd/{x:regex(^never$)}" }
        Run.trigger = { type = "orchestrationTrigger" }
    "#;
    let app = crate::parse(text, "ported.toml", &crate::no_settings).unwrap();
    let notices: Vec<String> = app.order_notices().iter().map(ToString::to_string).collect();
    expect![[r#"
        `/api/trips/x` runs `Any`, whose route is more specific; Azure would run `aaa`, whose name comes first
        `/api/trips/0f8fad5b-d9cb-469f-a165-70867728950e` runs `Trips`, whose route is more specific; Azure would run `aaa`, whose name comes first
        `/api/trips/1` runs `zzz`, whose route is more specific; Azure would run `aaa`, whose name comes first"#]].assert_eq(&notices.join("\n"));
}

#[test]
fn routes_are_told_in_the_order_of_precedence() {
    let templates: Vec<Template> =
        ["{*rest}", "trips/{id}", "trips/mine", "trips/{id:int}", "{a}/{b}"].map(|text| text.parse().unwrap()).into();
    let methods = Methods::listed([Method::Get]);
    let table =
        RouteTable::new("api", templates.iter().enumerate().map(|(index, template)| (index, template, methods)));
    let told: String = table.in_order().map(|(index, template, _)| format!("{index} {template}\n")).collect();
    expect![[r#"
        2 trips/mine
        3 trips/{id:int}
        1 trips/{id}
        4 {a}/{b}
        0 {*rest}
    "#]]
    .assert_eq(&told);
}

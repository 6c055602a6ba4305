//! What binding expressions come to, and why some of them are refused.

use expect_test::{Expect, expect};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::cell::Cell;
use storage_model::Ticks;

use crate::expression::{Data, Expression};

struct Message {
    values: Value,
    moment: Ticks,
    guids: Cell<u128>,
}

impl Message {
    fn new(values: Value) -> Message {
        // 2026-03-01T15:04:05.0600700Z
        Message { values, moment: 17_723_774_450_600_700, guids: Cell::new(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef) }
    }
}

impl Data for Message {
    fn value(&self, name: &str) -> Option<&Value> {
        let object = self.values.as_object().unwrap();
        object.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    fn names(&self) -> Vec<&str> {
        self.values.as_object().unwrap().keys().map(String::as_str).collect()
    }

    fn moment(&self) -> Ticks {
        self.moment
    }

    fn random_guid(&self) -> u128 {
        self.guids.replace(self.guids.get() + 1)
    }

    fn function(&self) -> &str {
        "BookTrip"
    }
}

fn message() -> Message {
    Message::new(json!({
        "queueTrigger": "raw",
        "id": 7,
        "price": 1.5,
        "urgent": true,
        "nothing": null,
        "stops": [1, 2],
        "name": "O'Neill",
        "customer": { "Name": "Ada", "address": { "city": "Bern" } },
        "Headers": { "x-trip-id": "t1" },
        "{}": "odd",
    }))
}

/// One line for each expression: what it comes to, or why it does not.
fn check(expressions: &[&str], expected: &Expect) {
    check_each(expressions, expected, |expression| expression.evaluate(&message()).map_err(|e| e.to_string()));
}

fn check_each(expressions: &[&str], expected: &Expect, evaluate: impl Fn(&Expression) -> Result<String, String>) {
    let lines = expressions.iter().map(|text| match Expression::parse(text) {
        Ok(expression) => match evaluate(&expression) {
            Ok(value) => format!("{text} => {value}\n"),
            Err(error) => format!("{error}\n"),
        },
        Err(error) => format!("{text} refused: {error}\n"),
    });
    expected.assert_eq(&lines.collect::<String>());
}

#[test]
fn data_is_found_by_path_without_case() {
    check(
        &[
            "",
            "trips",
            "{queueTrigger}",
            "{QUEUETRIGGER}-{id}-{price}-{urgent}",
            "{customer.name} from {Customer.Address.City}",
            "{headers.X-Trip-Id}",
            "{{literal}} {{{id}}}",
            "a}}b{{c",
        ],
        &expect![[r#"
             => 
            trips => trips
            {queueTrigger} => raw
            {QUEUETRIGGER}-{id}-{price}-{urgent} => raw-7-1.5-true
            {customer.name} from {Customer.Address.City} => Ada from Bern
            {headers.X-Trip-Id} => t1
            {{literal}} {{{id}}} => {literal} {7}
            a}}b{{c => a}b{c
        "#]],
    );
}

#[test]
fn what_is_not_there_is_named_with_what_is() {
    check(
        &["x-{idd}", "{customer.nam}", "{customer.name.first}", "{customer}", "{stops}", "{nothing}", "{nothing.more}"],
        &expect![[r#"
            the binding expression 'x-{idd}' cannot be filled in: {idd}: there is no `idd`; there is: Headers, customer, id, name, nothing, price, queueTrigger, stops, urgent, {}
            the binding expression '{customer.nam}' cannot be filled in: {customer.nam}: `customer` has no `nam`; there is: Name, address
            the binding expression '{customer.name.first}' cannot be filled in: {customer.name.first}: `customer.name` is a text, which has no `first`
            the binding expression '{customer}' cannot be filled in: {customer}: `customer` is an object, not a text; name one of its properties; there is: Name, address
            the binding expression '{stops}' cannot be filled in: {stops}: `stops` is an array, not a text
            the binding expression '{nothing}' cannot be filled in: {nothing}: `nothing` is null, not a text
            the binding expression '{nothing.more}' cannot be filled in: {nothing.more}: `nothing` is null, which has no `more`
        "#]],
    );
}

#[test]
fn the_host_knows_some_words_itself() {
    check(
        &[
            "{rand-guid}",
            "{rand-guid:N} {Rand-Guid:D} {rand-guid:b} {rand-guid:P}",
            "{sys.randguid}",
            "{sys.methodname}",
            "{SYS.UtcNow}",
            "{datetime}",
            "{datetime:yyyy-MM}/{datetime:dd}",
        ],
        &expect![[r#"
            {rand-guid} => 01234567-89ab-cdef-0123-456789abcdef
            {rand-guid:N} {Rand-Guid:D} {rand-guid:b} {rand-guid:P} => 0123456789abcdef0123456789abcdef 01234567-89ab-cdef-0123-456789abcdf0 {01234567-89ab-cdef-0123-456789abcdf1} (01234567-89ab-cdef-0123-456789abcdf2)
            {sys.randguid} => 01234567-89ab-cdef-0123-456789abcdef
            {sys.methodname} => BookTrip
            {SYS.UtcNow} => 2026-03-01T15-04-05Z
            {datetime} => 2026-03-01T15-04-05Z
            {datetime:yyyy-MM}/{datetime:dd} => 2026-03/01
        "#]],
    );
}

#[test]
fn moments_are_written_as_dotnet_does() {
    check(
        &[
            "{datetime:y yy yyy yyyyy}",
            "{datetime:M MM MMM MMMM}",
            "{datetime:%d d dd ddd dddd}",
            "{datetime:H HH h hh m mm s ss t tt}",
            "{datetime:f ff fff ffff fffff ffffff fffffff}",
            "{datetime:ss.FF ss.FFF ss.F FFFFFFF}",
            "{datetime:z zz zzz K g}",
            "{datetime:yyyyMMddTHHmmssZ}",
            "{datetime:'at' HH\\h \"mm\" %m}",
            "{datetime:d}|{datetime:D}|{datetime:f}|{datetime:F}|{datetime:g}|{datetime:G}|{datetime:m}",
            "{datetime:O}|{datetime:R}|{datetime:s}|{datetime:t}|{datetime:T}|{datetime:u}|{datetime:U}|{datetime:Y}",
        ],
        &expect![[r#"
            {datetime:y yy yyy yyyyy} => 26 26 2026 02026
            {datetime:M MM MMM MMMM} => 3 03 Mar March
            {datetime:%d d dd ddd dddd} => 1 1 01 Sun Sunday
            {datetime:H HH h hh m mm s ss t tt} => 15 15 3 03 4 04 5 05 P PM
            {datetime:f ff fff ffff fffff ffffff fffffff} => 0 06 060 0600 06007 060070 0600700
            {datetime:ss.FF ss.FFF ss.F FFFFFFF} => 05.06 05.06 05 06007
            {datetime:z zz zzz K g} => +0 +00 +00:00 Z A.D.
            {datetime:yyyyMMddTHHmmssZ} => 20260301T150405Z
            {datetime:'at' HH\h "mm" %m} => at 15h mm 4
            {datetime:d}|{datetime:D}|{datetime:f}|{datetime:F}|{datetime:g}|{datetime:G}|{datetime:m} => 03/01/2026|Sunday, 01 March 2026|Sunday, 01 March 2026 15:04|Sunday, 01 March 2026 15:04:05|03/01/2026 15:04|03/01/2026 15:04:05|March 01
            {datetime:O}|{datetime:R}|{datetime:s}|{datetime:t}|{datetime:T}|{datetime:u}|{datetime:U}|{datetime:Y} => 2026-03-01T15:04:05.0600700Z|Sun, 01 Mar 2026 15:04:05 GMT|2026-03-01T15:04:05|15:04|15:04:05|2026-03-01 15:04:05Z|Sunday, 01 March 2026 15:04:05|2026 March
        "#]],
    );
}

#[test]
fn what_is_no_expression_is_refused() {
    check(
        &[
            "{",
            "}",
            "{a",
            "a}b",
            "{a{b}}",
            "{}",
            "{a..b}",
            "{.a}",
            "{a b}",
            "{a/b}",
            "{a:b}",
            "{rand-guid:X}",
            "{sys}",
            "{sys.time}",
            "{datetime:YYYY-MM}",
            "{datetime:x}",
            "{datetime:yyyy-MM-DD}",
            "{datetime:ffffffff}",
            "{datetime:'open}",
            "{datetime:yyyy%}",
            "{datetime:yyyy\\}",
        ],
        &expect![[r#"
            { refused: has a `{` without a `}`; close it, or write `{{` for a brace that is meant as such
            } refused: has a `}` without a `{`; write `}}` for a brace that is meant as such
            {a refused: has a `{` without a `}`; close it, or write `{{` for a brace that is meant as such
            a}b refused: has a `}` without a `{`; write `}}` for a brace that is meant as such
            {a{b}} refused: has a `{` without a `}`; close it, or write `{{` for a brace that is meant as such
            {} refused: {} is not the name of a value; write names of letters, digits, `_`, `-`, `$` and `@`, with dots between them; double braces that are meant as such
            {a..b} refused: {a..b} is not the name of a value; write names of letters, digits, `_`, `-`, `$` and `@`, with dots between them; double braces that are meant as such
            {.a} refused: {.a} is not the name of a value; write names of letters, digits, `_`, `-`, `$` and `@`, with dots between them; double braces that are meant as such
            {a b} refused: {a b} is not the name of a value; write names of letters, digits, `_`, `-`, `$` and `@`, with dots between them; double braces that are meant as such
            {a/b} refused: {a/b} is not the name of a value; write names of letters, digits, `_`, `-`, `$` and `@`, with dots between them; double braces that are meant as such
            {a:b} refused: {a:b} has a format; only {datetime:...} and {rand-guid:...} take a format
            {rand-guid:X} refused: `X` is not a form of a GUID; use N, D, B or P
            {sys} refused: {sys} is not known; there are {sys.methodname}, {sys.utcnow} and {sys.randguid}
            {sys.time} refused: {sys.time} is not known; there are {sys.methodname}, {sys.utcnow} and {sys.randguid}
            {datetime:YYYY-MM} refused: the format `YYYY-MM` has an `Y`, which stands for nothing; years are `yyyy`
            {datetime:x} refused: `x` is not a standard format of a date and time; write it like {datetime:yyyy-MM-dd}; texts of your own stand in single quotes
            {datetime:yyyy-MM-DD} refused: the format `yyyy-MM-DD` has an `D`, which stands for nothing; days are `dd`
            {datetime:ffffffff} refused: the format `ffffffff` has 8 times `f`; write it 7 times at most
            {datetime:'open} refused: the format `'open` has a ' that is not closed; write it like {datetime:yyyy-MM-dd}; texts of your own stand in single quotes
            {datetime:yyyy%} refused: the format `yyyy%` has a % with nothing behind it; write it like {datetime:yyyy-MM-dd}; texts of your own stand in single quotes
            {datetime:yyyy\} refused: the format `yyyy\` ends in a backslash; write it like {datetime:yyyy-MM-dd}; texts of your own stand in single quotes
        "#]],
    );
}

#[test]
fn a_value_cannot_change_a_filter() {
    let filters = [
        "PartitionKey eq '{name}' and RowKey eq '{id}'",
        "Price gt {price} and Urgent eq {urgent}",
        "Name eq {name}",
        "Name eq 'it''s {name}' and Price lt {name}",
    ];
    let evaluate = |expression: &Expression| expression.evaluate_filter(&message()).map_err(|e| e.to_string());
    check_each(
        &filters,
        &expect![[r#"
        PartitionKey eq '{name}' and RowKey eq '{id}' => PartitionKey eq 'O''Neill' and RowKey eq '7'
        Price gt {price} and Urgent eq {urgent} => Price gt 1.5 and Urgent eq true
        the binding expression 'Name eq {name}' cannot be filled in: {name}: its value is neither a number nor a boolean; put single quotes around the place
        the binding expression 'Name eq 'it''s {name}' and Price lt {name}' cannot be filled in: {name}: its value is neither a number nor a boolean; put single quotes around the place
    "#]],
        evaluate,
    );
}

#[test]
fn paths_and_literals_are_told() {
    let parse = |text| Expression::parse(text).unwrap();
    let expression = parse("{Query.city}-{rand-guid}-{id}{sys.utcnow}");
    assert_eq!(expression.paths().map(|path| path.join(".")).collect::<Vec<_>>(), ["Query.city", "id"]);
    assert_eq!(expression.literal(), None);
    assert_eq!(parse("a{{b}}").literal(), Some("a{b}"));
    assert_eq!(parse("").literal(), Some(""));
}

#[test]
fn the_ends_of_time_are_written_too() {
    let at = |moment| {
        let data = Message { moment, ..message() };
        Expression::parse("{datetime:O}").unwrap().evaluate(&data).unwrap()
    };
    expect!["-9999-01-02T01:59:59.0000000Z"].assert_eq(&at(Ticks::MIN));
    expect!["9999-12-30T22:00:00.9999999Z"].assert_eq(&at(Ticks::MAX));
    expect!["1969-12-31T23:59:59.9999999Z"].assert_eq(&at(-1));
}

proptest! {
    #[test]
    fn any_text_is_answered(text in "(\\PC|\\{|\\}|:|\\.|datetime:|y|'|%|\\\\|rand-guid){0,30}", moment in any::<i64>()) {
        if let Ok(expression) = Expression::parse(&text) {
            prop_assert_eq!(expression.as_str(), &text);
            let data = Message { moment, ..message() };
            for filled in [expression.evaluate(&data), expression.evaluate_filter(&data)] {
                let literal_only = expression.paths().next().is_none();
                prop_assert!(filled.is_ok() || !literal_only || filled.unwrap_err().problem.contains("quotes"));
            }
        }
    }

    #[test]
    fn doubled_braces_are_literal(text in "\\PC{0,40}") {
        let doubled = text.replace('{', "{{").replace('}', "}}");
        let expression = Expression::parse(&doubled).unwrap();
        prop_assert_eq!(expression.literal(), Some(text.as_str()));
        prop_assert_eq!(expression.evaluate(&message()).unwrap(), text);
    }

    #[test]
    fn quoted_values_stay_within_their_quotes(value in "['a ]{0,8}") {
        let data = Message::new(json!({ "v": value }));
        let filled = Expression::parse("A eq '{v}'").unwrap().evaluate_filter(&data).unwrap();
        let inner = &filled["A eq '".len()..filled.len() - 1];
        prop_assert_eq!(inner.replace("''", ""), value.replace('\'', ""));
    }
}

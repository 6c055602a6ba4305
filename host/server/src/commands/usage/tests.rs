//! The table that people read.

use super::*;
use expect_test::expect;

#[test]
fn numbers_are_grouped() {
    let check = |number, text: &str| assert_eq!(grouped(number), text);
    check(0, "0");
    check(999, "999");
    check(1_000, "1,000");
    check(1_234_567, "1,234,567");
    check(u64::MAX, "18,446,744,073,709,551,615");
    let check = |number, text: &str| assert_eq!(seconds(number), text);
    check(0.0, "0.0");
    check(0.04, "0.0");
    check(0.05, "0.1");
    check(1_234.56, "1,234.6");
}

#[test]
fn usage_is_a_table_with_an_estimate() {
    let report = r#"{"app": "trips",
        "functions": [
            {"function": "BookTrip", "executions": 1200, "successes": 1190, "failures": 20, "turns": 1100, "replayedTurns": 10, "durationMs": 65432, "gbSeconds": 15.1},
            {"function": "Quiet", "executions": 0, "successes": 0, "failures": 0, "turns": 0, "replayedTurns": 0, "durationMs": 0, "gbSeconds": 0.0}],
        "total": {"executions": 1200, "successes": 1190, "failures": 20, "turns": 1100, "replayedTurns": 10, "durationMs": 65432, "gbSeconds": 15.1},
        "estimate": {"executions": 1210, "gbSeconds": 15.1, "freeExecutionsPercent": 0.121, "freeGbSecondsPercent": 0.003775, "billableExecutions": 0, "billableGbSeconds": 0.0}}"#;
    expect![[r#"
        App: trips

        Function  Executions  Succeeded  Failed  Turns  Replayed  Duration (s)  GB-s
        BookTrip       1,200      1,190      20  1,100        10          65.4  15.1
        Quiet              0          0       0      0         0           0.0   0.0
        Total          1,200      1,190      20  1,100        10          65.4  15.1

        In the consumption plan of the cloud, if all of it fell within one month:
          1,210 of 1,000,000 free executions (0.1 %)
          15.1 of 400,000 free GB-s (0.0 %)
          billed beyond that: nothing"#]]
    .assert_eq(&in_words(&serde_json::from_str(report).expect("a report")));
    let much = report.replace("\"billableExecutions\": 0", "\"billableExecutions\": 2500000");
    let said = in_words(&serde_json::from_str(&much).expect("a report"));
    assert!(said.ends_with("billed beyond that: 2,500,000 executions and 0.0 GB-s"), "{said}");
}

//! What is refused, and what the message says to do.

use super::{Schedule, split};
use expect_test::{Expect, expect};

fn check(texts: &[&str], expected: &Expect) {
    let lines = texts.iter().map(|line| {
        let (text, zone) = split(line);
        match Schedule::parse(text, zone) {
            Ok(schedule) => format!("{line}\n  OK {schedule}\n"),
            Err(error) => format!("{line}\n  {error}\n"),
        }
    });
    expected.assert_eq(&lines.collect::<String>());
}

#[test]
fn numbers_have_limits_and_their_place_is_named() {
    check(
        &[
            "60 * * * * *",
            "* 60 * * * *",
            "0 0 24 * * *",
            "0 0 0 0 * *",
            "0 0 0 32 * *",
            "0 0 0 1 13 *",
            "0 0 0 1 0 *",
            "0 0 0 * * 7",
            "0 0 0 * * 0-7",
            "0 0 * * 7",
            "0 0 1,25 * * *",
            "0  0   1,2-25/3 * * *",
            "0 99999999999999999999 * * * *",
        ],
        &expect![[r#"
            60 * * * * *
              seconds (field 1, character 1): `60` is not among 0 to 59; write a number from 0 to 59
            * 60 * * * *
              minutes (field 2, character 3): `60` is not among 0 to 59; write a number from 0 to 59
            0 0 24 * * *
              hours (field 3, character 5): `24` is not among 0 to 23; write a number from 0 to 23
            0 0 0 0 * *
              days (field 4, character 7): `0` is not among 1 to 31; write a number from 1 to 31
            0 0 0 32 * *
              days (field 4, character 7): `32` is not among 1 to 31; write a number from 1 to 31
            0 0 0 1 13 *
              months (field 5, character 9): `13` is not among 1 to 12; write a number from 1 to 12, or a name such as `Feb`
            0 0 0 1 0 *
              months (field 5, character 9): `0` is not among 1 to 12; write a number from 1 to 12, or a name such as `Feb`
            0 0 0 * * 7
              weekdays (field 6, character 11): `7` is not among 0 to 6; Sunday is 0 here: write `0` or `Sun`
            0 0 0 * * 0-7
              weekdays (field 6, character 13): `7` is not among 0 to 6; Sunday is 0 here: write `0` or `Sun`
            0 0 * * 7
              weekdays (field 5, character 9): `7` is not among 0 to 6; Sunday is 0 here: write `0` or `Sun`
            0 0 1,25 * * *
              hours (field 3, character 7): `25` is not among 0 to 23; write a number from 0 to 23
            0  0   1,2-25/3 * * *
              hours (field 3, character 12): `25` is not among 0 to 23; write a number from 0 to 23
            0 99999999999999999999 * * * *
              minutes (field 2, character 3): `99999999999999999999` is not among 0 to 59; write a number from 0 to 59
        "#]],
    );
}

#[test]
fn whatever_is_no_number_is_refused_at_its_place() {
    check(
        &[
            "0 0 9 * Foo *",
            "0 0 9 * * Monday2",
            "0 0 9 * * Mon,Wedx",
            "0 */0 * * * *",
            "0 */x * * * *",
            "0 */ * * * *",
            "0 5,,7 * * * *",
            "0 -5 * * * *",
            "0 5- * * * *",
            "0 +5 * * * *",
            "0 1-2-3 * * * *",
            "0 1/2/3 * * * *",
            "0 ** * * * *",
            "0 ö ß * * *",
        ],
        &expect![[r#"
            0 0 9 * Foo *
              months (field 5, character 9): `Foo` is not one of the months; write a number from 1 to 12, `*`, `a-b`, `a,b` or `*/n`, or a name such as `Feb`
            0 0 9 * * Monday2
              weekdays (field 6, character 11): `Monday2` is not one of the weekdays; write a number from 0 to 6, `*`, `a-b`, `a,b` or `*/n`, or a name such as `Mon`
            0 0 9 * * Mon,Wedx
              weekdays (field 6, character 15): `Wedx` is not one of the weekdays; write a number from 0 to 6, `*`, `a-b`, `a,b` or `*/n`, or a name such as `Mon`
            0 */0 * * * *
              minutes (field 2, character 5): `0` is a step that leads nowhere; write a step of at least 1
            0 */x * * * *
              minutes (field 2, character 5): `x` is not a step; write a whole number behind `/`, such as `*/5`
            0 */ * * * *
              minutes (field 2, character 5): nothing where a step should be; write it, such as `*/5`
            0 5,,7 * * * *
              minutes (field 2, character 5): nothing where a number should be; a number is missing beside `,`, `-` or `/`; `*` means all
            0 -5 * * * *
              minutes (field 2, character 3): nothing where a number should be; a number is missing beside `,`, `-` or `/`; `*` means all
            0 5- * * * *
              minutes (field 2, character 5): nothing where a number should be; a number is missing beside `,`, `-` or `/`; `*` means all
            0 +5 * * * *
              minutes (field 2, character 3): `+5` is not one of the minutes; write a number from 0 to 59, `*`, `a-b`, `a,b` or `*/n`
            0 1-2-3 * * * *
              minutes (field 2, character 5): `2-3` is not one of the minutes; write a number from 0 to 59, `*`, `a-b`, `a,b` or `*/n`
            0 1/2/3 * * * *
              minutes (field 2, character 5): `2/3` is not a step; write a whole number behind `/`, such as `*/5`
            0 ** * * * *
              minutes (field 2, character 3): `**` is not one of the minutes; write a number from 0 to 59, `*`, `a-b`, `a,b` or `*/n`
            0 ö ß * * *
              minutes (field 2, character 3): `ö` is not one of the minutes; write a number from 0 to 59, `*`, `a-b`, `a,b` or `*/n`
        "#]],
    );
}

#[test]
fn ranges_do_not_run_backwards() {
    check(
        &["0 0 22-2 * * *", "0 0 0 * * Fri-Mon", "0 0 0 * Nov-Feb *", "0 0 0 28-3/2 * *"],
        &expect![[r#"
            0 0 22-2 * * *
              hours (field 3, character 5): `22-2` runs backwards; over the end write `22-23,0-2`; Azure reads the range as `2-22`: write that if it is what you mean
            0 0 0 * * Fri-Mon
              weekdays (field 6, character 11): `Fri-Mon` runs backwards; over the end write `5-6,0-1`; Azure reads the range as `1-5`: write that if it is what you mean
            0 0 0 * Nov-Feb *
              months (field 5, character 9): `Nov-Feb` runs backwards; over the end write `11-12,1-2`; Azure reads the range as `2-11`: write that if it is what you mean
            0 0 0 28-3/2 * *
              days (field 4, character 7): `28-3` runs backwards; over the end write `28-31,1-3`; Azure reads the range as `3-28`: write that if it is what you mean
        "#]],
    );
}

#[test]
fn other_schedulers_words_have_a_counterpart() {
    check(
        &[
            "@daily",
            "@Hourly",
            "@weekly",
            "@monthly",
            "@yearly",
            "@annually",
            "@midnight",
            "@reboot",
            "@often",
            "0 0 0 ? * Mon",
            "0 0 0 L * *",
            "0 0 0 LW * *",
            "0 0 0 15W * *",
            "0 0 0 * * 5L",
            "0 0 0 * * Mon#2",
            "0 0 12 * * ? 2030",
        ],
        &expect![[r#"
            @daily
              `@daily` is a name of other schedulers; write `0 0 0 * * *`
            @Hourly
              `@Hourly` is a name of other schedulers; write `0 0 * * * *`
            @weekly
              `@weekly` is a name of other schedulers; write `0 0 0 * * 0`
            @monthly
              `@monthly` is a name of other schedulers; write `0 0 0 1 * *`
            @yearly
              `@yearly` is a name of other schedulers; write `0 0 0 1 1 *`
            @annually
              `@annually` is a name of other schedulers; write `0 0 0 1 1 *`
            @midnight
              `@midnight` is a name of other schedulers; write `0 0 0 * * *`
            @reboot
              `@reboot` is a name of other schedulers; write `runOnStartup = true` beside a schedule
            @often
              `@often` is a name of other schedulers; write six fields: seconds, minutes, hours, day, month, weekday
            0 0 0 ? * Mon
              days (field 4, character 7): `?` is not known here; write `*`: both day fields must match, so `*` leaves it to the other
            0 0 0 L * *
              days (field 4, character 7): `L` means the last one, which is not known here; write days `28-31` and let the function ask whether tomorrow is the first, or run on the first
            0 0 0 LW * *
              days (field 4, character 7): `LW` means the last one, which is not known here; write days `28-31` and let the function ask whether tomorrow is the first, or run on the first
            0 0 0 15W * *
              days (field 4, character 7): `15W` means the nearest working day, which is not known here; write the days that it can be, and weekdays `Mon-Fri`: both must match
            0 0 0 * * 5L
              weekdays (field 6, character 11): `5L` means the last one, which is not known here; write days `28-31` and let the function ask whether tomorrow is the first, or run on the first
            0 0 0 * * Mon#2
              weekdays (field 6, character 11): `Mon#2` counts weekdays, which is not known here; for the second Monday write days `8-14` and weekday `Mon`: both must match
            0 0 12 * * ? 2030
              `0 0 12 * * ? 2030` has 7 fields where a schedule has six or five; there is no field for years; write six fields (seconds, minutes, hours, day, month, weekday), five without the seconds, or an interval `hh:mm:ss`
        "#]],
    );
}

#[test]
fn other_counts_of_fields_are_refused() {
    check(
        &["", "*", "5", "* * * *", "* * * * * * *", "every 5 minutes"],
        &expect![[r#"

              the schedule is empty; write six fields (seconds, minutes, hours, day, month, weekday), five without the seconds, or an interval `hh:mm:ss`
            *
              `*` has 1 field where a schedule has six or five; write six fields (seconds, minutes, hours, day, month, weekday), five without the seconds, or an interval `hh:mm:ss`
            5
              `5` has 1 field where a schedule has six or five; write six fields (seconds, minutes, hours, day, month, weekday), five without the seconds, or an interval `hh:mm:ss`
            * * * *
              `* * * *` has 4 fields where a schedule has six or five; write six fields (seconds, minutes, hours, day, month, weekday), five without the seconds, or an interval `hh:mm:ss`
            * * * * * * *
              `* * * * * * *` has 7 fields where a schedule has six or five; there is no field for years; write six fields (seconds, minutes, hours, day, month, weekday), five without the seconds, or an interval `hh:mm:ss`
            every 5 minutes
              `every 5 minutes` has 3 fields where a schedule has six or five; write six fields (seconds, minutes, hours, day, month, weekday), five without the seconds, or an interval `hh:mm:ss`
        "#]],
    );
}

#[test]
fn dates_that_never_are() {
    check(
        &["0 0 0 30 2 *", "0 0 0 31 Feb,Apr,Jun,Sep,Nov *", "0 0 0 30,31 2 Mon", "0 0 0 29 2 Mon", "0 0 0 31 4,5 *"],
        &expect![[r#"
            0 0 0 30 2 *
              `0 0 0 30 2 *` never occurs: none of its months has such a day; correct the day of the month or the month
            0 0 0 31 Feb,Apr,Jun,Sep,Nov *
              `0 0 0 31 Feb,Apr,Jun,Sep,Nov *` never occurs: none of its months has such a day; correct the day of the month or the month
            0 0 0 30,31 2 Mon
              `0 0 0 30,31 2 Mon` never occurs: none of its months has such a day; correct the day of the month or the month
            0 0 0 29 2 Mon
              OK 0 0 0 29 2 Mon
            0 0 0 31 4,5 *
              OK 0 0 0 31 4,5 *
        "#]],
    );
}

#[test]
fn intervals() {
    check(
        &[
            "24:00:00",
            "48:30:00",
            "24:90:00",
            "1.00:00:00",
            "1.24:00:00",
            "00:60:00",
            "00:00:60",
            "00:00:00",
            "0.00:00:00",
            "00:00:01",
            "5:3:2",
            "00:05",
            "00:00:00.5",
            "-00:05:00",
            "a:b:c",
            "1:2:3:4",
            "::",
            "36501.00:00:00",
            "99999999999999999999.00:00:00",
            "00:05:00 @ Europe/Berlin",
        ],
        &expect![[r#"
            24:00:00
              `24:00:00` is read as 24 days in Azure Functions, not as 24 hours; for 24 hours write `1.00:00:00`, for 24 days `24.00:00:00`
            48:30:00
              `48:30:00` is read as 48 days in Azure Functions, not as 48 hours; for 48 hours write `2.00:30:00`, for 48 days `48.00:00:00`
            24:90:00
              `24:90:00` has a part that is too large; hours end at 23, minutes and seconds at 59; days come first: `1.00:00:00`
            1.00:00:00
              OK 1.00:00:00
            1.24:00:00
              `1.24:00:00` has a part that is too large; hours end at 23, minutes and seconds at 59; days come first: `1.00:00:00`
            00:60:00
              `00:60:00` has a part that is too large; hours end at 23, minutes and seconds at 59; days come first: `1.00:00:00`
            00:00:60
              `00:00:60` has a part that is too large; hours end at 23, minutes and seconds at 59; days come first: `1.00:00:00`
            00:00:00
              `00:00:00` is no time at all; write at least one second, `00:00:01`
            0.00:00:00
              `0.00:00:00` is no time at all; write at least one second, `00:00:01`
            00:00:01
              OK 00:00:01
            5:3:2
              OK 5:3:2
            00:05
              `00:05` is not an interval; write `hh:mm:ss`, or `d.hh:mm:ss` with days: `00:05:00` is five minutes, `1.00:00:00` a day
            00:00:00.5
              `00:00:00.5` is not an interval; write `hh:mm:ss`, or `d.hh:mm:ss` with days: `00:05:00` is five minutes, `1.00:00:00` a day
            -00:05:00
              `-00:05:00` is not an interval; write `hh:mm:ss`, or `d.hh:mm:ss` with days: `00:05:00` is five minutes, `1.00:00:00` a day
            a:b:c
              `a:b:c` is not an interval; write `hh:mm:ss`, or `d.hh:mm:ss` with days: `00:05:00` is five minutes, `1.00:00:00` a day
            1:2:3:4
              `1:2:3:4` is not an interval; write `hh:mm:ss`, or `d.hh:mm:ss` with days: `00:05:00` is five minutes, `1.00:00:00` a day
            ::
              `::` is not an interval; write `hh:mm:ss`, or `d.hh:mm:ss` with days: `00:05:00` is five minutes, `1.00:00:00` a day
            36501.00:00:00
              `36501.00:00:00` is longer than 36500 days; write a shorter interval
            99999999999999999999.00:00:00
              `99999999999999999999.00:00:00` is not an interval; write `hh:mm:ss`, or `d.hh:mm:ss` with days: `00:05:00` is five minutes, `1.00:00:00` a day
            00:05:00 @ Europe/Berlin
              OK 00:05:00
        "#]],
    );
}

#[test]
fn time_zones() {
    check(
        &[
            "0 0 9 * * * @ Europe/Berlin",
            "0 0 9 * * * @ europe/BERLIN",
            "0 0 9 * * * @ utc",
            "0 0 9 * * * @ Europe/Berlim",
            "0 0 9 * * * @ Eastern Standard Time",
            "0 0 9 * * * @ +02:00",
            "0 0 9 * * * @ Etc/Unknown",
            "0 0 9 * * * @ ../../etc/passwd",
            "00:05:00 @ Nowhere/Else",
        ],
        &expect![[r#"
            0 0 9 * * * @ Europe/Berlin
              OK 0 0 9 * * * (Europe/Berlin)
            0 0 9 * * * @ europe/BERLIN
              OK 0 0 9 * * * (Europe/Berlin)
            0 0 9 * * * @ utc
              OK 0 0 9 * * * (UTC)
            0 0 9 * * * @ Europe/Berlim
              there is no time zone `Europe/Berlim`; did you mean `Europe/Berlin`?
            0 0 9 * * * @ Eastern Standard Time
              there is no time zone `Eastern Standard Time`; write a name of the IANA database such as `Europe/Berlin`, `America/New_York` or `UTC`; names of Windows (`Eastern Standard Time`) and offsets are not known here
            0 0 9 * * * @ +02:00
              there is no time zone `+02:00`; write a name of the IANA database such as `Europe/Berlin`, `America/New_York` or `UTC`; names of Windows (`Eastern Standard Time`) and offsets are not known here
            0 0 9 * * * @ Etc/Unknown
              there is no time zone `Etc/Unknown`; write a name of the IANA database such as `Europe/Berlin`, `America/New_York` or `UTC`; names of Windows (`Eastern Standard Time`) and offsets are not known here
            0 0 9 * * * @ ../../etc/passwd
              there is no time zone `../../etc/passwd`; write a name of the IANA database such as `Europe/Berlin`, `America/New_York` or `UTC`; names of Windows (`Eastern Standard Time`) and offsets are not known here
            00:05:00 @ Nowhere/Else
              there is no time zone `Nowhere/Else`; write a name of the IANA database such as `Europe/Berlin`, `America/New_York` or `UTC`; names of Windows (`Eastern Standard Time`) and offsets are not known here
        "#]],
    );
}

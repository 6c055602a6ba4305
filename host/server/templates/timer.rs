//! `function-name`: runs on a schedule, which is in the manifest.

use dacapo::{Failure, TimerInfo};

/// Runs once for each moment of the schedule. What it prints is in the host's log.
#[dacapo::timer(name = "function-name")]
pub(crate) fn my_function(timer: TimerInfo) -> Result<(), Failure> {
    println!("{}", describe(&timer));
    Ok(())
}

fn describe(timer: &TimerInfo) -> String {
    match timer.is_past_due {
        true => format!("{}, and late: the host was not running", timer.scheduled),
        false => timer.scheduled.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use dacapo::Timestamp;

    use super::*;

    #[test]
    fn runs() {
        assert_eq!(my_function(TimerInfo::new(Timestamp::UNIX_EPOCH)), Ok(()));
    }

    #[test]
    fn says_when_it_is_late() {
        let mut timer = TimerInfo::new(Timestamp::UNIX_EPOCH);
        assert_eq!(describe(&timer), "1970-01-01T00:00:00Z");
        timer.is_past_due = true;
        assert!(describe(&timer).ends_with("late: the host was not running"));
    }
}

//! Examples and exit codes of `dacapo durable`, as `--help` shows them.

/// What `dacapo durable --help` shows below the commands.
pub(super) const ALL: &str = "\
Asks a host that runs: the one on http://localhost:7071, or that of --url or DACAPO_URL. A host that asks for keys takes its \
system key durabletask_extension or its master key, as --key or as DACAPO_KEY.

Examples:
  dacapo durable start BookTrip --id trip-1 --input '{\"traveller\": \"Ada\"}' --wait
  dacapo durable watch trip-1
  dacapo durable list --runtime-status Failed

Exit codes:
  0    done
  1    the host refused it, or the instance did not complete
  2    the command line is wrong, or there is no answer from the host
  130  stopped by Ctrl+C";

pub(super) const START: &str = "\
Examples:
  dacapo durable start-new BookTrip --input '{\"traveller\": \"Ada\", \"conference\": \"RustConf\"}'
      Prints the id of the new instance, and the URLs under which it is managed.

  dacapo durable start BookTrip --id trip-1 --input @trip.json --wait --timeout 5m
      An id of your own, the input from a file; waits for the end and says what came of it.

  dacapo durable start BookTrip --output json | jq -r .id

Exit codes:
  0    started; with --wait: completed
  1    the host refused it; with --wait: it ended otherwise, or not in time
  2    the command line is wrong, or there is no answer from the host";

pub(super) const LIST: &str = "\
Examples:
  dacapo durable get-instances --runtime-status Failed,Terminated --created-after 2024-01-31
  dacapo durable list --top 100 --show-input --show-output
  dacapo durable list --id-prefix @counter@
      Entities are listed only so.

  dacapo durable list --output json | jq -r '.instances[].instanceId'
      {\"instances\": [...], \"continuationToken\": \"...\" or null}; the token goes on as --continuation-token.

Exit codes:
  0    done, also when there is none
  1    the host refused it
  2    the command line is wrong, or there is no answer from the host";

pub(super) const SHOW: &str = "\
Examples:
  dacapo durable get-runtime-status trip-1 --show-input --show-output
  dacapo durable show '@counter@visits' --show-input
      The state of an entity is its input.

  dacapo durable show trip-1 --output json | jq -r .runtimeStatus
      The status object of the management API; without --show-input and --show-output their values are null.

Exit codes:
  0    done, whatever the status is
  1    there is no such instance
  2    the command line is wrong, or there is no answer from the host";

pub(super) const HISTORY: &str = "\
Examples:
  dacapo durable get-history trip-1
      Every event with its time, payloads shortened.

  dacapo durable history trip-1 --graph
      A timeline, as `dacapo durable watch` draws it.

  dacapo durable history trip-1 --output json > trip-1.ndjson
      One complete event per line: what `dacapo durable replay` reads.

Exit codes:
  0    done
  1    there is no such instance
  2    the command line is wrong, or there is no answer from the host";

pub(super) const RAISE: &str = "\
Examples:
  dacapo durable raise-event trip-1 Approval --event-data true
  dacapo durable raise-event --id trip-1 --event-name Approval --event-data @approval.json
  echo '{\"by\": \"Ada\"}' | dacapo durable raise trip-1 Approval --event-data -

Exit codes:
  0    the event is on its way; an instance that does not wait for it keeps it
  1    the host refused it: there is no such instance, or it has ended
  2    the command line is wrong, or there is no answer from the host";

pub(super) const TERMINATE: &str = "\
Examples:
  dacapo durable terminate trip-1 --reason 'the conference is cancelled'
  dacapo durable terminate trip-1 --recursive

Exit codes:
  0    it will end before anything else happens to it; activities that run are not stopped
  1    the host refused it: there is no such instance, or it has ended
  2    the command line is wrong, or there is no answer from the host";

pub(super) const SUSPEND: &str = "\
Examples:
  dacapo durable suspend trip-1 --reason 'the hotel does not answer'

Exit codes:
  0    it is held; what arrives is kept until it is resumed
  1    the host refused it: no such instance, ended, or suspended already
  2    the command line is wrong, or there is no answer from the host";

pub(super) const RESUME: &str = "\
Examples:
  dacapo durable resume trip-1

Exit codes:
  0    it goes on
  1    the host refused it: no such instance, ended, or not suspended
  2    the command line is wrong, or there is no answer from the host";

pub(super) const REWIND: &str = "\
Examples:
  dacapo durable rewind trip-1 --reason 'the hotel answers again'
      What has failed is tried again; what has succeeded stays as it is.

  dacapo durable rewind trip-1 --latest
      With code that was mended meanwhile.

Exit codes:
  0    it goes on
  1    the host refused it: no such instance, or it has not failed
  2    the command line is wrong, or there is no answer from the host";

pub(super) const RESTART: &str = "\
Examples:
  dacapo durable restart trip-1
      Under a new random id, which is printed.

  dacapo durable restart trip-1 --same-id --wait

Exit codes:
  0    started; with --wait: completed
  1    the host refused it; with --wait: it ended otherwise, or not in time
  2    the command line is wrong, or there is no answer from the host";

pub(super) const PURGE: &str = "\
Asks before it purges when it is run in a terminal, unless --yes says so; in a script it does not ask.

Examples:
  dacapo durable purge-history trip-1
  dacapo durable purge --created-before 2024-01-31 --runtime-status Completed,Terminated --yes
  dacapo durable purge --all --output json | jq .instancesDeleted

Exit codes:
  0    done, also when nothing fits the filter
  1    the host refused it: no such instance, or it has not ended; or you said no
  2    the command line is wrong, or there is no answer from the host";

pub(super) const REPLAY: &str = "\
Examples:
  dacapo durable replay trip-1 --manifest function-manifests/conference-booking.toml
      Fetches the history of the instance trip-1 from http://localhost:7071 and replays it on the app as it is built now.

  dacapo durable replay trip-1 --component build/booking.wasm --url https://host.example
      The same from another host, on one component.

  dacapo durable get-history trip-1 --output json > trip-1.ndjson
  dacapo durable replay trip-1.ndjson --component booking.wasm --output json
      From a file: one event per line, so that the line of a departure can be looked up.

Exit codes:
  0  the code fits the history
  1  the code departs from it
  2  the command line is wrong, or history or component cannot be read";

pub(super) const WATCH: &str = "\
In a terminal the timeline is drawn anew whenever something happens, one row for each activity, sub-orchestration, timer and \
event. Elsewhere each event is a line, and the timeline comes at the end.

  █ runs   ✗ failed   · pause before the next try   ─ waits   ◆ happened   ▸ not over yet

Examples:
  dacapo durable watch trip-1
  dacapo durable watch trip-1 --output json | jq -r .eventType
      Each event once, as `get-history --output json` writes it. An instance that continues as new begins another history, \
      with an ExecutionStarted of its own.

Exit codes:
  0    it completed
  1    it ended otherwise, or there is no such instance
  2    the command line is wrong, or there is no answer from the host
  130  stopped by Ctrl+C; the instance goes on";

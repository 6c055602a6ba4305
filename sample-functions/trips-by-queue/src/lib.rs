//! Trip requests that arrive in a queue: what comes of a message is written to queues and tables and starts an orchestration,
//! in one commit with the message's deletion. `README.md` has the curl lines.
//!
//! | module | functions | shows |
//! |---|---|---|
//! | [`requests`] | `RequestTrip`, `AcceptTrip`, `RefuseTrip` | a queue function with four outputs, its poison queue, and an HTTP function that puts messages |
//! | [`booking`] | `BookTrip`, `BookSeat`, `NoteBooking` | an activity with an output |
//! | [`reports`] | `NightlyReport`, `ShowTrip`, `ShowReport` | a timer that reads a table and uses the durable client, and HTTP functions with an input |
//!
//! What goes in and out is in [`rows`].

mod booking;
mod reports;
mod requests;
mod rows;
#[cfg(test)]
mod tests;

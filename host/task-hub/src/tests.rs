//! Rules of the engine that need no simulation.

//! For tests only: builders, frame encoders, spawned services.

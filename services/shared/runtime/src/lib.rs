//! What every service needs to run: configuration, telemetry, shutdown, health, gRPC.

//! Scenario and trace give verdicts; the monitors that watch every trace. Pure

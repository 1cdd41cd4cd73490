//! The scenario language, requirements and profiles: parsed with positions and linted

//! Renderers of the record: terminal, HTML, JUnit. Pure

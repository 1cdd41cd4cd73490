//! The simulated gatekeeper: key directory, chat, mailbox, media, and the disturbance between the parties

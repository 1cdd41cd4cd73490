//! For tests only: generators and broken endpoints

//! What real servers are asked: pages of web servers. `genhash` uses it.

pub mod fetch;

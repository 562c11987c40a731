//! Settings of `global_defs` for virtual servers and their checkers.

//! VRRP adverts: version 2 (RFC 3768, with RFC 2338's password) and version 3 (RFC 9568).

//! Attributes of netlink messages as bytes. We write them ourselves: the crate lacks some, and nests none of its own.

use std::net::IpAddr;

/// An attribute: its type and its value.
pub(super) type Attribute = (u16, Vec<u8>);

/// A byte.
pub(super) fn byte(kind: u16, value: u8) -> Attribute {
    (kind, vec![value])
}

/// A number of 16 bits in the machine's order.
pub(super) fn short(kind: u16, value: u16) -> Attribute {
    (kind, value.to_ne_bytes().to_vec())
}

/// A number of 32 bits in the machine's order.
pub(super) fn word(kind: u16, value: u32) -> Attribute {
    (kind, value.to_ne_bytes().to_vec())
}

/// Text with the NUL the kernel expects.
pub(super) fn text(kind: u16, value: &str) -> Attribute {
    (kind, value.bytes().chain([0]).collect())
}

/// An address of 4 or 16 bytes.
pub(super) fn address(kind: u16, ip: IpAddr) -> Attribute {
    let bytes = match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    (kind, bytes)
}

/// An attribute made of others.
pub(super) fn nested(kind: u16, parts: &[Attribute]) -> Attribute {
    (kind, bytes(parts))
}

/// One behind the other: length (2 bytes, itself included), type (2), value, padding to 4.
pub(super) fn bytes(parts: &[Attribute]) -> Vec<u8> {
    let mut all = Vec::new();
    for (kind, value) in parts {
        // No value is anywhere near 64 kB.
        let len = (value.len() + 4) as u16;
        all.extend(len.to_ne_bytes());
        all.extend(kind.to_ne_bytes());
        all.extend(value);
        all.resize(all.len().next_multiple_of(4), 0);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_padded_but_say_their_true_length() {
        let nest = nested(7, &[text(1, "reno"), byte(2, 9)]);
        let (len_text, len_byte) = (9_u16.to_ne_bytes(), 5_u16.to_ne_bytes());
        let (one, two) = (1_u16.to_ne_bytes(), 2_u16.to_ne_bytes());
        let expected = [&len_text[..], &one, b"reno\0\0\0\0", &len_byte, &two, &[9, 0, 0, 0]].concat();
        assert_eq!(nest, (7, expected));
    }
}

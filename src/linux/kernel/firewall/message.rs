//! Messages of nf_tables (linux/netfilter/nf_tables.h): one transaction is a batch of them.
//!
//! Numbers in attributes are in network byte order, unlike those of rtnetlink; what rules compare is in the order in which
//! it is found.

use super::super::attribute::{self, Attribute, text};
use crate::base::Family;

/// `NFNL_SUBSYS_NFTABLES`.
const SUBSYSTEM: u16 = 10;
/// `NFNL_MSG_BATCH_BEGIN` and `NFNL_MSG_BATCH_END`.
const BATCH: (u16, u16) = (0x10, 0x11);
/// Bytes of the header of a netlink message, and of what nf_tables has behind it.
pub(super) const HEADER: usize = 16;
/// Family, version, resource.
const NFGENMSG: usize = 4;
/// `NLA_F_NESTED`.
const NESTED: u16 = 0x8000;

/// `NLM_F_REQUEST`, `_ACK`, `_CREATE`, `_APPEND`.
const REQUEST: u16 = 0x1;
const ACK: u16 = 0x4;
const CREATE: u16 = 0x400;
const APPEND: u16 = 0x800;

/// Kinds of messages, `NFT_MSG_…`.
mod kind {
    pub(super) const NEW_TABLE: u16 = 0;
    pub(super) const DELETE_TABLE: u16 = 2;
    pub(super) const NEW_CHAIN: u16 = 3;
    pub(super) const DELETE_CHAIN: u16 = 5;
    pub(super) const NEW_RULE: u16 = 6;
    pub(super) const DELETE_RULE: u16 = 8;
    pub(super) const NEW_SET: u16 = 9;
    pub(super) const DELETE_SET: u16 = 11;
    pub(super) const NEW_ELEMENTS: u16 = 12;
    pub(super) const DELETE_ELEMENTS: u16 = 14;
}

/// The type of an interface index, as nftables numbers types, and its bytes.
pub(super) const INTERFACE: (u32, u32) = (20, 4);

/// A set or map of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Set {
    pub(super) name: &'static str,
    /// What its elements are, as nftables numbers types, and their bytes.
    pub(super) key: (u32, u32),
    /// What they are mapped to.
    pub(super) data: Option<(u32, u32)>,
    /// Its elements stay what they are.
    pub(super) constant: bool,
}

/// An element: its key, and what that is mapped to.
pub(super) type Element = (Vec<u8>, Option<Vec<u8>>);

/// Where a chain is called from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hook {
    Input = 1,
    Output = 3,
}

/// A batch in the making.
pub(super) struct Batch {
    bytes: Vec<u8>,
    sequence: u32,
}

impl Batch {
    /// Its messages are numbered from `sequence` on.
    pub(super) fn new(sequence: u32) -> Self {
        let mut batch = Self { bytes: Vec::new(), sequence };
        batch.frame(BATCH.0, REQUEST, 0, SUBSYSTEM, &[]);
        batch
    }

    /// The bytes to send, and the number of the message that is answered when all went well.
    pub(super) fn finish(mut self) -> (Vec<u8>, u32) {
        let last = self.sequence - 1;
        self.frame(BATCH.1, REQUEST, 0, SUBSYSTEM, &[]);
        (self.bytes, last)
    }

    /// Makes a table, unless it is there.
    pub(super) fn table(&mut self, family: Family, table: &str) {
        self.message(kind::NEW_TABLE, CREATE, family, &[text(1, table)]);
    }

    /// Deletes a table with all that is in it.
    pub(super) fn delete_table(&mut self, family: Family, table: &str) {
        self.message(kind::DELETE_TABLE, 0, family, &[text(1, table)]);
    }

    /// Makes a chain, with a hook and its priority one that is called from there.
    pub(super) fn chain(&mut self, family: Family, table: &str, name: &str, hook: Option<(Hook, i32)>) {
        const NF_ACCEPT: u32 = 1;
        let mut parts = vec![text(1, table), text(3, name)];
        if let Some((hook, priority)) = hook {
            parts.push(nested(4, &[number(1, hook as u32), number(2, priority.cast_unsigned())]));
            parts.push(number(5, NF_ACCEPT));
            parts.push(text(7, "filter"));
        }
        self.message(kind::NEW_CHAIN, CREATE, family, &parts);
    }

    /// Adds a rule at the end of a chain.
    pub(super) fn rule(&mut self, family: Family, table: &str, chain: &str, expressions: &[Attribute]) {
        let list = nested(4, expressions);
        self.message(kind::NEW_RULE, CREATE | APPEND, family, &[text(1, table), text(2, chain), list]);
    }

    /// Makes a set or map; `id` tells it from others of this batch.
    pub(super) fn set(&mut self, family: Family, table: &str, set: &Set, id: u32) {
        const CONSTANT: u32 = 0x2;
        const MAP: u32 = 0x8;
        let constant = if set.constant { CONSTANT } else { 0 };
        let map = if set.data.is_some() { MAP } else { 0 };
        let mut parts = vec![text(1, table), text(2, set.name)];
        parts.extend([number(3, constant | map), number(4, set.key.0), number(5, set.key.1)]);
        if let Some((kind, len)) = set.data {
            parts.extend([number(6, kind), number(7, len)]);
        }
        parts.push(number(10, id));
        parts.push((13, byte_orders(set)));
        self.message(kind::NEW_SET, CREATE, family, &parts);
    }

    /// Adds elements to a set, or removes them.
    pub(super) fn elements(
        &mut self,
        family: Family,
        table: &str,
        set: &str,
        add: bool,
        elements: &[Element],
    ) {
        /// So many fit into an attribute, which has less than 64 kB.
        const AT_ONCE: usize = 500;
        let (kind, flags) = if add { (kind::NEW_ELEMENTS, CREATE) } else { (kind::DELETE_ELEMENTS, 0) };
        for some in elements.chunks(AT_ONCE) {
            let element = |(key, data): &Element| {
                let mut parts = vec![nested(1, &[(1, key.clone())])];
                parts.extend(data.iter().filter(|_| add).map(|data| nested(2, &[(1, data.clone())])));
                nested(1, &parts)
            };
            let list = nested(3, &some.iter().map(element).collect::<Vec<_>>());
            self.message(kind, flags, family, &[text(1, table), text(2, set), list]);
        }
    }

    /// All are answered: when one fails, it is known which.
    fn message(&mut self, kind: u16, flags: u16, family: Family, parts: &[Attribute]) {
        let family = match family {
            Family::V4 => libc::NFPROTO_IPV4,
            Family::V6 => libc::NFPROTO_IPV6,
        };
        self.frame(SUBSYSTEM << 8 | kind, REQUEST | ACK | flags, family as u8, 0, &attribute::bytes(parts));
    }

    fn frame(&mut self, kind: u16, flags: u16, family: u8, resource: u16, body: &[u8]) {
        // A batch is nowhere near 4 GiB.
        let len = (HEADER + NFGENMSG + body.len()) as u32;
        self.bytes.extend(len.to_ne_bytes());
        self.bytes.extend(kind.to_ne_bytes());
        self.bytes.extend(flags.to_ne_bytes());
        self.bytes.extend(self.sequence.to_ne_bytes());
        self.bytes.extend(0_u32.to_ne_bytes());
        self.bytes.extend([family, 0]);
        self.bytes.extend(resource.to_be_bytes());
        self.bytes.extend(body);
        self.sequence += 1;
    }
}

/// How `nft list` is to read numbers of a set, which the kernel keeps for it: records of type, length and value.
fn byte_orders(set: &Set) -> Vec<u8> {
    /// Of keys and of what they are mapped to.
    const KEY: u8 = 0;
    const DATA: u8 = 1;
    /// As the machine has them, and as the network has them.
    const HOST: u32 = 1;
    const NETWORK: u32 = 2;
    let order = |kind| if kind == INTERFACE.0 { HOST } else { NETWORK };
    let record = |what: u8, kind: u32| {
        let order = order(kind).to_ne_bytes();
        [&[what, order.len() as u8][..], &order].concat()
    };
    let data = set.data.map(|(kind, _)| record(DATA, kind)).unwrap_or_default();
    [record(KEY, set.key.0), data].concat()
}

/// A netlink message as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Received<'a> {
    kind: u16,
    /// The number of the request it answers.
    pub(super) sequence: u32,
    /// The socket whose request brought it about.
    pub(super) port: u32,
    body: &'a [u8],
}

impl<'a> Received<'a> {
    /// All messages in `bytes`.
    pub(super) fn all(mut bytes: &'a [u8]) -> impl Iterator<Item = Self> {
        std::iter::from_fn(move || {
            let len = u32::from_ne_bytes(*bytes.first_chunk()?) as usize;
            let message = bytes.get(..len.max(HEADER))?;
            bytes = bytes.get(len.max(HEADER).next_multiple_of(4)..).unwrap_or_default();
            Some(Self {
                kind: u16::from_ne_bytes(*message.get(4..)?.first_chunk()?),
                sequence: u32::from_ne_bytes(*message.get(8..)?.first_chunk()?),
                port: u32::from_ne_bytes(*message.get(12..)?.first_chunk()?),
                body: message.get(HEADER..)?,
            })
        })
    }

    /// If it is an answer: the number of the error, 0 for none.
    pub(super) fn error(&self) -> Option<i32> {
        const NLMSG_ERROR: u16 = 2;
        let code = i32::from_ne_bytes(*self.body.first_chunk()?);
        (self.kind == NLMSG_ERROR).then_some(code.wrapping_neg())
    }

    /// If it tells that something was removed: from which table.
    pub(super) fn removed_from(&self) -> Option<&'a str> {
        const REMOVALS: [u16; 5] = [
            kind::DELETE_TABLE,
            kind::DELETE_CHAIN,
            kind::DELETE_RULE,
            kind::DELETE_SET,
            kind::DELETE_ELEMENTS,
        ];
        let is_removal = self.kind >> 8 == SUBSYSTEM && REMOVALS.contains(&(self.kind & 0xff));
        // Of all these, the first attribute is the name of the table.
        let table = self.body.get(NFGENMSG..).filter(|_| is_removal)?;
        let len = u16::from_ne_bytes(*table.first_chunk()?);
        let name = table.get(4..usize::from(len))?;
        std::str::from_utf8(name.strip_suffix(&[0])?).ok()
    }
}

/// A number of 32 bits in network byte order.
pub(super) fn number(kind: u16, value: u32) -> Attribute {
    (kind, value.to_be_bytes().to_vec())
}

/// An attribute made of others, marked as such.
pub(super) fn nested(kind: u16, parts: &[Attribute]) -> Attribute {
    (kind | NESTED, attribute::bytes(parts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_is_framed_and_its_last_message_is_known() {
        let mut batch = Batch::new(7);
        batch.table(Family::V6, "kk");
        let (bytes, last) = batch.finish();
        let word = |n: u32| n.to_ne_bytes();
        let half = |n: u16| n.to_ne_bytes();
        let expected = [
            &word(20)[..],
            &half(0x10),
            &half(1),
            &word(7),
            &word(0),
            &[0, 0, 0, 10],
            &word(28),
            &half(0x0a00),
            &half(0x405),
            &word(8),
            &word(0),
            &[10, 0, 0, 0],
            &half(7),
            &half(1),
            b"kk\0\0",
            &word(20),
            &half(0x11),
            &half(1),
            &word(9),
            &word(0),
            &[0, 0, 0, 10],
        ];
        assert_eq!((bytes, last), (expected.concat(), 8));
    }

    #[test]
    fn answers_and_removals_are_told_from_the_rest() {
        let mut batch = Batch::new(1);
        batch.table(Family::V4, "mine");
        batch.delete_table(Family::V4, "mine");
        let (mut bytes, _) = batch.finish();
        let refused = [
            &24_u32.to_ne_bytes()[..],
            &[2, 0, 0, 0],
            &9_u32.to_ne_bytes(),
            &[0; 4],
            &(-2_i32).to_ne_bytes(),
            &[0; 4],
        ];
        bytes.extend(refused.concat());
        // What is cut off is nothing.
        bytes.extend([100, 0, 0, 0, 2, 0]);
        let all: Vec<_> = Received::all(&bytes).collect();
        let removed: Vec<_> = all.iter().map(|m| m.removed_from()).collect();
        assert_eq!(removed, [None, None, Some("mine"), None, None]);
        let errors: Vec<_> = all.iter().map(|m| m.error()).collect();
        assert_eq!(errors, [None, None, None, None, Some(2)]);
        assert_eq!(all.last().unwrap().sequence, 9);
    }
}

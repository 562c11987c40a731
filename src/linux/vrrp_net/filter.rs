//! Kernel filters: what is not ours costs no system call.

use std::collections::BTreeSet;

use socket2::SockFilter;

use crate::base::Family;

/// What a classic BPF program gives to let the whole packet through.
const ALL: u32 = u32::MAX;

/// Lets nothing through.
pub(super) fn nothing() -> Vec<SockFilter> {
    vec![ret(0)]
}

/// Lets every packet of `family` through.
pub(super) fn everything(family: Family) -> Vec<SockFilter> {
    match family {
        Family::V4 => version_4([ret(ALL)]),
        Family::V6 => vec![ret(ALL)],
    }
}

/// Lets through packets whose second byte behind `front` bytes of payload is one of `vrids`. Offset 0 of a raw socket's filter is the IP header
/// of IPv4, and what is behind it of IPv6.
pub(super) fn vrids(family: Family, front: u32, vrids: &[u8]) -> Vec<SockFilter> {
    match family {
        Family::V4 => version_4(
            [
                op(libc::BPF_LDX | libc::BPF_B | libc::BPF_MSH, 0, 0, 0), // X = length of the IP header
                op(libc::BPF_LD | libc::BPF_B | libc::BPF_IND, 0, 0, front + 1),
            ]
            .into_iter()
            .chain(one_of(vrids)),
        ),
        Family::V6 => [op(libc::BPF_LD | libc::BPF_B | libc::BPF_ABS, 0, 0, front + 1)]
            .into_iter()
            .chain(one_of(vrids))
            .collect(),
    }
}

/// Whether the byte that was loaded is one of these.
fn one_of(vrids: &[u8]) -> Vec<SockFilter> {
    // 0 is no VRID, so at most 255 are left, which is as far as a jump reaches.
    let wanted: BTreeSet<u8> = vrids.iter().copied().filter(|vrid| *vrid != 0).collect();
    let mut program = Vec::new();
    for (left, vrid) in (1..=wanted.len()).rev().zip(&wanted) {
        // Over the comparisons that follow and the `ret` that drops.
        let accept = u8::try_from(left).unwrap_or(u8::MAX);
        program.push(op(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, accept, 0, u32::from(*vrid)));
    }
    program.extend([ret(0), ret(ALL)]);
    program
}

/// Drops what is not IPv4, then goes on with `rest`.
fn version_4(rest: impl IntoIterator<Item = SockFilter>) -> Vec<SockFilter> {
    let mut program = vec![
        op(libc::BPF_LD | libc::BPF_B | libc::BPF_ABS, 0, 0, 0),
        op(libc::BPF_ALU | libc::BPF_AND | libc::BPF_K, 0, 0, 0xf0),
        op(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 1, 0, 0x40),
        ret(0),
    ];
    program.extend(rest);
    program
}

/// One classic BPF instruction.
const fn op(code: u32, jt: u8, jf: u8, k: u32) -> SockFilter {
    SockFilter::new(code as u16, jt, jf, k)
}

/// Ends the program: keep this many bytes of the packet.
const fn ret(keep: u32) -> SockFilter {
    op(libc::BPF_RET | libc::BPF_K, 0, 0, keep)
}

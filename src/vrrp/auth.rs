//! Whether an advert comes from whom it says, and was not heard before.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use crate::config::model::HmacMode;
use crate::wire::ah::{self, AH_LEN, Ah, PROTO_AH};
use crate::wire::ip::{PROTO_VRRP, V4_HEADER_LEN};
use crate::wire::trailer::{self, Stamp, TRAILER_LEN, Trailer};
use crate::wire::vrrp;

/// How adverts are authenticated.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum Authentication {
    /// Not.
    #[default]
    None,
    /// Version 2: a password in each advert, zero-padded (RFC 2338 section 5.3.6).
    Password([u8; 8]),
    /// Version 2 over IPv4: an authentication header made with this key.
    Ah([u8; 8]),
    /// `auth_hmac`: a trailer.
    Hmac(Hmac),
}

impl std::fmt::Debug for Authentication {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Password(_) => "Password(********)",
            Self::Ah(_) => "Ah(********)",
            Self::Hmac(_) => "Hmac(********)",
        })
    }
}

/// `auth_hmac`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Hmac {
    /// Keys by their id, 1 to 255.
    pub keys: BTreeMap<u8, Vec<u8>>,
    /// The one to sign with.
    pub active: u8,
    /// What becomes of adverts that are not signed, and whether ours are.
    pub mode: HmacMode,
    /// How far clocks may differ, 1 s to 300 s; `None`: clocks do not count, only the order of stamps.
    pub window: Option<Duration>,
}

impl Hmac {
    /// Whether our own adverts are signed.
    pub fn signs(&self) -> bool {
        self.mode != HmacMode::ReceiveOnly && self.keys.contains_key(&self.active)
    }

    /// The trailer of an advert.
    pub fn sign(&self, stamp: Stamp, source: IpAddr, pdu: &[u8]) -> Option<[u8; TRAILER_LEN]> {
        let key = self.keys.get(&self.active)?;
        Some(Trailer { key_id: self.active, stamp }.sign(key, source, pdu))
    }
}

/// Why an advert is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// It has no trailer.
    Missing,
    /// Its trailer is not one.
    Malformed,
    /// Signed with a key that we do not have.
    UnknownKey(u8),
    /// Its code is wrong.
    WrongCode,
    /// Signed at a time that differs from ours by this many seconds.
    Stale {
        /// Difference in seconds.
        skew: u32,
        /// What is allowed.
        window: u32,
    },
    /// Heard before, or later ones were.
    Replayed,
}

/// Something worth a word about an advert that is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SkewWarning {
    /// Difference in seconds.
    pub skew: u32,
    /// What is allowed.
    pub window: u32,
}

/// Senders whose last stamp is remembered when anybody may send.
const SENDERS: usize = 4;

/// The last stamp of each sender, those heard last in front.
#[derive(Clone, Debug, Default)]
pub struct Stamps(VecDeque<(IpAddr, Stamp)>);

impl Stamps {
    /// Judges the trailer of `pdu`. `peers`: how many senders are known by their addresses; 0: anybody may send.
    /// `unix_time`: now, since 1970.
    ///
    /// # Errors
    /// Why the advert is not believed.
    pub fn verify(
        &mut self,
        hmac: &Hmac,
        source: IpAddr,
        pdu: &[u8],
        bytes: &[u8; TRAILER_LEN],
        peers: usize,
        unix_time: Duration,
    ) -> Result<Option<SkewWarning>, Doubt> {
        let read = Trailer::parse(bytes).map_err(|_| Doubt::Malformed)?;
        let key = hmac.keys.get(&read.key_id).ok_or(Doubt::UnknownKey(read.key_id))?;
        let skew = skew(read.stamp, unix_time);
        let window = hmac.window.map(|window| window.as_secs() as u32);
        if let Some(window) = window.filter(|window| skew > *window) {
            return Err(Doubt::Stale { skew, window });
        }
        if !trailer::is_right(bytes, key, source, pdu) {
            return Err(Doubt::WrongCode);
        }
        let known = self.0.iter().position(|(sender, _)| *sender == source).and_then(|at| self.0.remove(at));
        let replayed = known.is_some_and(|(_, last)| !read.stamp.is_after(last));
        let last = known.map_or(read.stamp, |(_, last)| if replayed { last } else { read.stamp });
        self.0.push_front((source, last));
        self.0.truncate(if peers == 0 { SENDERS } else { peers });
        if replayed {
            return Err(Doubt::Replayed);
        }
        Ok(window.filter(|window| skew > *window / 2).map(|window| SkewWarning { skew, window }))
    }
}

/// By how many seconds clocks differ, the century aside.
fn skew(stamp: Stamp, unix_time: Duration) -> u32 {
    let ahead = stamp.secs().wrapping_sub(unix_time.as_secs() as u32);
    ahead.min(ahead.wrapping_neg())
}

/// The numbers of our own adverts, and of those heard, with `auth_type AH`: one sequence that the master continues.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sequence {
    /// The last one, sent or heard; 0: none.
    last: u32,
    /// It was our own.
    own: bool,
}

impl Sequence {
    /// The last number, sent or heard; 0: none.
    pub fn last(&self) -> u32 {
        self.last
    }

    /// The number of the next advert. `unix_time`: now, since 1970.
    ///
    /// It follows the clock, faster than anybody counts who counts from 1, as stock does. So it is believed after a
    /// restart, and by a master that has counted on its own while it did not hear us. A stock master that does not
    /// believe us would be silent as long as we send, so that we could not learn its number from it.
    pub fn advance(&mut self, unix_time: Duration) -> u32 {
        // 0 is never sent: a receiver that has heard nothing yet would not take it.
        let next = self.last.checked_add(1).unwrap_or(1);
        let clock = clock_number(unix_time);
        *self = Self { last: if is_later(clock, next) { clock } else { next }, own: true };
        self.last
    }

    /// Judges `packet`, with its IP header, as it was received from `source`. A backup continues the sender's count.
    ///
    /// # Errors
    /// Why the advert is not believed.
    pub fn verify(&mut self, packet: &[u8], key: &[u8; 8], source: Ipv4Addr) -> Result<u32, Doubt> {
        let header = packet.get(V4_HEADER_LEN..).unwrap_or_default();
        let read = Ah::parse(header).map_err(|_| Doubt::Malformed)?;
        if read.spi != source {
            return Err(Doubt::Malformed);
        }
        if !ah::is_right(packet, key) {
            return Err(Doubt::WrongCode);
        }
        // Who has heard nothing yet takes any number.
        // Two masters that send at the same moment may have the same number for ever: it was not heard before.
        let same = self.own && read.sequence == self.last;
        if self.last != 0 && !same && !is_later(read.sequence, self.last) {
            return Err(Doubt::Replayed);
        }
        Ok(read.sequence)
    }

    /// Continues from `heard`.
    pub fn follow(&mut self, heard: u32) {
        *self = Self { last: heard, own: false };
    }
}

/// Since when numbers follow the clock, in seconds since 1970: the beginning of 2026.
const NUMBERS_BEGAN: u64 = 1_767_225_600;
/// Adverts with a number leave once a second (version 2 knows no shorter interval), and sometimes one more.
const NUMBERS_A_SECOND: u64 = 2;

/// The number that the clock tells; it begins anew after 68 years.
fn clock_number(unix_time: Duration) -> u32 {
    (unix_time.as_secs().saturating_sub(NUMBERS_BEGAN) * NUMBERS_A_SECOND) as u32
}

/// Whether `number` comes after `last`; at its end the sequence begins anew.
fn is_later(number: u32, last: u32) -> bool {
    let ahead = number.wrapping_sub(last);
    ahead != 0 && ahead < 1 << 31
}

/// What is remembered so that no advert counts twice, in either direction.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// `auth_hmac`: of others.
    pub stamps: Stamps,
    /// `auth_type AH`: of all.
    pub sequence: Sequence,
    /// `auth_hmac`: the last one of our own.
    last: Option<Stamp>,
}

/// What tells an advert from all others of its sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Nothing does.
    None,
    /// `auth_type AH`: its number.
    Sequence(u32),
    /// `auth_hmac`: when it was signed.
    Stamp(Stamp),
}

impl Memory {
    /// The mark of our next advert. `unix_time`: now, since 1970.
    pub fn mark(&mut self, authentication: &Authentication, unix_time: Duration) -> Mark {
        match authentication {
            Authentication::None | Authentication::Password(_) => Mark::None,
            Authentication::Ah(_) => Mark::Sequence(self.sequence.advance(unix_time)),
            Authentication::Hmac(hmac) => {
                let stamp = next_stamp(self.last, hmac.window, unix_time);
                self.last = Some(stamp);
                Mark::Stamp(stamp)
            }
        }
    }
}

/// A stamp after `last`, also when the clock was set back: to those who heard us, we would be replaying. But if it
/// was so wrong that nobody believed us, the right time is better.
fn next_stamp(last: Option<Stamp>, window: Option<Duration>, unix_time: Duration) -> Stamp {
    let now = Stamp::at(unix_time);
    let Some(last) = last.filter(|last| !now.is_after(*last)) else { return now };
    let next = Stamp(last.0.wrapping_add(1));
    match window {
        Some(window) if skew(next, unix_time) > window.as_secs() as u32 => now,
        _ => next,
    }
}

impl Authentication {
    /// Bytes behind the PDU of our own adverts.
    pub fn trailer_len(&self) -> usize {
        if matches!(self, Self::Hmac(hmac) if hmac.signs()) { TRAILER_LEN } else { 0 }
    }

    /// Whether our own adverts are to be signed, and cannot be: they must not be sent.
    pub fn lacks_key(&self) -> bool {
        matches!(self, Self::Hmac(hmac) if hmac.mode != HmacMode::ReceiveOnly && !hmac.signs())
    }

    /// The IP protocol of adverts.
    pub fn protocol(&self) -> u8 {
        if matches!(self, Self::Ah(_)) { PROTO_AH } else { PROTO_VRRP }
    }

    /// The auth type of version 2.
    pub fn auth_type(&self) -> u8 {
        match self {
            Self::None | Self::Hmac(_) => vrrp::AUTH_NONE,
            Self::Password(_) => vrrp::AUTH_PASS,
            Self::Ah(_) => vrrp::AUTH_AH,
        }
    }

    /// Bytes between the IP header and the PDU.
    pub fn header_len(&self) -> usize {
        if matches!(self, Self::Ah(_)) { AH_LEN } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8] = b"0123456789abcdef0123456789abcdef";
    const PDU: &[u8] = &[0x31, 0x20, 0x96, 0x01, 0x00, 0x64, 0x43, 0xb8, 0x0a, 0x09, 0x00, 0x20];
    const NOW: Duration = Duration::from_secs(1_800_000_000);

    fn hmac(window: Option<u64>) -> Hmac {
        Hmac {
            keys: BTreeMap::from([(1, KEY.to_vec())]),
            active: 1,
            mode: HmacMode::Enforce,
            window: window.map(Duration::from_secs),
        }
    }

    fn source(n: u8) -> IpAddr {
        [10, 9, 0, n].into()
    }

    /// Signed `secs` seconds from now.
    fn stamp(secs: i64) -> Stamp {
        Stamp(NOW.as_secs().wrapping_add_signed(secs) << 32)
    }

    fn judge(stamps: &mut Stamps, hmac: &Hmac, from: u8, at: i64) -> Result<Option<SkewWarning>, Doubt> {
        let trailer = hmac.sign(stamp(at), source(from), PDU).unwrap();
        stamps.verify(hmac, source(from), PDU, &trailer, 0, NOW)
    }

    #[test]
    fn an_advert_is_believed_once() {
        let (mut stamps, hmac) = (Stamps::default(), hmac(Some(5)));
        assert_eq!(judge(&mut stamps, &hmac, 1, 0), Ok(None));
        assert_eq!(judge(&mut stamps, &hmac, 1, 0), Err(Doubt::Replayed));
        assert_eq!(judge(&mut stamps, &hmac, 1, -1), Err(Doubt::Replayed));
        assert_eq!(judge(&mut stamps, &hmac, 2, -1), Ok(None), "another sender");
        assert_eq!(judge(&mut stamps, &hmac, 1, 1), Ok(None));
    }

    #[test]
    fn clocks_may_differ_by_the_window() {
        let hmac = hmac(Some(6));
        for at in [-7, 7] {
            let judged = judge(&mut Stamps::default(), &hmac, 1, at);
            assert_eq!(judged, Err(Doubt::Stale { skew: 7, window: 6 }));
        }
        for at in [-4, 4] {
            let judged = judge(&mut Stamps::default(), &hmac, 1, at);
            assert_eq!(judged, Ok(Some(SkewWarning { skew: 4, window: 6 })));
        }
        assert_eq!(judge(&mut Stamps::default(), &hmac, 1, 3), Ok(None));
    }

    #[test]
    fn without_a_window_only_the_order_counts() {
        let (mut stamps, hmac) = (Stamps::default(), hmac(None));
        assert_eq!(judge(&mut stamps, &hmac, 1, -1_000_000), Ok(None));
        assert_eq!(judge(&mut stamps, &hmac, 1, -999_999), Ok(None));
        assert_eq!(judge(&mut stamps, &hmac, 1, -1_000_000), Err(Doubt::Replayed));
    }

    #[test]
    fn a_stranger_is_not_believed() {
        let (mut stamps, ours) = (Stamps::default(), hmac(Some(5)));
        let mut theirs = ours.clone();
        theirs.keys = BTreeMap::from([(1, b"another key of at least 32 bytes".to_vec())]);
        let trailer = theirs.sign(stamp(0), source(1), PDU).unwrap();
        assert_eq!(stamps.verify(&ours, source(1), PDU, &trailer, 0, NOW), Err(Doubt::WrongCode));
        let mut other_id = trailer;
        other_id[1] = 9;
        assert_eq!(stamps.verify(&ours, source(1), PDU, &other_id, 0, NOW), Err(Doubt::UnknownKey(9)));
        other_id[0] = 9;
        assert_eq!(stamps.verify(&ours, source(1), PDU, &other_id, 0, NOW), Err(Doubt::Malformed));
        // It has not spoilt anything for those who know the key.
        assert_eq!(judge(&mut stamps, &ours, 1, -5), Ok(Some(SkewWarning { skew: 5, window: 5 })));
    }

    #[test]
    fn only_the_last_senders_are_remembered() {
        let (mut stamps, hmac) = (Stamps::default(), hmac(Some(5)));
        for from in 1..=5 {
            assert_eq!(judge(&mut stamps, &hmac, from, 0), Ok(None));
        }
        assert_eq!(stamps.0.len(), SENDERS);
        assert_eq!(judge(&mut stamps, &hmac, 5, 0), Err(Doubt::Replayed));
        assert_eq!(judge(&mut stamps, &hmac, 1, 0), Ok(None), "forgotten");
    }

    #[test]
    fn the_sequence_goes_on_and_round() {
        let (mut ours, unset) = (Sequence::default(), Duration::ZERO);
        assert_eq!((ours.advance(unset), ours.advance(unset)), (1, 2));
        ours.follow(u32::MAX);
        assert_eq!(ours.advance(unset), 1);
        assert!(is_later(1, u32::MAX) && !is_later(u32::MAX, 1) && !is_later(5, 5));
    }

    #[test]
    fn numbers_follow_the_clock() {
        let at = |secs| Duration::from_secs(NUMBERS_BEGAN + secs);
        let mut ours = Sequence::default();
        assert_eq!((ours.advance(at(100)), ours.advance(at(100)), ours.advance(at(101))), (200, 201, 202));
        assert_eq!(ours.advance(at(50)), 203, "it was set back");
        assert_eq!(ours.advance(at(110)), 220);
        ours.follow(1_000);
        assert_eq!(ours.advance(at(111)), 1_001, "somebody is ahead");
        // Who counts alone for a year from where we were is overtaken within a second.
        let year = 365 * 24 * 3600;
        let theirs = 1_001 + year as u32;
        assert!(is_later(ours.advance(at(111 + year)), theirs));
        assert!(is_later(Sequence::default().advance(at(111 + year)), theirs), "also after a restart");
    }
}

//! The number in a tracked file.

/// How many bytes of a file are looked at.
pub const LOOKED_AT: usize = 127;

/// A number that does not fit into 32 bits, as far as it fits into 64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfRange(pub i64);

/// The number that `text` begins with, as C reads integers: white space, a sign, `0x` for hexadecimal or `0` for
/// octal, and whatever may follow. Without digits it is 0.
///
/// # Errors
/// It is beyond 32 bits.
pub fn parse(text: &[u8]) -> Result<i32, OutOfRange> {
    let is_space = |b: &u8| b.is_ascii_whitespace() || *b == 0x0b;
    let start = text.iter().position(|b| !is_space(b)).unwrap_or(text.len());
    let rest = text.get(start..).unwrap_or_default();
    let (negative, rest) = match rest {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let (base, digits) = match rest {
        [b'0', b'x' | b'X', digits @ ..] if digits.first().is_some_and(u8::is_ascii_hexdigit) => (16, digits),
        [b'0', ..] => (8, rest),
        _ => (10, rest),
    };
    let mut number: i64 = 0;
    for digit in digits.iter().map_while(|b| char::from(*b).to_digit(base)) {
        number = number.saturating_mul(i64::from(base)).saturating_add(i64::from(digit));
    }
    if negative {
        number = -number;
    }
    i32::try_from(number).map_err(|_| OutOfRange(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_c_reads_integers() {
        for (text, expected) in [
            ("", 0),
            ("10\n", 10),
            ("  0x10  \n", 16),
            ("0x", 0),
            ("0xg", 0),
            ("010", 8),
            ("089", 0),
            ("12abc", 12),
            ("abc", 0),
            ("4 5", 4),
            ("+7", 7),
            ("\t-126", -126),
            ("- 1", 0),
            ("2147483647", i32::MAX),
            ("-2147483648", i32::MIN),
        ] {
            assert_eq!(parse(text.as_bytes()), Ok(expected), "{text:?}");
        }
        for (text, number) in [
            ("3000000000", 3_000_000_000),
            ("-2147483649", -2_147_483_649),
            ("9999999999999999999999", i64::MAX),
        ] {
            assert_eq!(parse(text.as_bytes()), Err(OutOfRange(number)), "{text:?}");
        }
    }
}

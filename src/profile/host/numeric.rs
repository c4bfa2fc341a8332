//! Addresses in the spellings of `inet_aton(3)`.

use core::net::Ipv4Addr;

/// What a text is to `inet_aton(3)`.
pub(super) enum Numeric {
    /// Four decimal numbers without leading zeros.
    Address(Ipv4Addr),
    /// Its last part is a number, yet the whole is no address. Resolvers disagree about these, so they are no names either.
    Broken,
    /// A name.
    No,
    /// An address in another spelling.
    Odd(Ipv4Addr),
}

/// Decides by the last part, as the URL standard does ("ends in a number"); a `/prefix` or a dot behind it is not looked at.
pub(super) fn numeric(text: &str) -> Numeric {
    let literal = text.split('/').next().unwrap_or(text);
    let literal = literal.strip_suffix('.').unwrap_or(literal);
    if let Ok(v4) = literal.parse() {
        return Numeric::Address(v4);
    }
    let last = literal.rsplit('.').next().unwrap_or(literal);
    let is_number = match last.as_bytes() {
        [b'0', b'x' | b'X', digits @ ..] => digits.iter().all(u8::is_ascii_hexdigit),
        digits => !digits.is_empty() && digits.iter().all(u8::is_ascii_digit),
    };
    if !is_number {
        return Numeric::No;
    }
    match inet_aton(literal) {
        Some(v4) => Numeric::Odd(v4),
        None => Numeric::Broken,
    }
}

/// One to four numbers, decimal, octal or hexadecimal, of which the last fills the bytes that are left.
fn inet_aton(text: &str) -> Option<Ipv4Addr> {
    let parts: Vec<u32> = text.split('.').map(part).collect::<Option<_>>()?;
    let (last, head) = parts.split_last()?;
    if head.len() > 3 || head.iter().any(|&byte| byte > 0xff) {
        return None;
    }
    let mut bits = 0_u32;
    let mut shift = 32_u32;
    for byte in head {
        shift = shift.saturating_sub(8);
        bits |= byte << shift;
    }
    if u64::from(*last) >> shift != 0 {
        return None;
    }
    Some(Ipv4Addr::from_bits(bits | last))
}

/// One number, in the notations of C.
fn part(text: &str) -> Option<u32> {
    let (digits, radix) = match text.as_bytes() {
        [b'0', b'x' | b'X', ..] => (text.get(2..)?, 16),
        [b'0', _, ..] => (text.get(1..)?, 8),
        _ => (text, 10),
    };
    // A lone `0x` is zero to some libraries.
    if radix == 16 && digits.is_empty() {
        return Some(0);
    }
    if digits.starts_with('+') {
        return None;
    }
    u32::from_str_radix(digits, radix).ok()
}

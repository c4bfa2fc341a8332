//! Replies of time-stamp authorities (RFC 3161) in the bundle of a signature with a key, as far as they can be checked without
//! the authority's certificate: each is about exactly this signature. When it was made matters to certificates alone, so
//! nothing rests on it here.

use super::digest::Digest;

/// Tags of X.690, section 8.
const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const OBJECT_IDENTIFIER: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const CONTEXT_0: u8 = 0xa0;

/// `id-signedData` (RFC 5652, section 5.1), `id-ct-TSTInfo` (RFC 3161, section 2.4.2) and `id-sha256` (RFC 5754, section 2.2).
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
const TST_INFO: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x04];
const SHA_256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];

/// Checks that `reply`, a `TimeStampResp` in DER, grants a time stamp over the SHA-256 of `signature`.
///
/// # Errors
/// What does not fit, in words.
pub fn check(reply: &[u8], signature: &[u8]) -> Result<(), String> {
    let (status, info) = parts(reply).ok_or("it is no reply of a time-stamp authority in DER")?;
    // `granted` and `grantedWithMods`.
    if !matches!(status, [0 | 1]) {
        return Err("the authority refused it".to_owned());
    }
    let imprint = imprint(info).ok_or("what it says is malformed")?;
    match imprint {
        (SHA_256, digest) if digest == Digest::of(signature).as_bytes() => Ok(()),
        (SHA_256, _) => Err("it is about another signature".to_owned()),
        _ => Err("it is over another digest than SHA-256".to_owned()),
    }
}

/// The status of a reply, and the `TSTInfo` in it.
fn parts(reply: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut all = reply;
    let mut response = take(&mut all, SEQUENCE)?;
    let mut information = take(&mut response, SEQUENCE)?;
    let status = take(&mut information, INTEGER)?;
    let mut content = take(&mut response, SEQUENCE)?;
    (take(&mut content, OBJECT_IDENTIFIER)? == SIGNED_DATA).then_some(())?;
    let mut explicit = take(&mut content, CONTEXT_0)?;
    let mut signed = take(&mut explicit, SEQUENCE)?;
    take(&mut signed, INTEGER)?;
    take(&mut signed, SET)?;
    let mut encapsulated = take(&mut signed, SEQUENCE)?;
    (take(&mut encapsulated, OBJECT_IDENTIFIER)? == TST_INFO).then_some(())?;
    let mut explicit_info = take(&mut encapsulated, CONTEXT_0)?;
    let mut octets = take(&mut explicit_info, OCTET_STRING)?;
    let info = take(&mut octets, SEQUENCE)?;
    let is_whole =
        [all, response, content, explicit, encapsulated, explicit_info, octets].iter().all(|rest| rest.is_empty());
    is_whole.then_some((status, info))
}

/// The algorithm and the digest of `messageImprint`.
fn imprint(mut info: &[u8]) -> Option<(&[u8], &[u8])> {
    (take(&mut info, INTEGER)? == [1]).then_some(())?;
    take(&mut info, OBJECT_IDENTIFIER)?;
    let mut imprint = take(&mut info, SEQUENCE)?;
    let mut algorithm = take(&mut imprint, SEQUENCE)?;
    let identifier = take(&mut algorithm, OBJECT_IDENTIFIER)?;
    let digest = take(&mut imprint, OCTET_STRING)?;
    imprint.is_empty().then_some((identifier, digest))
}

/// Takes the value of the element with `tag` from the front of `rest`. Lengths are in the one form of DER (X.690, 10.1).
fn take<'d>(rest: &mut &'d [u8], tag: u8) -> Option<&'d [u8]> {
    let (_, behind) = rest.split_first().filter(|(first, _)| **first == tag)?;
    let (&short, behind) = behind.split_first()?;
    let (length, behind) = match short {
        0..=0x7f => (usize::from(short), behind),
        0x81..=0x84 => {
            let (digits, behind) = behind.split_at_checked(usize::from(short & 0x7f))?;
            let length = digits.iter().fold(0_usize, |length, &digit| length << 8 | usize::from(digit));
            let is_shortest = digits.first() != Some(&0) && length > 0x7f;
            (is_shortest.then_some(length)?, behind)
        }
        _ => return None,
    };
    let (value, behind) = behind.split_at_checked(length)?;
    *rest = behind;
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_has_one_form() {
        for (bytes, expected) in [
            (&[4, 1, 7][..], Some(&[7][..])),
            (&[4, 0x81, 1, 7], None),
            (&[4, 0x80, 7, 0, 0], None),
            (&[4, 0x82, 0, 1, 7], None),
            (&[4, 2, 7], None),
            (&[4, 0x84, 0xff, 0xff, 0xff, 0xff], None),
            (&[4], None),
            (&[], None),
            (&[5, 1, 7], None),
        ] {
            assert_eq!(take(&mut &*bytes, 4), expected, "{bytes:?}");
        }
    }

    /// One element.
    fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
        let value = parts.concat();
        let length = u8::try_from(value.len()).unwrap();
        let head = if length < 0x80 { vec![tag, length] } else { vec![tag, 0x81, length] };
        [head, value].concat()
    }

    /// A reply with that status over `digest` of that algorithm.
    fn reply(status: u8, algorithm: &[u8], digest: &[u8]) -> Vec<u8> {
        let algorithm = der(SEQUENCE, &[&der(OBJECT_IDENTIFIER, &[algorithm]), &[5, 0]]);
        let imprint = der(SEQUENCE, &[&algorithm, &der(OCTET_STRING, &[digest])]);
        let info = der(SEQUENCE, &[&[INTEGER, 1, 1], &der(OBJECT_IDENTIFIER, &[&[0x2a]]), &imprint, &[INTEGER, 1, 9]]);
        let octets = der(CONTEXT_0, &[&der(OCTET_STRING, &[&info])]);
        let encapsulated = der(SEQUENCE, &[&der(OBJECT_IDENTIFIER, &[TST_INFO]), &octets]);
        let signed = der(SEQUENCE, &[&[INTEGER, 1, 3], &[SET, 0], &encapsulated, &[SET, 0]]);
        let content = der(SEQUENCE, &[&der(OBJECT_IDENTIFIER, &[SIGNED_DATA]), &der(CONTEXT_0, &[&signed])]);
        der(SEQUENCE, &[&der(SEQUENCE, &[&[INTEGER, 1, status]]), &content])
    }

    #[test]
    fn a_reply_is_granted_over_the_sha_256_of_the_signature_or_it_is_none() {
        const SHA_1: &[u8] = &[0x2b, 0x0e, 0x03, 0x02, 0x1a];
        let digest = Digest::of(b"one");
        let good = reply(0, SHA_256, digest.as_bytes());
        assert_eq!((check(&good, b"one"), check(&reply(1, SHA_256, digest.as_bytes()), b"one")), (Ok(()), Ok(())));
        for (bytes, expected) in [
            (reply(2, SHA_256, digest.as_bytes()), "refused"),
            (reply(0, SHA_256, Digest::of(b"other").as_bytes()), "another signature"),
            (reply(0, SHA_1, &[7; 20]), "another digest"),
            (reply(0, SHA_1, digest.as_bytes()), "another digest"),
            (reply(0, &[], digest.as_bytes()), "another digest"),
            ([&good[..], &[0]].concat(), "no reply"),
        ] {
            let why = check(&bytes, b"one").unwrap_err();
            assert!(why.contains(expected), "{expected}: {why}");
        }
        for end in 0..good.len() {
            assert!(check(good.get(..end).unwrap(), b"one").is_err(), "{end}");
        }
    }
}

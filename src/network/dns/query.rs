//! Queries that programs send, and replies to them.

use core::net::IpAddr;

use super::reader::{Reader, host_name};
use super::{A, AAAA, Broken, Code, HEADER, IN, OPT, flag};

/// What a datagram may hold when the query does not say (RFC 1035, section 4.2.1), and the most that is ever sent in one.
const PLAIN_SIZE: usize = 512;
const LARGEST_DATAGRAM: usize = 1232;

/// A query with one question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    id: u16,
    flags: u16,
    /// The question's bytes: an answer repeats them, letter case included.
    question: Vec<u8>,
    /// In lower case without a dot at the end; `None` for a name that no host can have.
    pub name: Option<String>,
    pub kind: u16,
    class: u16,
    /// The size that the sender's `OPT` record offers.
    offered: Option<u16>,
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply<'r> {
    /// Addresses of the asked kind, with the seconds they hold.
    Addresses {
        addresses: &'r [IpAddr],
        seconds: u32,
    },
    Failed(Code),
}

/// Reads a query.
///
/// # Errors
/// What to send back for a message that is no query with one question; nothing when not even that can be said.
pub fn parse(message: &[u8]) -> Result<Query, Option<Vec<u8>>> {
    let mut reader = Reader::new(message);
    let (id, flags) = match (reader.number(), reader.number()) {
        (Ok(id), Ok(flags)) if flags & flag::RESPONSE == 0 => (id, flags),
        _ => return Err(None),
    };
    let refusal = |code: Code| Some(header(id, flags, code, [0; 4]));
    if flags & flag::OPCODE != 0 {
        return Err(refusal(Code::NotImplemented));
    }
    read(&mut reader, id, flags, message).map_err(|_| refusal(Code::FormatError))
}

fn read(reader: &mut Reader<'_>, id: u16, flags: u16, message: &[u8]) -> Result<Query, Broken> {
    let counts = [reader.number()?, reader.number()?, reader.number()?, reader.number()?];
    let [1, 0, 0, additional @ 0..=4] = counts else { return Err(Broken::Other) };
    let start = reader.at();
    let labels = reader.name()?;
    let (kind, class) = (reader.number()?, reader.number()?);
    let question = message.get(start..reader.at()).ok_or(Broken::Short)?.to_vec();
    let mut offered = None;
    for _ in 0..additional {
        let root = reader.name()?.is_empty();
        let (record, size) = (reader.number()?, reader.number()?);
        reader.long()?;
        let length = reader.number()?;
        reader.bytes(usize::from(length))?;
        if record == OPT && root && offered.replace(size).is_some() {
            return Err(Broken::Other);
        }
    }
    Ok(Query { id, flags, question, name: host_name(&labels), kind, class, offered })
}

impl Query {
    /// Whether it asks for an address of the Internet.
    pub fn is_for_address(&self) -> bool {
        self.class == IN && matches!(self.kind, A | AAAA)
    }

    /// The reply as a stream carries it, without the length before it (RFC 1035, section 4.2.2).
    pub fn reply(&self, reply: &Reply<'_>) -> Vec<u8> {
        self.written(reply, usize::from(u16::MAX))
    }

    /// The reply as a datagram; cut, and marked so, when it would be larger than the sender takes.
    pub fn datagram(&self, reply: &Reply<'_>) -> Vec<u8> {
        let takes = self.offered.map_or(PLAIN_SIZE, |size| usize::from(size).clamp(PLAIN_SIZE, LARGEST_DATAGRAM));
        self.written(reply, takes)
    }

    fn written(&self, reply: &Reply<'_>, most: usize) -> Vec<u8> {
        let (code, addresses, seconds) = match reply {
            Reply::Addresses { addresses, seconds } => (Code::NoError, *addresses, *seconds),
            Reply::Failed(code) => (*code, &[][..], 0),
        };
        let records: Vec<Vec<u8>> = addresses.iter().filter_map(|address| self.record(*address, seconds)).collect();
        let option = if self.offered.is_some() { opt() } else { Vec::new() };
        let room = most.saturating_sub(HEADER).saturating_sub(self.question.len()).saturating_sub(option.len());
        let whole: usize = records.iter().map(Vec::len).sum();
        let (flags, records) = if whole > room { (flag::TRUNCATED, Vec::new()) } else { (0, records) };
        let answers = u16::try_from(records.len()).unwrap_or(0);
        let mut message = header(self.id, self.flags | flags, code, [1, answers, 0, u16::from(!option.is_empty())]);
        message.extend_from_slice(&self.question);
        message.extend(records.into_iter().flatten());
        message.extend(option);
        message
    }

    /// A record of the question's name, by a pointer to it. An address of the other kind has none.
    fn record(&self, address: IpAddr, seconds: u32) -> Option<Vec<u8>> {
        let data = match (self.kind, address) {
            (A, IpAddr::V4(v4)) => v4.octets().to_vec(),
            (AAAA, IpAddr::V6(v6)) => v6.octets().to_vec(),
            _ => return None,
        };
        let mut record = vec![0xc0, 12];
        record.extend(self.kind.to_be_bytes());
        record.extend(IN.to_be_bytes());
        record.extend(seconds.to_be_bytes());
        record.extend(u16::try_from(data.len()).unwrap_or(0).to_be_bytes());
        record.extend(data);
        Some(record)
    }
}

fn header(id: u16, flags: u16, code: Code, counts: [u16; 4]) -> Vec<u8> {
    let kept = flags & (flag::RECURSION_DESIRED | flag::TRUNCATED);
    let flags = flag::RESPONSE | flag::RECURSION_AVAILABLE | kept | code.number();
    let mut bytes = Vec::with_capacity(HEADER);
    for number in [id, flags].into_iter().chain(counts) {
        bytes.extend(number.to_be_bytes());
    }
    bytes
}

/// An `OPT` record without options (RFC 6891, section 6.1.2).
fn opt() -> Vec<u8> {
    let mut record = vec![0];
    record.extend(OPT.to_be_bytes());
    record.extend(u16::try_from(LARGEST_DATAGRAM).unwrap_or(512).to_be_bytes());
    record.extend([0; 6]);
    record
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `AAAA` of `Api.example.com`, with an `OPT` record.
    const QUERY: &[u8] = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x01\
        \x03Api\x07example\x03com\x00\x00\x1c\x00\x01\
        \x00\x00\x29\x10\x00\x00\x00\x00\x00\x00\x00";

    #[test]
    fn a_query_is_read_and_its_question_repeated() {
        let query = parse(QUERY).unwrap();
        assert_eq!((query.name.as_deref(), query.kind), (Some("api.example.com"), AAAA));
        assert!(query.is_for_address());
        let addresses = ["fd00::1".parse().unwrap(), "10.0.0.1".parse().unwrap()];
        let reply = query.datagram(&Reply::Addresses { addresses: &addresses, seconds: 30 });
        let expected = [
            &b"\x12\x34\x81\x80\x00\x01\x00\x01\x00\x00\x00\x01\x03Api\x07example\x03com\x00\x00\x1c\x00\x01"[..],
            b"\xc0\x0c\x00\x1c\x00\x01\x00\x00\x00\x1e\x00\x10\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01",
            b"\x00\x00\x29\x04\xd0\x00\x00\x00\x00\x00\x00",
        ];
        assert_eq!(reply, expected.concat());
    }

    #[test]
    fn what_does_not_fit_is_cut_and_marked() {
        let query = Query { offered: None, kind: A, ..parse(QUERY).unwrap() };
        let addresses = vec!["198.18.0.1".parse().unwrap(); 60];
        let reply = Reply::Addresses { addresses: &addresses, seconds: 1 };
        let datagram = query.datagram(&reply);
        assert!(datagram.len() <= PLAIN_SIZE && datagram[2] & 2 != 0 && datagram[7] == 0, "{datagram:?}");
        let whole = query.reply(&reply);
        assert!(whole[2] & 2 == 0 && whole[7] == 60);
    }

    #[test]
    fn a_name_that_does_not_exist_is_said_to() {
        let reply = parse(QUERY).unwrap().datagram(&Reply::Failed(Code::NoSuchName));
        assert_eq!((reply[3], reply[7]), (0x83, 0));
    }

    #[test]
    fn what_is_no_query_gets_an_error_or_nothing() {
        assert_eq!(parse(b""), Err(None));
        assert_eq!(parse(b"\x12\x34\x80\x00"), Err(None), "an answer");
        for length in 4..QUERY.len() {
            let refusal = parse(&QUERY[..length]).unwrap_err().unwrap();
            assert_eq!((&refusal[..2], refusal[3] & 15), (&b"\x12\x34"[..], 1), "{length}");
        }
        let mut update = QUERY.to_vec();
        update[2] |= 5 << 3;
        assert_eq!(parse(&update).unwrap_err().unwrap()[3] & 15, 4);
        let mut two = QUERY.to_vec();
        two[5] = 2;
        assert_eq!(parse(&two).unwrap_err().unwrap()[3] & 15, 1);
    }
}

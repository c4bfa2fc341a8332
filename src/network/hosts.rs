//! `/etc/hosts`, see `hosts(5)`.

use core::net::IpAddr;

/// A line of names for an address.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line<'t> {
    address: IpAddr,
    names: Vec<&'t str>,
}

/// The addresses that the file has for `name`, which is in lower case.
pub fn addresses(text: &str, name: &str) -> Vec<IpAddr> {
    let mut found = Vec::new();
    for line in text.lines().filter_map(line) {
        if line.names.iter().any(|each| is_same(each, name)) && !found.contains(&line.address) {
            found.push(line.address);
        }
    }
    found
}

/// The file with other addresses for some names: those for which `stand_in` has one, of the same family. `None` when it has
/// none for any.
pub fn rewritten(text: &str, mut stand_in: impl FnMut(&str, IpAddr) -> Option<IpAddr>) -> Option<String> {
    let mut whole = String::with_capacity(text.len());
    let mut differs = false;
    for written in text.lines() {
        let Some(Line { address, names }) = line(written) else {
            whole.push_str(written);
            whole.push('\n');
            continue;
        };
        let mut kept = Vec::new();
        for name in names {
            match stand_in(&plain(name), address) {
                Some(other) => {
                    differs = true;
                    whole.push_str(&format!("{other} {name}\n"));
                }
                None => kept.push(name),
            }
        }
        if !kept.is_empty() {
            whole.push_str(&format!("{address} {}\n", kept.join(" ")));
        }
    }
    differs.then_some(whole)
}

fn line(text: &str) -> Option<Line<'_>> {
    let text = text.split('#').next().unwrap_or_default();
    let mut words = text.split_ascii_whitespace();
    // A zone behind the address says which interface of this machine; the name does not depend on it.
    let address = words.next()?.split('%').next()?.parse().ok()?;
    let names: Vec<&str> = words.collect();
    (!names.is_empty()).then_some(Line { address, names })
}

fn plain(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

fn is_same(written: &str, name: &str) -> bool {
    written.trim_end_matches('.').eq_ignore_ascii_case(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "127.0.0.1 localhost\n\n# comment\n10.0.0.5\tDB.example.com  db # of the office\n\
        fd00::5 db.example.com\nnonsense x\n10.0.0.6\n";

    #[test]
    fn a_name_has_the_addresses_of_all_its_lines() {
        let found = |name| addresses(FILE, name).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(found("db.example.com"), ["10.0.0.5", "fd00::5"]);
        assert_eq!(found("db"), ["10.0.0.5"]);
        assert_eq!(found("localhost"), ["127.0.0.1"]);
        assert!(found("of").is_empty() && found("x").is_empty());
    }

    #[test]
    fn names_get_other_addresses_and_the_rest_stays() {
        let other = |name: &str, address: IpAddr| {
            let stand_in = if address.is_ipv4() { "198.18.0.4" } else { "fd00::4" };
            (name == "db.example.com").then(|| stand_in.parse().unwrap())
        };
        let expected = "127.0.0.1 localhost\n\n# comment\n198.18.0.4 DB.example.com\n10.0.0.5 db\nfd00::4 db.example.com\n\
            nonsense x\n10.0.0.6\n";
        assert_eq!(rewritten(FILE, other).as_deref(), Some(expected));
        assert_eq!(rewritten(FILE, |_, _| None), None);
    }
}

//! Where names and addresses may lead: not to this machine, not to a private network, not to a metadata service.

use crate::lab::{ANSWERED_FOR, HOME, HOME_V6, Lab, OTHER, PRIVATE, each};
use crate::world::Outcome;

#[track_caller]
fn stays(lab: &Lab, outcome: &Outcome, reason: &str) {
    assert!(outcome.code() != 0 && outcome.stdout.is_empty(), "{:?} {}", outcome.stdout, outcome.stderr);
    assert!(outcome.stderr.contains(reason), "{reason:?} is not in {}", outcome.stderr);
    assert_eq!(lab.taken("requests"), [""; 0], "a request came");
}

#[test]
fn a_name_leads_to_no_private_address() {
    each(|lab| {
        let all = ["--allow-host", "*.example.com"];
        for (name, reason) in [
            ("private", "it leads to 10.0.0.5: the address is not a public one (a private network"),
            ("shared", "it leads to 100.64.0.7: the address is not a public one (a carrier's shared network"),
            ("loopback", "the address is not a public one (loopback"),
            ("metadata", "it leads to 169.254.169.254: the address belongs to a metadata service"),
            ("mapped", "the address is not a public one"),
            ("translated", "it leads to 64:ff9b::a00:5: the address is not a public one (a private network"),
            ("carried", "it leads to 2002:a00:5::1: the address is not a public one (a private network"),
            ("translated-metadata", "the address belongs to a metadata service"),
        ] {
            stays(lab, &lab.curl(&all, &format!("http://{name}.example.com/")), reason);
        }
        for name in ["mixed", "translated-public", "carried-public"] {
            let outcome = lab.curl(&all, &format!("http://{name}.example.com/"));
            assert_eq!(outcome.stdout, "hello\n", "{name}: {}", outcome.stderr);
        }
        assert!(lab.taken("requests").iter().all(|line| !line.contains(PRIVATE)));
    });
}

#[test]
fn a_private_address_is_reached_by_a_rule_about_it() {
    each(|lab| {
        for (rule, url) in [
            ("10.0.0.5", "http://10.0.0.5/"),
            ("10.0.0.0/24:80", "http://10.0.0.5/"),
            ("127.0.0.1:80", "http://127.0.0.1/"),
            ("127.0.0.1:80", "http://localhost/"),
            ("[::1]:80", "http://[::1]/"),
            ("169.254.169.254:80", "http://169.254.169.254/"),
        ] {
            let outcome = lab.curl(&["--allow-host", rule], url);
            assert_eq!(outcome.stdout, "hello\n", "{rule}: {}", outcome.stderr);
        }
        let both = ["--allow-host", "private.example.com", "--allow-host", "10.0.0.0/24:80"];
        assert_eq!(lab.curl(&both, "http://private.example.com/").stdout, "hello\n");
        lab.taken("requests");
        stays(lab, &lab.curl(&both, "http://private.example.com:8080/"), "it leads to 10.0.0.5");
        stays(lab, &lab.curl(&["--allow-host", "10.0.0.5:80"], "http://10.0.0.6/"), "connect 10.0.0.6:80");
        stays(lab, &lab.curl(&["--allow-host", "169.254.0.0/16"], "http://169.254.169.254/"), "metadata service");
    });
}

#[test]
fn private_networks_by_name_need_deny_private_to_be_off_and_this_machine_stays_out_of_reach() {
    each(|lab| {
        let policy = lab.world.outside().join("policy.json");
        let text = r#"{ "name": "open", "extends": ["default"],
            "network": { "allow": ["*.example.com", "localhost"], "deny_private": false } }"#;
        lab.world.file(&policy, text);
        let flags = ["-p", policy.to_str().expect("a UTF-8 path")];
        assert_eq!(lab.curl(&flags, "http://private.example.com/").stdout, "hello\n");
        lab.taken("requests");
        stays(lab, &lab.curl(&flags, "http://loopback.example.com/"), "loopback");
        stays(lab, &lab.curl(&flags, "http://localhost/"), "connect 127.0.0.1:80");
        stays(lab, &lab.curl(&flags, "http://metadata.example.com/"), "metadata");
    });
}

#[test]
fn this_machine_s_public_addresses_are_private_unless_they_are_listed() {
    each(|lab| {
        let own = "this machine's own, which counts as private";
        let policy = lab.world.outside().join("policy.json");
        let text = r#"{ "name": "open", "extends": ["default"],
            "network": { "allow": ["*.example.com"], "deny_private": false } }"#;
        lab.world.file(&policy, text);
        let open = ["-p", policy.to_str().expect("a UTF-8 path")];
        for name in ["home", "answered"] {
            let url = format!("http://{name}.example.com/");
            stays(lab, &lab.curl(&["--allow-host", "*.example.com"], &url), own);
            stays(lab, &lab.curl(&open, &url), own);
        }
        let networks = ["--allow-host", "93.184.0.0/16", "--allow-host", "2606:2800::/32", "--allow-host", "2002::/16"];
        let [a, b, c, d] = HOME.parse::<std::net::Ipv4Addr>().expect("an address").octets();
        let carried = format!("[2002:{a:x}{b:02x}:{c:x}{d:02x}::1]");
        let (mapped, v6) = (format!("[::ffff:{HOME}]"), format!("[{HOME_V6}]"));
        for address in [HOME, ANSWERED_FOR, &mapped, &v6, &carried] {
            stays(lab, &lab.curl(&networks, &format!("http://{address}/")), own);
            let mut why = lab.verb("why");
            why.args(["connect", &format!("{address}:80")]).args(networks);
            let told = lab.world.finish(&mut why);
            assert!(told.code() == 1 && told.stdout.contains(own), "{} {}", told.stdout, told.stderr);
        }
        for (rule, host) in [
            (HOME, HOME),
            (HOME, "home.example.com"),
            (HOME_V6, &v6),
            (ANSWERED_FOR, ANSWERED_FOR),
            (ANSWERED_FOR, "answered.example.com"),
            ("93.184.0.0/16", OTHER),
        ] {
            let flags = [&networks[..], &["--allow-host", "*.example.com", "--allow-host", rule]].concat();
            let outcome = lab.curl(&flags, &format!("http://{host}/"));
            assert_eq!(outcome.stdout, "hello\n", "{rule} {host}: {}", outcome.stderr);
        }
        lab.taken("requests");
    });
}

#[test]
fn a_name_server_that_changes_its_mind_opens_nothing() {
    each(|lab| {
        // The second answer comes after the first has expired; the connection goes to what was checked, or nowhere.
        let program = "import socket, time
for wait in (0, 6):
    time.sleep(wait)
    try:
        with socket.create_connection(('rebinding.example.com', 80), 5) as s: print(s.getpeername()[0])
    except OSError as error: print(error.errno)
";
        let outcome = lab.python(&["--allow-host", "rebinding.example.com"], program, &[]);
        assert_eq!(outcome.stdout, "93.184.215.14\n13\n", "{}", outcome.stderr);
        assert_eq!(lab.taken("requests"), [""; 0]);
    });
}

#[test]
fn odd_spellings_of_addresses_are_the_addresses_they_mean() {
    each(|lab| {
        let broad = ["--allow-host", "*.example.com", "--allow-host", "93.184.215.14"];
        for spelling in [
            "2130706433",
            "0177.0.0.1",
            "0x7f.1",
            "127.1",
            "127.0.0.1",
            "0.0.0.0",
            "0",
            "[::ffff:7f00:1]",
            "[::]",
            "[::1]",
            "localhost",
            "167772165",
            "10.5",
            "[64:ff9b::7f00:1]",
            "[2002:7f00:1::]",
        ] {
            let url = format!("http://{spelling}/");
            let outcome = lab.curl(&broad, &url);
            assert!(outcome.code() != 0 && outcome.stdout.is_empty(), "{spelling}: {}", outcome.stdout);
            assert_eq!(lab.taken("requests"), [""; 0], "{spelling}");
            // Without a sandbox each leads to a server of the machine or of the private network, but for what only routers carry.
            let bare = lab.world.finish(lab.bare("curl").args(["-sS", "-m", "15", &url]));
            let is_carried = matches!(spelling, "[64:ff9b::7f00:1]" | "[2002:7f00:1::]");
            assert!(bare.stdout == "hello\n" || is_carried, "{spelling}: {}", bare.stderr);
            lab.taken("requests");
        }
        for spelling in ["93.184.215.14", "1572394766", "0x5d.0xb8.0xd7.0xe", "[::ffff:5db8:d70e]"] {
            let outcome = lab.curl(&broad, &format!("http://{spelling}/"));
            assert_eq!(outcome.stdout, "hello\n", "{spelling}: {}", outcome.stderr);
        }
        lab.taken("requests");
        stays(lab, &lab.curl(&broad, &format!("http://user@{OTHER}/")), "no rule covers it");
    });
}
